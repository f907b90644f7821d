# SPDX-License-Identifier: Apache-2.0
"""What the safety node hears of a floating base: its motion on `odom`, and its tilt by `imu`."""

from dataclasses import replace

from nav_msgs.msg import Odometry
from rclpy.node import Node
from sensor_msgs.msg import Imu

from kata_model import JointState, RobotModel
from kata_model.base_motion import BaseMotion
from kata_nodes import qos
from kata_nodes.latest import Latest
from kata_nodes.odometry import base_from, orientation_from
from kata_safety import UNKNOWN_BASE, BaseState, StabilityMonitor

__all__ = ["BaseWatch"]


class BaseWatch:
    """Says how the base stands; an `odom` that grows old makes it unknown, which stops the robot."""

    def __init__(self, node: Node, robot: RobotModel, deadline: float) -> None:
        """Listen.

        Args:
            node: The safety node.
            robot: The robot.
            deadline: Largest age of `odom` that is trusted [s].
        """
        self._node, self._standing, self._deadline = node, StabilityMonitor(robot), round(deadline * 1e9)
        self._motion: BaseMotion | None = None
        self._imu = Latest(node, Imu, "imu")
        node.create_subscription(Odometry, "odom", self._on_odom, qos.LATEST)

    def _on_odom(self, message: Odometry) -> None:
        self._motion = base_from(message)

    @property
    def missing(self) -> bool:
        """Whether nothing was ever heard of the base."""
        return self._motion is None

    @property
    def motion(self) -> BaseMotion | None:
        """The base's motion; None if it is not known, or old."""
        if self._motion is None:
            return None
        age = abs(self._node.get_clock().now().nanoseconds - self._motion.stamp)
        return None if age > self._deadline else self._motion

    def state(self, joints: JointState | None) -> BaseState:
        """Return how the robot stands with these joints; the worse of two tilts counts."""
        motion = self.motion
        if motion is None or joints is None:
            return UNKNOWN_BASE
        base, measured = self._standing.look(joints, motion), self._imu.read()
        if measured is None:
            return base
        tilt = self._standing.sensed_tilt(joints, orientation_from(measured.orientation), measured.header.frame_id)
        return base if tilt is None else replace(base, tilt=max(base.tilt, tilt))
