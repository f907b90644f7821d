# SPDX-License-Identifier: Apache-2.0
"""Sequences that wait, played inside a node by a timer: generators whose every ``yield`` is one look later."""

from collections.abc import Callable, Generator
from typing import Any

from rclpy.node import Node

from kata_core.errors import KataError
from kata_nodes.clocks import steady_clock

__all__ = ["Prompter", "Script"]

Script = Generator[None, None, Any]
"""A part of a sequence; what it returns goes to the ``yield from`` that plays it."""


class Prompter:
    """Waits for conditions and services on behalf of a node, by wall time, and not for ever."""

    def __init__(self, node: Node, patience: float) -> None:
        """Take the node and the longest wait [s]."""
        self._node = node
        self._patience = patience
        self._clock = steady_clock(node)

    def until(self, what: str, condition: Callable[[], bool]) -> Script:
        """Wait until a condition holds.

        Raises:
            KataError: Patience ran out; `what` says what was waited for.
        """
        begin = self._clock.now().nanoseconds
        while not condition():
            if self._clock.now().nanoseconds - begin > self._patience * 1e9:
                waited = f"waited {self._patience:g} s for {what}"
                raise KataError(waited, where=self._node.get_name(), fix="do all nodes run, without errors?")
            yield

    def call(self, kind: Any, name: str, request: Any, *, insist: bool = False) -> Script:
        """Call a service and return its answer, which has ``success`` and ``message``.

        Args:
            kind: Service class.
            name: Relative name.
            request: Request.
            insist: Whether a refused call is repeated while patience lasts.

        Raises:
            KataError: The service is absent or refuses.
        """
        client = self._node.create_client(kind, name)
        yield from self.until(f"service {name}", client.service_is_ready)
        begin = self._clock.now().nanoseconds
        answer = yield from self._ask(client, name, request)
        while insist and not answer.success and self._clock.now().nanoseconds - begin < self._patience * 1e9:
            answer = yield from self._ask(client, name, request)
        self._node.destroy_client(client)
        if not answer.success:
            raise KataError(f"{name} refused: {answer.message}", where=self._node.get_name())
        return answer

    def _ask(self, client: Any, name: str, request: Any) -> Script:
        future = client.call_async(request)
        yield from self.until(f"an answer of {name}", future.done)
        return future.result()
