# SPDX-License-Identifier: Apache-2.0
"""Node `replay`: sends a recorded `target` or `frames` through the graph again, at its original timing."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rclpy.node import Node
from rclpy.serialization import deserialize_message

from kata_data.bags.reader import Stream, read_bag
from kata_model.config.params import param
from kata_model.errors import DataError
from kata_nodes import params, qos
from kata_nodes.convert import from_time, to_time
from kata_nodes.interfaces import message_type
from kata_nodes.spin import run


@dataclass(frozen=True)
class NodeConfig:
    """Parameters of the node."""

    bag: str = param("", doc="Folder of an episode.")
    topic: str = param("target", choices=("target", "frames"), doc="What is sent again.")
    delay: float = param(1.0, unit="s", low=0.0, high=60.0, doc="Time from the first tick of the clock to the first message.")


class ReplayNode(Node):
    """Publishes each message at its time, restamped so that its age is what it was; ends after the last."""

    exit_code: int | None = None

    def __init__(self, **options: Any) -> None:
        """Read the bag and wait for the clock."""
        super().__init__("replay", **options)
        self._config = params.declare(self, NodeConfig)
        self._stream = read_topic(Path(self._config.bag), self._config.topic)
        self._next = 0
        self._shift: int | None = None
        self._type = message_type(self._stream.kind).python
        self._publisher = self.create_publisher(self._type, self._config.topic, qos.STREAM)
        self.create_timer(0.002, self._tick)

    def _tick(self) -> None:
        now = self.get_clock().now().nanoseconds
        if self._shift is None:
            self._shift = now + round(self._config.delay * 1e9) - int(self._stream.received[0])
        while self._next < len(self._stream) and self._stream.received[self._next] + self._shift <= now:
            self._publisher.publish(self._restamped(self._stream.data[self._next], self._shift))
            self._next += 1
        if self._next == len(self._stream):
            self.get_logger().info(f"replayed {self._next} messages")
            self.exit_code = 0

    def _restamped(self, data: bytes, shift: int) -> Any:
        message = deserialize_message(data, self._type)
        message.header.stamp = to_time(from_time(message.header.stamp) + shift)
        return message


def read_topic(bag: Path, topic: str) -> Stream:
    """Return the messages of one topic in the order in which they were received.

    Raises:
        DataError: The bag is missing, cut off, or holds no such topic.
    """
    if not bag.is_dir():
        raise DataError("no bag there", where=str(bag), fix="give the folder of an episode, e.g. runs/bags/episode_0000")
    return read_bag(bag, [topic]).stream(topic)


def main() -> None:
    """Run the node."""
    sys.exit(run(ReplayNode))
