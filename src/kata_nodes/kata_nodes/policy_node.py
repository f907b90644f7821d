# SPDX-License-Identifier: Apache-2.0
"""Node `policy`: a trained policy as a source of `target`."""

import sys
from dataclasses import dataclass
from pathlib import Path

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from sensor_msgs.msg import JointState as JointStateMsg
from std_srvs.srv import SetBool

from kata_core import JointState, load_robot
from kata_core.errors import ConfigError
from kata_core.params import param
from kata_core.policy.onnx_policy import OnnxPolicy
from kata_core.policy.pilot import Pilot
from kata_msgs.msg import JointCommand as JointCommandMsg
from kata_msgs.msg import TaskState
from kata_nodes import params, qos
from kata_nodes.convert import JointConverter, objects_from
from kata_nodes.doubts import Doubts
from kata_nodes.latest import Latest
from kata_nodes.spin import run


@dataclass(frozen=True)
class NodeConfig:
    """Parameters of the node."""

    robot: str = param("g1", doc="Name or path of the robot's folder of data.")
    policy: str = param("", doc="Path of the policy (.onnx).")
    decay: float = param(0.01, low=-10.0, high=10.0, doc="Weighting of overlapping chunks; see TemporalEnsemble.")


class PolicyNode(Node):
    """Asks the policy at its own rate, while engaged by ``~/engage``."""

    def __init__(self) -> None:
        """Load the policy, which checks that it fits the robot."""
        super().__init__("policy")
        config = params.declare(self, NodeConfig)
        if not config.policy:
            raise ConfigError("no policy given", where="node policy", fix="set the parameter policy, e.g. policy:=policy.onnx")
        robot = load_robot(config.robot)
        policy = OnnxPolicy.load(Path(config.policy), robot)
        self._pilot = Pilot(robot, policy, config.decay)
        self._joints = JointConverter(robot.layout)
        self._targets = self.create_publisher(JointCommandMsg, "target", qos.STREAM)
        self._measured = Latest(self, JointStateMsg, "joint_states")
        self._task = Latest(self, TaskState, "task/state")
        self._doubts = Doubts(self, policy.contract.monitor)
        self.create_service(SetBool, "~/engage", self._on_engage)
        self.create_timer(1.0 / policy.contract.rate, self._tick)
        self.create_timer(1.0, self._doubts.publish, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _state(self) -> JointState | None:
        message = self._measured.read()
        return self._joints.state_from(message).value if message else None

    def _on_engage(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        response.message = self._pilot.engage(self._state()) if request.data else self._pilot.disengage()
        response.success = not response.message
        return response

    def _tick(self) -> None:
        task = self._task.read()
        target = self._pilot.step(self._state(), objects_from(task) if task else {})
        self._doubts.note(self._pilot.judgement)
        if target is not None:
            self._targets.publish(self._joints.command_to(target))


def main() -> None:
    """Run the node."""
    sys.exit(run(PolicyNode))
