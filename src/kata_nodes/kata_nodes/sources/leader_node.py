# SPDX-License-Identifier: Apache-2.0
"""Node `leader`: another arm's joint states, which the robot's joints repeat."""

import sys
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import JointState as JointStateMsg
from std_srvs.srv import SetBool

from kata_model import load_robot
from kata_model.config.params import param
from kata_nodes import params, qos
from kata_nodes.clocks import steady_clock, steady_time
from kata_nodes.sources.teleop_topics import TeleopTopics
from kata_nodes.spin import run
from kata_teleop.engage import Cause, EngageConfig, LeaderArm, LeaderConfig, Phase, parse_joint_map


@dataclass(frozen=True)
class NodeConfig:
    """Parameters of the node, beside those of `LeaderConfig`."""

    robot: str = param("g1", doc="Name or path of the robot's folder of data.")
    joint_map: tuple[str, ...] = param(("",), doc="LEADER_JOINT ROBOT_JOINT [SCALE [OFFSET]], an entry a joint.")


class LeaderNode(Node):
    """Publishes `target` while ``~/engage`` is on and leader and robot agree."""

    def __init__(self, **options: Any) -> None:
        """Read parameters and wait for the leader."""
        super().__init__("leader", **options)
        config, own = params.declare(self, NodeConfig), params.declare(self, LeaderConfig)
        robot = load_robot(config.robot)
        self._engage = EngageConfig(
            mode="hold", max_mismatch=own.max_mismatch, max_silence=own.max_silence, max_turn=own.max_speed
        )
        self._arm = LeaderArm(robot, parse_joint_map([entry for entry in config.joint_map if entry]), self._engage)
        self._graph = TeleopTopics(self, "leader", robot, self._engage.lost_time)
        self._steady = steady_time(self)
        self._wanted, self._heard = False, self._steady()
        self.create_subscription(JointStateMsg, "leader/joint_states", self._on_leader, qos.LATEST)
        self.create_service(SetBool, "~/engage", self._on_engage)
        self.create_timer(0.05, self._look, clock=steady_clock(self))

    def _on_engage(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        response.message = self._arm.complaint if request.data else ""
        self._wanted = request.data and not response.message
        response.success = not response.message
        return response

    def _on_leader(self, message: JointStateMsg) -> None:
        self._heard = now = self._steady()
        graph = self._graph
        positions = dict(zip(message.name, message.position, strict=False))
        target = self._arm.step(positions, graph.now(), self._wanted, graph.state(), now, refusal=graph.refusal())
        if target is not None:
            graph.publish_target(target)
        elif self._arm.status().phase is Phase.LOST:
            self._wanted = False  # what was lost is engaged anew, by somebody who looks

    def _look(self) -> None:
        now = self._steady()
        if now - self._heard > self._engage.max_silence * 1e9:
            self._arm.idle(now, fault=Cause.SILENT)
        if self._arm.complaint:
            self.get_logger().info(self._arm.complaint, throttle_duration_sec=2.0)
        self._graph.tell(self._arm.status(), self._arm.lost_since)


def main() -> None:
    """Run the node."""
    sys.exit(run(LeaderNode))
