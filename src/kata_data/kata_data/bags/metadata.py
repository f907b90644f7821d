# SPDX-License-Identifier: Apache-2.0
"""``metadata.yaml`` of a bag as rosbag2 writes it (version 9, rosbag2 0.26 and later)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import yaml

__all__ = ["PARTIAL", "TopicSummary", "is_sound", "metadata_text", "sealed"]

_SEAL = "seal"

PARTIAL = ".partial-"
"""Prefix of folders that are being written, or were when their recorder died."""


@dataclass(frozen=True, slots=True)
class TopicSummary:
    """What metadata.yaml says of a topic.

    Attributes:
        name: Full name, such as ``/joint_states``.
        type: Such as ``sensor_msgs/msg/JointState``.
        type_hash: REP 2011 hash, ``RIHS01_…``.
        qos: What its publishers offered, in rosbag2's form.
        count: Number of messages.
    """

    name: str
    type: str
    type_hash: str
    qos: Sequence[Mapping[str, Any]]
    count: int


def metadata_text(
    file: str, topics: Sequence[TopicSummary], span: tuple[int, int], custom: Mapping[str, str], distro: str
) -> str:
    """Return the text of ``metadata.yaml``.

    Args:
        file: Name of the one MCAP file.
        topics: Topics with their numbers of messages.
        span: First and last receive stamp [ns].
        custom: Free pairs of text; what Kata knows of the episode.
        distro: Name of the ROS distribution.
    """
    count = sum(topic.count for topic in topics)
    start = {"nanoseconds_since_epoch": span[0]}
    duration = {"nanoseconds": span[1] - span[0]}
    information = {
        "version": 9,
        "storage_identifier": "mcap",
        "duration": duration,
        "starting_time": start,
        "message_count": count,
        "topics_with_message_count": [{"topic_metadata": _topic(topic), "message_count": topic.count} for topic in topics],
        "compression_format": "",
        "compression_mode": "",
        "relative_file_paths": [file],
        "files": [{"path": file, "starting_time": start, "duration": duration, "message_count": count}],
        "custom_data": dict(custom),
        "ros_distro": distro,
    }
    return str(yaml.dump({"rosbag2_bagfile_information": information}, Dumper=_NoAliases, sort_keys=False))


def sealed(pairs: Mapping[str, str]) -> dict[str, str]:
    """Return metadata with a checksum of it, since MCAP has none for its metadata records."""
    return {**pairs, _SEAL: _checksum(pairs)}


def is_sound(pairs: Mapping[str, str]) -> bool:
    """Return whether metadata is as it was sealed; what has no seal is believed."""
    rest = {key: value for key, value in pairs.items() if key != _SEAL}
    return _SEAL not in pairs or pairs[_SEAL] == _checksum(rest)


def _checksum(pairs: Mapping[str, str]) -> str:
    return f"{crc32(json.dumps(sorted(pairs.items())).encode()):08x}"


class _NoAliases(yaml.SafeDumper):
    """Write equal parts out each time, as rosbag2 does."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _topic(topic: TopicSummary) -> dict[str, Any]:
    return {
        "name": topic.name,
        "type": topic.type,
        "serialization_format": "cdr",
        "offered_qos_profiles": [dict(entry) for entry in topic.qos],
        "type_description_hash": topic.type_hash,
    }
