# SPDX-License-Identifier: Apache-2.0
"""The quality-of-service profiles of all topics, by purpose."""

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

__all__ = ["EVENT", "LATCHED", "LATEST", "RECORD", "RECORD_IMAGES", "STREAM"]


def _keep_last(
    depth: int, reliability: ReliabilityPolicy, durability: DurabilityPolicy = DurabilityPolicy.VOLATILE
) -> QoSProfile:
    return QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=depth, reliability=reliability, durability=durability)


STREAM = _keep_last(10, ReliabilityPolicy.BEST_EFFORT)
"""Publishers of periodic samples: a late one is worth nothing, and a slow reader must never block a control loop."""

LATEST = _keep_last(1, ReliabilityPolicy.BEST_EFFORT)
"""Subscribers that act on the newest sample alone."""

RECORD = _keep_last(1000, ReliabilityPolicy.BEST_EFFORT)
"""The recorder: best effort matches every publisher, and the depth bridges a slow disk for 2 s at 500 Hz."""

RECORD_IMAGES = _keep_last(60, ReliabilityPolicy.BEST_EFFORT)
"""The recorder, of pictures: 2 s at 30 Hz; 1000 raw ones would take a gigabyte."""

EVENT = _keep_last(10, ReliabilityPolicy.RELIABLE)
"""Rare messages that must arrive."""

LATCHED = _keep_last(1, ReliabilityPolicy.RELIABLE, DurabilityPolicy.TRANSIENT_LOCAL)
"""States that change rarely: who subscribes late gets the last one."""
