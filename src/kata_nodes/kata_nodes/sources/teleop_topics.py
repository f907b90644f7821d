# SPDX-License-Identifier: Apache-2.0
"""What every teleop node has in common: the robot's joints and stops, frames, targets, a heartbeat."""

from rclpy.node import Node
from std_msgs.msg import Bool, Empty

from kata_model import JointCommand, JointState, RobotModel, Status
from kata_msgs.msg import Verdict
from kata_nodes import qos
from kata_nodes.clocks import steady_time
from kata_nodes.convert import JointConverter
from kata_nodes.latest import Latest
from kata_nodes.retarget.commanded import Commanded
from kata_nodes.teleop_publisher import TeleopPublisher
from kata_teleop.engage import Cause, EngageStatus, Heartbeat, Phase, TeleopOutput

__all__ = ["TeleopTopics"]


class TeleopTopics:
    """Hears and publishes for a source; its heartbeat ends where a loss lasts, so that safety stops."""

    def __init__(self, node: Node, source: str, robot: RobotModel, lost_time: float) -> None:
        """Join; lost_time is how long being lost is only held [s]."""
        self._node = node
        self._robot_is, self._verdicts = Commanded(node, JointConverter(robot.layout)), Latest(node, Verdict, "verdict")
        self._commands = TeleopPublisher(node, source, robot)
        self._button = node.create_publisher(Bool, "safety/estop", qos.EVENT)
        self._beat = node.create_publisher(Empty, "operator/heartbeat", qos.STREAM)
        self._heart, self._ever, self._steady = Heartbeat(lost_time), False, steady_time(node)

    def now(self) -> int:
        """Return the robot's time [ns]."""
        return int(self._node.get_clock().now().nanoseconds)

    def state(self) -> JointState | None:
        """Return the robot's joints as they are commanded, or measured; None before they were heard."""
        return self._robot_is.state()

    def stopped(self) -> bool:
        """Return whether safety has stopped the robot, or is stopping it."""
        message = self._verdicts.read()
        return message is not None and message.status in (Status.STOPPED, Status.STOPPING)

    def refusal(self) -> str:
        """Return why nobody may engage, or an empty string."""
        return Cause.STOPPED if self.stopped() else ""

    def publish(self, output: TeleopOutput) -> None:
        """Publish what the person asks for."""
        self._commands.publish(output)
        if output.estop:
            self._button.publish(Bool(data=True))

    def publish_target(self, target: JointCommand) -> None:
        """Wish for joint positions."""
        self._commands.publish_target(target)

    def tell(self, status: EngageStatus, lost_since: int | None) -> None:
        """Say where the engage contract stands, and that the person is well, if so."""
        self._commands.publish_engage(status)
        self._ever = self._ever or status.phase is Phase.ENGAGED
        if self._heart.beats(lost_since, self.stopped(), self._steady()) and self._ever:
            self._beat.publish(Empty())
