# SPDX-License-Identifier: Apache-2.0
"""Node `operator`: a scripted person with VR controllers, who shows a task to the robot."""

import sys
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import JointState as JointStateMsg
from std_srvs.srv import SetBool

from kata_model import load_robot
from kata_model.arrays import FloatArray
from kata_model.config.params import param
from kata_msgs.msg import HumanFrames as HumanFramesMsg
from kata_msgs.msg import TaskState
from kata_nodes import params, qos
from kata_nodes.convert import JointConverter, frames_to, objects_from
from kata_nodes.latest import Latest
from kata_nodes.sources.engage_teller import EngageTeller
from kata_nodes.spin import run
from kata_nodes.ticking import every
from kata_teleop.scripted import PersonConfig, make_person, palms_of


@dataclass(frozen=True)
class NodeConfig:
    """Parameters of the node, beside those of `PersonConfig`."""

    robot: str = param("g1", doc="Name or path of the robot's folder of data.")
    task: str = param("", doc="Name of the task that the person shows; empty for reach.")
    rate: float = param(60.0, unit="Hz", low=1.0, high=240.0, doc="Rate of the tracker.")


class OperatorNode(Node):
    """Publishes `frames` like a VR system; moves only between ``~/engage`` true and false."""

    def __init__(self, **options: Any) -> None:
        """Read parameters and start tracking."""
        super().__init__("operator", **options)
        self._config = params.declare(self, NodeConfig)
        self._person = make_person(self._config.task or "reach", params.declare(self, PersonConfig))
        self._robot = load_robot(self._config.robot)
        self._joints = JointConverter(self._robot.layout)
        self._frames = self.create_publisher(HumanFramesMsg, "frames", qos.STREAM)
        self._engaged = EngageTeller(self, "operator")
        self._state = Latest(self, JointStateMsg, "joint_states")
        self._task = Latest(self, TaskState, "task/state")
        self.create_service(SetBool, "~/engage", self._on_engage)
        every(self, 1.0 / self._config.rate, self._tick)

    def _palms(self) -> dict[str, FloatArray]:
        """Return the palms' poses by hand, shape (7,), base frame; none while no joint state has come in."""
        message = self._state.read()
        state = self._joints.state_from(message).value if message else None
        return {} if state is None else palms_of(self._robot, state.position)

    def _objects(self) -> dict[str, FloatArray]:
        message = self._task.read()
        return objects_from(message) if message else {}

    def _on_engage(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        anew = request.data and not self._person.engaged  # a repeated request changes nothing
        missing = self._person.missing(self._objects(), self._palms()) if anew else ""
        response.success = not missing
        response.message = f"sees no {missing}: is task/state published?" if missing else ""
        if not request.data:
            self._person.disengage()
        elif anew and response.success:
            self._person.engage(self.get_clock().now().nanoseconds)
        return response

    def _tick(self, now: int) -> None:
        self._frames.publish(frames_to(self._person.step(self._objects(), self._palms(), now)))
        self._engaged.tell(self._person.engaged)


def main() -> None:
    """Run the node."""
    sys.exit(run(OperatorNode))
