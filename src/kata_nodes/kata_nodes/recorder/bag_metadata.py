# SPDX-License-Identifier: Apache-2.0
"""What a bag says of the quality of service that publishers offer."""

from typing import Any

from rclpy.duration import Duration
from rclpy.qos import QoSProfile

from kata_data.bags.definitions import BagTopic

__all__ = ["BagTopic", "qos_entry"]


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
