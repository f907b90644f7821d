# SPDX-License-Identifier: Apache-2.0
"""Node `retarget`: turns `frames` into `target`."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node

from kata_model import HumanFrames, JointCommand, JointState, load_robot
from kata_model.config.params import param
from kata_msgs.msg import HumanFrames as HumanFramesMsg
from kata_msgs.msg import JointCommand as JointCommandMsg
from kata_nodes import params, qos
from kata_nodes.clocks import in_lockstep
from kata_nodes.convert import JointConverter, frames_from
from kata_nodes.retarget.commanded import Commanded
from kata_nodes.spin import run
from kata_retarget import BodyRetargeter, HandsConfig, HandsRetargeter, RetargetConfig, Retargeted


@dataclass(frozen=True)
class NodeConfig:
    """Parameters of the node, beside those of `HandsConfig` or `RetargetConfig`."""

    robot: str = param("g1", doc="Name or path of the robot's folder of data.")
    mode: str = param("hands", choices=("hands", "body"), doc="hands: relative motion of tracked hands; body: the whole posture.")
    scale: float = param(1.0, unit="1", low=1.0, high=1.0, doc="Former second scale, for a release: the source scales hands.")


class RetargetNode(Node):
    """Publishes a target for each engaged sample that could be retargeted; its stamp is the sample's."""

    def __init__(self, **options: Any) -> None:
        """Read parameters and wait for frames."""
        super().__init__("retarget", **options)
        config = params.declare(self, NodeConfig)
        self._robot = load_robot(config.robot)
        self._joints = JointConverter(self._robot.layout)
        self._step = self._follower(config.mode)
        self._robot_is = Commanded(self, self._joints)
        self._targets = self.create_publisher(JointCommandMsg, "target", qos.STREAM)
        self.create_subscription(HumanFramesMsg, "frames", self._on_frames, qos.LATEST)

    def _follower(self, mode: str) -> Callable[[HumanFrames, JointState], Retargeted]:
        if mode == "hands":
            return HandsRetargeter(self._robot, params.declare(self, HandsConfig)).step
        self.get_logger().info("getting ready; the first time on a machine, kernels are compiled, which takes a minute or two")
        clock = (lambda: 0.0) if in_lockstep() else time.perf_counter  # no budget hangs on how busy the machine is
        body = BodyRetargeter(self._robot, params.declare(self, RetargetConfig), clock)
        return lambda frames, _: body.step(frames)

    def _on_frames(self, message: HumanFramesMsg) -> None:
        state = self._robot_is.state()
        if state is None:
            self.get_logger().info("waiting for joint_states", throttle_duration_sec=5.0)
            return
        frames = frames_from(message)
        result = self._step(frames, state)
        if result.reasons and frames.engaged:
            self.get_logger().debug(", ".join(result.reasons), throttle_duration_sec=2.0)
        if result.position is not None and frames.engaged:
            command = JointCommand.at(frames.stamp, result.position, self._robot.stiffness, self._robot.damping)
            self._targets.publish(self._joints.command_to(command))


def main() -> None:
    """Run the node."""
    sys.exit(run(RetargetNode))
