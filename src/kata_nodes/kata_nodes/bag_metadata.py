# SPDX-License-Identifier: Apache-2.0
"""``metadata.yaml`` of a bag as rosbag2 writes it (version 9, rosbag2 0.26 and later)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from rclpy.duration import Duration
from rclpy.qos import QoSProfile

from kata_nodes.interfaces import MessageType

__all__ = ["BagTopic", "metadata_text", "qos_entry"]


@dataclass(frozen=True, slots=True)
class BagTopic:
    """A topic of a bag.

    Attributes:
        name: Full name, such as ``/joint_states``.
        type: Its message type.
        qos: What its publishers offer, see `qos_entry`.
    """

    name: str
    type: MessageType
    qos: Sequence[Mapping[str, Any]] = ()


def qos_entry(profile: QoSProfile) -> dict[str, Any]:
    """Return a profile as rosbag2 stores it."""
    return {
        "history": profile.history.name.lower(),
        "depth": profile.depth,
        "reliability": profile.reliability.name.lower(),
        "durability": profile.durability.name.lower(),
        "deadline": _duration(profile.deadline),
        "lifespan": _duration(profile.lifespan),
        "liveliness": profile.liveliness.name.lower(),
        "liveliness_lease_duration": _duration(profile.liveliness_lease_duration),
        "avoid_ros_namespace_conventions": profile.avoid_ros_namespace_conventions,
    }


def metadata_text(
    file: str, topics: Sequence[tuple[BagTopic, int]], span: tuple[int, int], custom: Mapping[str, str], distro: str
) -> str:
    """Return the text of ``metadata.yaml``.

    Args:
        file: Name of the one MCAP file.
        topics: Topics with their numbers of messages.
        span: First and last receive stamp [ns].
        custom: Free pairs of text; Kata's facts about the episode.
        distro: Name of the ROS distribution.
    """
    count = sum(n for _, n in topics)
    start = {"nanoseconds_since_epoch": span[0]}
    duration = {"nanoseconds": span[1] - span[0]}
    information = {
        "version": 9,
        "storage_identifier": "mcap",
        "duration": duration,
        "starting_time": start,
        "message_count": count,
        "topics_with_message_count": [{"topic_metadata": _topic(topic), "message_count": n} for topic, n in topics],
        "compression_format": "",
        "compression_mode": "",
        "relative_file_paths": [file],
        "files": [{"path": file, "starting_time": start, "duration": duration, "message_count": count}],
        "custom_data": dict(custom),
        "ros_distro": distro,
    }
    return str(yaml.dump({"rosbag2_bagfile_information": information}, Dumper=_NoAliases, sort_keys=False))


class _NoAliases(yaml.SafeDumper):
    """Write equal parts out each time, as rosbag2 does."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _topic(topic: BagTopic) -> dict[str, Any]:
    return {
        "name": topic.name,
        "type": topic.type.name,
        "serialization_format": "cdr",
        "offered_qos_profiles": [dict(entry) for entry in topic.qos],
        "type_description_hash": topic.type.type_hash,
    }


def _duration(duration: Duration) -> dict[str, int]:
    sec, nsec = divmod(duration.nanoseconds, 1_000_000_000)
    return {"sec": sec, "nsec": nsec}
