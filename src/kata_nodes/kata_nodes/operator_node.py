# SPDX-License-Identifier: Apache-2.0
"""Node `operator`: a scripted person with a VR controller, who brings the robot's palm to the task's goal."""

import sys
from dataclasses import dataclass

from rclpy.node import Node
from sensor_msgs.msg import JointState as JointStateMsg
from std_srvs.srv import SetBool

from kata_core import load_robot
from kata_core.arrays import FloatArray
from kata_core.params import param
from kata_core.scripted_operator import OperatorConfig, ScriptedOperator
from kata_msgs.msg import HumanFrames as HumanFramesMsg
from kata_msgs.msg import TaskState
from kata_nodes import params, qos
from kata_nodes.convert import JointConverter, frames_to, objects_from
from kata_nodes.latest import Latest
from kata_nodes.spin import run


@dataclass(frozen=True)
class NodeConfig:
    """Parameters of the node, beside those of `OperatorConfig`."""

    robot: str = param("g1", doc="Name or path of the robot's folder of data.")
    palm: str = param("right_palm", doc="Frame of the robot that the person wants at the goal.")
    goal: str = param("goal", doc="Object of the task that the person reaches for.")
    rate: float = param(60.0, unit="Hz", low=1.0, high=240.0, doc="Rate of the tracker.")


class OperatorNode(Node):
    """Publishes `frames` like a VR system; moves only between ``~/engage`` true and false."""

    def __init__(self) -> None:
        """Read parameters and start tracking."""
        super().__init__("operator")
        self._config = params.declare(self, NodeConfig)
        self._person = ScriptedOperator(params.declare(self, OperatorConfig))
        self._robot = load_robot(self._config.robot)
        self._robot.frame_id(self._config.palm)
        self._joints = JointConverter(self._robot.layout)
        self._frames = self.create_publisher(HumanFramesMsg, "frames", qos.STREAM)
        self._state = Latest(self, JointStateMsg, "joint_states")
        self._task = Latest(self, TaskState, "task/state")
        self.create_service(SetBool, "~/engage", self._on_engage)
        self.create_timer(1.0 / self._config.rate, self._tick)

    def _palm(self) -> FloatArray | None:
        """Return where the robot's palm is, shape (3,), [m], base frame; None while no joint state has come in."""
        message = self._state.read()
        state = self._joints.state_from(message).value if message else None
        return None if state is None else self._robot.frame_poses(state.position, (self._config.palm,))[0].translation

    def _goal(self) -> FloatArray | None:
        message = self._task.read()
        return objects_from(message).get(self._config.goal) if message else None

    def _on_engage(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        response.success = not request.data or (self._palm() is not None and self._goal() is not None)
        response.message = "" if response.success else f"sees no {self._config.goal} or no robot: is task/state published?"
        if not request.data:
            self._person.disengage()
        elif response.success:
            self._person.engage(self.get_clock().now().nanoseconds)
        return response

    def _tick(self) -> None:
        now = self.get_clock().now().nanoseconds
        self._frames.publish(frames_to(self._person.step(self._goal(), self._palm(), now)))


def main() -> None:
    """Run the node."""
    sys.exit(run(OperatorNode))
