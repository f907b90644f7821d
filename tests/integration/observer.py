# SPDX-License-Identifier: Apache-2.0
"""One process that hears everything and notes when it was sent, by the stamp that its sender's middleware gave it.

So times between messages of one node are that node's own: how late a busy machine lets the observer hear them does not count.
"""

import itertools
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.serialization import deserialize_message

from kata_nodes import qos
from kata_nodes.services import Services

__all__ = ["Observer"]


class Observer:
    """Hears topics in a thread of its own; messages stay serialised until somebody looks.

    Args:
        topics: Message class by topic.
    """

    def __init__(self, topics: Mapping[str, Any]) -> None:
        """Join the graph and listen."""
        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        self.node = Node("observer", context=self._context)
        self._kinds = dict(topics)
        self._heard: dict[str, list[tuple[int, bytes]]] = {topic: [] for topic in topics}
        self._numbers: dict[str, list[tuple[int, int]]] = {topic: [] for topic in topics}
        self._newest: dict[str, tuple[int, bytes]] = {}
        self._services = Services(self.node, {})
        for topic, kind in topics.items():
            self.node.create_subscription(kind, topic, partial(self._note, topic), qos.RECORD, raw=True)
        self._doomed: list[Any] = []
        self._loop = SingleThreadedExecutor(context=self._context)
        self._loop.add_node(self.node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._ending = False
        self._thread.start()

    def _spin(self) -> None:
        while not self._ending:
            self._loop.spin_once(timeout_sec=0.1)
            while self._doomed:
                self.node.destroy_publisher(self._doomed[-1])
                self._doomed.pop()

    def _note(self, topic: str, data: bytes, info: Mapping[str, int]) -> None:
        self._newest[topic] = (info["source_timestamp"], data)
        self._heard[topic].append(self._newest[topic])
        self._numbers[topic].append((info["source_timestamp"], info["publication_sequence_number"]))

    def last(self, topic: str, since: int = 0) -> Any:
        """Return the newest message if it was sent after a system time [ns], else None."""
        at, data = self._newest.get(topic, (0, b""))
        return deserialize_message(data, self._kinds[topic]) if at > since else None

    def first(self, topic: str, since: int) -> int:
        """Return when the first message after a system time was sent, [ns] both; one must have been heard."""
        return next(at for at, _ in self._heard[topic] if at > since)

    def peek(self, topic: str) -> list[tuple[int, Any]]:
        """Return what `take` would, and leave it there."""
        return [(at, deserialize_message(data, self._kinds[topic])) for at, data in list(self._heard[topic])]

    def gap(self, topic: str, start: int, end: int) -> float | None:
        """Return the longest time between two messages that one publisher sent one after the other [ms], None if there are none.

        Of a message that the observer did not hear, nothing is known: it must not be told as one that was not sent.

        Args:
            topic: The topic.
            start: System time from which on they were sent [ns].
            end: System time until which.
        """
        sent = [(at, number) for at, number in self._numbers[topic] if start < at < end]
        steps = [b[0] - a[0] for a, b in itertools.pairwise(sent) if b[1] == a[1] + 1]
        return max(steps) * 1e-6 if steps else None

    def take(self, topic: str) -> list[tuple[int, Any]]:
        """Return what was heard since the last time: (system time at which it was sent [ns], message)."""
        heard, self._heard[topic], self._numbers[topic] = self._heard[topic], [], []
        return [(at, deserialize_message(data, self._kinds[topic])) for at, data in heard]

    def destroy(self, publisher: Any) -> None:
        """Destroy a publisher between two turns of the executor, which must not meet it half gone; return when it is."""
        self._doomed.append(publisher)
        self.until(lambda: not self._doomed, 5.0)

    def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until a condition holds or time is up; return whether it holds."""
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            time.sleep(0.004)
        return condition()

    def call(self, kind: Any, name: str, request: Any = None, seconds: float = 60.0) -> Any:
        """Call a service until it answers: requests to a node that was killed go nowhere."""
        self._services.know(name, kind)
        question = self._services.ask(name, request or kind.Request())
        if self.until(lambda: question.look() is not None, seconds):
            return question.answer
        question.end()
        raise TimeoutError(f"no answer of {name} by {self._services.whose(name)} within {seconds:g} s")

    def close(self) -> None:
        """Leave the graph."""
        self._ending = True
        self._thread.join()
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)
