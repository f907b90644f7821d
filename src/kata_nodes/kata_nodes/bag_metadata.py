# SPDX-License-Identifier: Apache-2.0
"""What a bag says of its topics: types and the quality of service that publishers offer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rclpy.duration import Duration
from rclpy.qos import QoSProfile

from kata_core.recording import TopicSummary
from kata_nodes.interfaces import MessageType

__all__ = ["BagTopic", "qos_entry"]


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

    def summary(self, count: int) -> TopicSummary:
        """Return what metadata.yaml says of the topic after so many messages."""
        return TopicSummary(self.name, self.type.name, self.type.type_hash, self.qos, count)


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


def _duration(duration: Duration) -> dict[str, int]:
    sec, nsec = divmod(duration.nanoseconds, 1_000_000_000)
    return {"sec": sec, "nsec": nsec}
