# SPDX-License-Identifier: Apache-2.0
"""Write an episode that was not spoken over a graph as the recorder node would have: same topics, types and facts."""

import json
import socket
from collections.abc import Mapping
from pathlib import Path

from kata_data.bags.bag_writer import BagWriter
from kata_data.bags.definitions import BagTopic, message_definition
from kata_data.recording import load_streams
from kata_model.robot import RobotModel
from kata_model.version import code_version

__all__ = ["HEAD_TOPIC", "BagRecorder"]

HEAD_TOPIC = "camera/head/image_raw/compressed"
_MARKS = "episode/marks"

_FOREVER = {"sec": 9223372036, "nsec": 854775807}
_QOS = {
    "history": "unknown",
    "depth": 0,
    "reliability": "best_effort",
    "durability": "volatile",
    "deadline": _FOREVER,
    "lifespan": _FOREVER,
    "liveliness": "automatic",
    "liveliness_lease_duration": _FOREVER,
    "avoid_ros_namespace_conventions": False,
}
"""What the graph's publishers of samples offer (kata_nodes.qos.STREAM), as their discovery tells it."""


_RAW, _JPEG = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"


class BagRecorder:
    """One episode's bag, under a temporary name until it is saved."""

    def __init__(self, robot: RobotModel, folder: Path, facts: Mapping[str, str], now: int) -> None:
        """Open the bag.

        Args:
            robot: The robot that is recorded.
            folder: Final folder of the bag.
            facts: What is known of the episode at its start.
            now: Simulated time [ns].

        Raises:
            DataError: The folder exists or cannot be written.
            ConfigError: The workspace's messages are not installed.
        """
        name = robot.description.name
        # As the recorder of the graph keeps them: pictures compressed, whether a camera sends them so or not.
        specs = [(spec.topic, spec.type) for spec in load_streams(str(robot.description.folder))]
        streams = {f"{topic}/compressed" if kind == _RAW else topic: _JPEG if kind == _RAW else kind for topic, kind in specs}
        kinds = {**streams, _MARKS: "kata_msgs/msg/EpisodeMark"}
        topics = [BagTopic(f"/{topic}", message_definition(kind), (_QOS,)) for topic, kind in kinds.items()]
        about = {"kata_version": code_version(), "host": socket.gethostname(), "clock": "lockstep", "pretrigger": "0"}
        self._facts = {**about, "robot": name, **facts, "start_stamp": str(now)}
        self._bag = BagWriter(folder, topics, self._facts)
        self._counts: dict[str, int] = {}

    def write(self, topic: str, data: bytes, now: int) -> None:
        """Add a message that was sent and came at a simulated time [ns].

        Raises:
            OSError: The disk refuses.
        """
        self._bag.write(f"/{topic}", data, now)
        self._counts[topic] = self._counts.get(topic, 0) + 1

    def save(self, facts: Mapping[str, str], now: int) -> Path:
        """Complete the bag and return its folder.

        Raises:
            OSError: The disk refuses.
        """
        counts = {f"/{topic}": {"received": n, "lost": 0, "refused": 0} for topic, n in self._counts.items()}
        end = {"streams": json.dumps(counts), "lost": "0", "marks": "0", "stop_stamp": str(now), "write_lag_p99_ms": "0"}
        return self._bag.save({**self._facts, **end, **facts})

    def discard(self) -> None:
        """Remove the bag."""
        self._bag.discard()
