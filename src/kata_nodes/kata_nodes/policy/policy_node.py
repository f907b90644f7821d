# SPDX-License-Identifier: Apache-2.0
"""Node `policy`: a trained policy as a source of `target`."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import JointState as JointStateMsg
from std_srvs.srv import SetBool

from kata_model import JointState, load_robot
from kata_model.config.params import param
from kata_model.errors import ConfigError
from kata_msgs.msg import JointCommand as JointCommandMsg
from kata_nodes import params, qos
from kata_nodes.clocks import in_lockstep, steady_clock
from kata_nodes.convert import JointConverter
from kata_nodes.latest import Latest
from kata_nodes.policy.inference import ThreadedInference
from kata_nodes.policy.observation_topics import ObservationTopics
from kata_nodes.policy.policy_status import PolicyStatus
from kata_nodes.spin import run
from kata_nodes.ticking import every
from kata_policy.onnx_policy import OnnxPolicy
from kata_policy.running.ending import EndingConfig
from kata_policy.running.inference import SteppedInference
from kata_policy.running.retreat import DoubtConfig
from kata_policy.running.runner import Phase, PolicyRunner, RunnerConfig


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
    """Runs the policy at its own rate, while engaged by ``~/engage``.

    Inference runs beside, in a thread; in lockstep within the step, so that a run hangs on nothing that the machine does.
    """

    def __init__(self, **options: Any) -> None:
        """Load the policy, which checks that it fits the robot."""
        super().__init__("policy", **options)
        config = params.declare(self, NodeConfig)
        if not config.policy:
            raise ConfigError("no policy given", where="node policy", fix="set the parameter policy, e.g. policy:=policy.onnx")
        robot = load_robot(config.robot)
        policy = OnnxPolicy.load(Path(config.policy), robot)
        how = RunnerConfig(ending=params.declare(self, EndingConfig), doubt=params.declare(self, DoubtConfig))
        period = 1.0 / policy.contract.rate
        self._thread = None if in_lockstep() else ThreadedInference(policy, config.patience * period)
        self._runner = PolicyRunner(robot, policy, how, self._thread or SteppedInference(policy))
        self._joints = JointConverter(robot.layout)
        self._targets = self.create_publisher(JointCommandMsg, "target", qos.STREAM)
        self._measured = Latest(self, JointStateMsg, "joint_states")
        self._observed = ObservationTopics(self, policy.contract, config.max_age)
        self._status = PolicyStatus(self, policy.contract)
        self.create_service(SetBool, "~/engage", self._on_engage)
        every(self, period, self._tick)
        self.create_timer(1.0, self._status.publish, clock=steady_clock(self))

    def _state(self) -> JointState | None:
        message = self._measured.read()
        return self._joints.state_from(message).value if message else None

    def _on_engage(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        if request.data and self._runner.phase is Phase.ACTING:  # a repeated request changes nothing
            response.success = True
            return response
        now, done = self.get_clock().now().nanoseconds, self._observed.succeeded()
        response.message = self._runner.engage(self._state(), now, done) if request.data else self._runner.disengage()
        response.success = not response.message
        return response

    def _tick(self, now: int) -> None:
        step = self._runner.step(self._state(), self._observed.inputs(), now, self._observed.succeeded())
        if step.target is not None:
            self._targets.publish(self._joints.command_to(step.target))
        self._status.note(step)

    def destroy_node(self) -> None:
        """End the thread, too."""
        if self._thread is not None:
            self._thread.close()
        super().destroy_node()


def main() -> None:
    """Run the node."""
    sys.exit(run(PolicyNode))
