# SPDX-License-Identifier: Apache-2.0
"""Node `replay`: sends a recorded `target` or `frames` through the graph again, at its original timing."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcap.exceptions import McapError
from mcap.reader import make_reader
from rclpy.node import Node
from rclpy.serialization import deserialize_message

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


@dataclass(frozen=True, slots=True)
class Sample:
    """One message of a bag: when it was received [ns], its type and its bytes."""

    received: int
    type_name: str
    data: bytes


class ReplayNode(Node):
    """Publishes each message at its time, restamped so that its age is what it was; ends after the last."""

    exit_code: int | None = None

    def __init__(self, **options: Any) -> None:
        """Read the bag and wait for the clock."""
        super().__init__("replay", **options)
        self._config = params.declare(self, NodeConfig)
        self._samples = read_topic(Path(self._config.bag), self._config.topic)
        self._next = 0
        self._shift: int | None = None
        self._type = message_type(self._samples[0].type_name).python
        self._publisher = self.create_publisher(self._type, self._config.topic, qos.STREAM)
        self.create_timer(0.002, self._tick)

    def _tick(self) -> None:
        now = self.get_clock().now().nanoseconds
        if self._shift is None:
            self._shift = now + round(self._config.delay * 1e9) - self._samples[0].received
        while self._next < len(self._samples) and self._samples[self._next].received + self._shift <= now:
            self._publisher.publish(self._restamped(self._samples[self._next].data, self._shift))
            self._next += 1
        if self._next == len(self._samples):
            self.get_logger().info(f"replayed {self._next} messages")
            self.exit_code = 0

    def _restamped(self, data: bytes, shift: int) -> Any:
        message = deserialize_message(data, self._type)
        message.header.stamp = to_time(from_time(message.header.stamp) + shift)
        return message


def read_topic(bag: Path, topic: str) -> list[Sample]:
    """Return the messages of one topic in the order in which they were received.

    Raises:
        DataError: The bag is missing, cut off, or holds no such topic.
    """
    files = sorted(bag.glob("*.mcap"))
    if not files:
        raise DataError("no bag there", where=str(bag), fix="give the folder of an episode, e.g. runs/bags/episode_0000")
    try:
        samples = [sample for file in files for sample in _messages(file, topic)]
    except (McapError, EOFError, OSError) as error:
        raise DataError(f"the bag cannot be read: {error}", where=str(bag)) from error
    if not samples:
        raise DataError(f"the bag holds no {topic}", where=str(bag))
    return samples


def _messages(file: Path, topic: str) -> Iterator[Sample]:
    with file.open("rb") as stream:
        for schema, channel, message in make_reader(stream).iter_messages():
            if schema is not None and channel.topic.endswith(f"/{topic}"):
                yield Sample(message.log_time, schema.name, message.data)


def main() -> None:
    """Run the node."""
    sys.exit(run(ReplayNode))
