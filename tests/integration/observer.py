# SPDX-License-Identifier: Apache-2.0
"""One process that hears everything and notes when, by one monotonic clock, whatever the test does meanwhile."""

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
        self._newest: dict[str, tuple[int, bytes]] = {}
        self._clients: dict[str, Any] = {}
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

    def _note(self, topic: str, data: bytes) -> None:
        self._newest[topic] = (time.monotonic_ns(), data)
        self._heard[topic].append(self._newest[topic])

    def last(self, topic: str, since: int = 0) -> Any:
        """Return the newest message that came after a monotonic time [ns], None if none did."""
        at, data = self._newest.get(topic, (0, b""))
        return deserialize_message(data, self._kinds[topic]) if at > since else None

    def first(self, topic: str, since: int) -> int:
        """Return when the first message came after a monotonic time, [ns] both; one must have come."""
        return next(at for at, _ in self._heard[topic] if at > since)

    def take(self, topic: str) -> list[tuple[int, Any]]:
        """Return what was heard since the last time: (monotonic time [ns], message)."""
        heard, self._heard[topic] = self._heard[topic], []
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
        client = self._clients.get(name) or self._clients.setdefault(name, self.node.create_client(kind, name))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.until(client.service_is_ready, 1.0):
                future = client.call_async(request or kind.Request())
                if self.until(future.done, 1.0):
                    return future.result()
        raise TimeoutError(f"no answer of {name} within {seconds:g} s")

    def close(self) -> None:
        """Leave the graph."""
        self._ending = True
        self._thread.join()
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)
