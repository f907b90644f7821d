# SPDX-License-Identifier: Apache-2.0
"""The motion of a floating base as a message and back; like `convert`, which is full."""

import numpy as np
from geometry_msgs.msg import Quaternion, Vector3
from nav_msgs.msg import Odometry

from kata_model.arrays import FloatArray
from kata_model.base_motion import BaseMotion
from kata_nodes.convert import from_time, to_time

__all__ = ["base_from", "odometry_to", "orientation_from", "vector_from"]


def odometry_to(base: BaseMotion, link: str) -> Odometry:
    """Return how the base moves as a message, from the world, REP 105's ``odom``, to the base link of that name."""
    message = Odometry(child_frame_id=link)
    message.header.stamp, message.header.frame_id = to_time(base.stamp), "odom"
    pose, twist = message.pose.pose, message.twist.twist
    for vector, values in (
        (pose.position, base.position),
        (twist.linear, base.linear_velocity),
        (twist.angular, base.angular_velocity),
    ):
        vector.x, vector.y, vector.z = values.tolist()
    o = pose.orientation
    o.x, o.y, o.z, o.w = base.orientation_xyzw.tolist()
    return message


def base_from(message: Odometry) -> BaseMotion:
    """Convert how the base moves; every message can be."""
    p, twist = message.pose.pose.position, message.twist.twist
    return BaseMotion(
        from_time(message.header.stamp),
        np.array([p.x, p.y, p.z]),
        orientation_from(message.pose.pose.orientation),
        vector_from(twist.linear),
        vector_from(twist.angular),
    )


def orientation_from(message: Quaternion) -> FloatArray:
    """Return a quaternion xyzw, shape (4,)."""
    return np.array([message.x, message.y, message.z, message.w])


def vector_from(message: Vector3) -> FloatArray:
    """Return a vector's components, shape (3,)."""
    return np.array([message.x, message.y, message.z])
