# SPDX-License-Identifier: Apache-2.0
"""Node `policy`: a trained policy as a source of `target`."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import JointState as JointStateMsg
from std_srvs.srv import SetBool

from kata_core import JointCommand, JointState, load_robot
from kata_core.errors import ConfigError
from kata_core.params import param
from kata_core.policy.ending import Ending, EndingConfig
from kata_core.policy.onnx_policy import OnnxPolicy
from kata_core.policy.pilot import Pilot
from kata_msgs.msg import JointCommand as JointCommandMsg
from kata_nodes import params, qos
from kata_nodes.clocks import steady_clock
from kata_nodes.convert import JointConverter
from kata_nodes.doubts import Doubts
from kata_nodes.inference import Inference
from kata_nodes.latest import Latest
from kata_nodes.punctuality import Punctuality
from kata_nodes.spin import run
from kata_nodes.surroundings import Surroundings
from kata_nodes.ticking import every

_STUCK = 2
"""Steps in a row without an answer from which on the robot holds; one alone is bridged by the last target."""


@dataclass(frozen=True)
class NodeConfig:
    """Parameters of the node, beside those of `EndingConfig`."""

    robot: str = param("g1", doc="Name or path of the robot's folder of data.")
    policy: str = param("", doc="Path of the policy (.onnx).")
    max_age: float = param(0.2, unit="s", low=0.01, high=10.0, doc="Oldest picture or wrench that the policy still acts on.")
    patience: float = param(
        0.4, low=0.0, high=0.9, doc="Share of a period that a tick waits for the answer; a later one counts from the next tick."
    )


class PolicyNode(Node):
    """Asks the policy at its own rate, while engaged by ``~/engage``; inference runs beside, in a thread."""

    def __init__(self, **options: Any) -> None:
        """Load the policy, which checks that it fits the robot."""
        super().__init__("policy", **options)
        config = params.declare(self, NodeConfig)
        if not config.policy:
            raise ConfigError("no policy given", where="node policy", fix="set the parameter policy, e.g. policy:=policy.onnx")
        self._robot = load_robot(config.robot)
        policy = OnnxPolicy.load(Path(config.policy), self._robot)
        self._pilot = Pilot(self._robot, policy)
        self._inference = Inference(policy)
        self._patience = config.patience / policy.contract.rate
        self._endings = params.declare(self, EndingConfig)
        self._ending: Ending | None = None
        self._succeeded_before = False
        self._joints = JointConverter(self._robot.layout)
        self._targets = self.create_publisher(JointCommandMsg, "target", qos.STREAM)
        self._measured = Latest(self, JointStateMsg, "joint_states")
        self._surroundings = Surroundings(self, policy.contract, config.max_age)
        self._doubts = Doubts(self, policy.contract.monitor)
        self._punctuality = Punctuality(self, 1.0 / policy.contract.rate)
        self.create_service(SetBool, "~/engage", self._on_engage)
        every(self, 1.0 / policy.contract.rate, self._tick)
        for told in (self._doubts, self._punctuality):
            self.create_timer(1.0, told.publish, clock=steady_clock(self))

    def _state(self) -> JointState | None:
        message = self._measured.read()
        return self._joints.state_from(message).value if message else None

    def _on_engage(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._ending, self._succeeded_before = None, self._surroundings.succeeded()
        now = self.get_clock().now().nanoseconds
        response.message = self._pilot.engage(self._state(), now) if request.data else self._pilot.disengage()
        response.success = not response.message
        return response

    def _tick(self, now: int) -> None:
        state = self._state()
        target = self._ask(state, now) if self._ending is None else self._end(self._ending, state, now)
        if target is None:
            return
        self._targets.publish(self._joints.command_to(target))
        succeeded = self._surroundings.succeeded() and not self._succeeded_before
        if self._ending is None and self._endings.due(succeeded, self._pilot.elapsed(now)):
            self._ending = Ending(self._endings, target.position, self._robot.rest, now)
            self.get_logger().info("the episode is over: holding, then back to rest")

    def _ask(self, state: JointState | None, now: int) -> JointCommand | None:
        """Ask the policy, hear what it has answered, and return the target."""
        question = None if self._inference.busy else self._pilot.ask(state, self._surroundings.scene(), now)
        if question is not None:
            self._inference.ask(question)
        answer = self._inference.take(self._patience)
        if answer is not None:
            self._punctuality.took(answer.seconds)
            self._pilot.answer(answer.question, answer.chunk, now)
        target = self._pilot.target(state, now)
        self._doubts.note(self._pilot.judgement)
        late = self._pilot.late_in_a_row
        self._punctuality.note(late > 0, late >= _STUCK)
        return target

    def _end(self, ending: Ending, state: JointState | None, now: int) -> JointCommand | None:
        """Return the target on the way back to rest; once there, let go."""
        if ending.over(now):
            self._ending = None
            self._pilot.disengage()
            return None
        position = ending.position(now)
        return None if state is None else JointCommand.at(state.stamp, position, self._robot.stiffness, self._robot.damping)

    def destroy_node(self) -> None:
        """End the thread, too."""
        self._inference.close()
        super().destroy_node()


def main() -> None:
    """Run the node."""
    sys.exit(run(PolicyNode))
