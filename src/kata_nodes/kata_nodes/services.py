# SPDX-License-Identifier: Apache-2.0
"""Services, asked until they answer: an answer may be lost on its way, so every service of Kata may be asked twice.

A server drops an answer if its writer has not found the client's reader yet, and ``service_is_ready`` does not tell. So clients
are made once and kept, and what is not answered is asked again. A repeat does no harm: stopping, resetting and engaging twice
is as once, and requests with an ``id`` are done once and answered as often as they are asked (`once`).
"""

from collections.abc import Callable, Mapping
from random import SystemRandom
from typing import Any

from rclpy.client import Client
from rclpy.clock import Clock
from rclpy.node import Node

from kata_nodes.clocks import steady_clock

__all__ = ["AGAIN", "Question", "Services", "once"]

AGAIN = 0.5
"""Time without an answer after which a service is asked again [s]."""

_REMEMBERED = 32
"""Answers that are kept for repeats."""

_dice = SystemRandom()


class Services:
    """The services that a node asks, by name, each through a client that lives as long as the node.

    Args:
        node: Who asks.
        kinds: Their classes by name.
    """

    def __init__(self, node: Node, kinds: Mapping[str, Any]) -> None:
        """Make the clients."""
        self._node, self._clock = node, steady_clock(node)
        self._clients: dict[str, Client] = {}
        self._last: dict[str, Question] = {}
        for name, kind in kinds.items():
            self.know(name, kind)

    def know(self, name: str, kind: Any) -> None:
        """Make the client of one more service, unless it is there."""
        if name not in self._clients:
            self._clients[name] = self._node.create_client(kind, name)

    def offered(self, name: str) -> bool:
        """Return whether somebody offers a service."""
        return name in self._clients and self._clients[name].service_is_ready()

    def ask(self, name: str, request: Any, heard: Callable[[], object] | None = None) -> "Question":
        """Return a question; `Question.look` puts it. The one before to the same service is put no more: it may contradict.

        Args:
            name: One of the services.
            request: Request; an ``id`` that it lacks is given to it.
            heard: Called from the node's executor as soon as the answer is there.
        """
        if not getattr(request, "id", 1):
            request.id = _dice.getrandbits(63) | 1
        if name in self._last:
            self._last[name].superseded = True
        self._last[name] = Question(self._clients[name], request, self._clock, heard)
        return self._last[name]

    def whose(self, name: str) -> str:
        """Return in words which node offers a service."""
        full = self._clients[name].service_name
        for node, space in self._node.get_node_names_and_namespaces():
            if any(full == service for service, _ in self._node.get_service_names_and_types_by_node(node, space)):
                return f"node {node}"
        return "a node that offers it: there is none"

    def close(self) -> None:
        """End what was asked of nodes that are gone."""
        for client in self._clients.values():
            self._node.destroy_client(client)


class Question:
    """One request, put as soon as its service is there and again until it is answered.

    Attributes:
        answer: The answer; None before it came.
        superseded: Whether it is not to be put again.
    """

    def __init__(self, client: Client, request: Any, clock: Clock, heard: Callable[[], object] | None) -> None:
        """Ask nothing yet."""
        self._client, self._request, self._clock, self._heard = client, request, clock, heard
        self._asked: int | None = None
        self._put: list[Any] = []
        self.answer: Any = None
        self.superseded = False

    def look(self) -> Any:
        """Ask if that is due; return the answer, or None."""
        now = int(self._clock.now().nanoseconds)
        due = not self.superseded and (self._asked is None or not 0 <= now - self._asked < AGAIN * 1e9)
        if self.answer is None and due and self._client.service_is_ready():
            self._asked = now
            future = self._client.call_async(self._request)
            self._put.append(future)
            future.add_done_callback(self._take)
        return self.answer

    def _take(self, future: Any) -> None:
        if self.answer is None and not future.cancelled():
            self.answer = future.result()
            self.end()
            if self._heard is not None:
                self._heard()

    def end(self) -> None:
        """Wait no more: answers that come later are forgotten, and take no memory."""
        for future in self._put:
            self._client.remove_pending_request(future)
        self._put.clear()


def once(serve: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return a service's callback that does each request once, and answers a repeat, told by its ``id``, as it did before."""
    answers: dict[int, Any] = {}

    def answer(request: Any, response: Any) -> Any:
        if request.id in answers:
            return answers[request.id]
        result = serve(request, response)
        if request.id:
            answers[request.id] = result
        if len(answers) > _REMEMBERED:
            del answers[next(iter(answers))]
        return result

    return answer
