# SPDX-License-Identifier: Apache-2.0
"""Sequences that wait, played inside a node by a timer: generators whose every ``yield`` is one look later."""

from collections.abc import Callable, Generator, Mapping
from typing import Any

from rclpy.node import Node

from kata_model.errors import KataError
from kata_nodes.clocks import steady_clock
from kata_nodes.services import Services

__all__ = ["Script", "ScriptSteps"]

Script = Generator[None, None, Any]
"""A part of a sequence; what it returns goes to the ``yield from`` that plays it."""


class ScriptSteps:
    """Steps that scripts are made of: wait for a condition, ask a service; by the node's steady clock, and not for ever.

    Args:
        node: Whose sequence is played.
        patience: Longest wait [s].
        services: Classes of the services that it asks, by name.
    """

    def __init__(self, node: Node, patience: float, services: Mapping[str, Any] | None = None) -> None:
        """Make the services' clients."""
        self._node = node
        self._patience = patience
        self._clock = steady_clock(node)
        self._services = Services(node, services or {})

    def until(self, what: str, condition: Callable[[], bool]) -> Script:
        """Wait until a condition holds.

        Raises:
            KataError: Patience ran out; `what` says what was waited for.
        """
        begin = self._now()
        while not condition():
            if self._now() - begin > self._patience:
                raise self._tired(what)
            yield

    def call(self, name: str, request: Any, *, insist: bool = False) -> Script:
        """Ask a service until it answers, and return its answer, which has ``success`` and ``message``.

        Args:
            name: One of the services.
            request: Request.
            insist: Whether a refused call is repeated while patience lasts.

        Raises:
            KataError: Nobody answers; the node that does not is named. Or the service refuses.
        """
        begin = self._now()
        answer = yield from self._ask(name, request)
        while insist and not answer.success and self._now() - begin < self._patience:
            answer = yield from self._ask(name, request)
        if not answer.success:
            raise KataError(f"{name} refused: {answer.message}", where=self._node.get_name())
        return answer

    def _ask(self, name: str, request: Any) -> Script:
        question, begin = self._services.ask(name, request), self._now()
        while question.look() is None:
            if self._now() - begin > self._patience:
                question.end()
                raise self._tired(f"an answer of {name} by {self._services.whose(name)}")
            yield
        return question.answer

    def _tired(self, what: str) -> KataError:
        waited = f"waited {self._patience:g} s for {what}"
        return KataError(waited, where=self._node.get_name(), fix="do all nodes run, without errors?")

    def _now(self) -> float:
        return float(self._clock.now().nanoseconds) * 1e-9
