# SPDX-License-Identifier: Apache-2.0
"""Publishes what a person asks for by teleoperation: `frames`, `target`, `cmd_vel`, and `engage/state`."""

from typing import Any

from geometry_msgs.msg import TwistStamped
from rclpy.node import Node

from kata_model import JointCommand, RobotModel
from kata_msgs.msg import EngageState
from kata_msgs.msg import HumanFrames as HumanFramesMsg
from kata_msgs.msg import JointCommand as JointCommandMsg
from kata_nodes import qos
from kata_nodes.convert import JointConverter, engage_to, frames_to, to_time
from kata_teleop.engage import EngageStatus, LinkMonitor, TeleopOutput, Twist

__all__ = ["TeleopPublisher"]

_TOPICS = {"frames": HumanFramesMsg, "target": JointCommandMsg, "cmd_vel": TwistStamped, "engage/state": EngageState}


class TeleopPublisher:
    """The one publisher of teleop commands, for every node that a person drives by.

    Args:
        node: The node.
        source: Its name as a source.
        robot: The robot that is driven.
        on_demand: Whether publishers are made when first used, by a node that may never be the source: a recorder would miss
            what never comes, others wait for a publisher of target.
    """

    def __init__(self, node: Node, source: str, robot: RobotModel, *, on_demand: bool = False) -> None:
        """Make the publishers."""
        self._node, self._source = node, source
        self._base, self._joints = robot.description.base_link, JointConverter(robot.layout)
        self._made: dict[str, Any] = {}
        for topic in () if on_demand else _TOPICS:
            self._on(topic)

    def _on(self, topic: str) -> Any:
        if topic not in self._made:
            self._made[topic] = self._node.create_publisher(_TOPICS[topic], topic, qos.STREAM)
        return self._made[topic]

    def _now(self) -> int:
        return int(self._node.get_clock().now().nanoseconds)

    def publish(self, output: TeleopOutput) -> None:
        """Publish where the led hands are, and what is asked for of single joints and the base."""
        self._on("frames").publish(frames_to(output.frames))
        if output.target is not None:
            self.publish_target(output.target)
        if output.twist is not None:
            self._publish_twist(output.twist)

    def publish_target(self, target: JointCommand) -> None:
        """Wish for joint positions."""
        self._on("target").publish(self._joints.command_to(target))

    def _publish_twist(self, twist: Twist) -> None:
        message = TwistStamped()
        message.header.stamp, message.header.frame_id = to_time(self._now()), self._base
        message.twist.linear.x, message.twist.linear.y, message.twist.angular.z = twist.forward, twist.left, twist.turn
        self._on("cmd_vel").publish(message)

    def publish_engage(self, status: EngageStatus, link: LinkMonitor | None = None) -> None:
        """Say where the engage contract stands; `link`: how well the person's samples come."""
        self._on("engage/state").publish(engage_to(self._now(), self._source, status, link))
