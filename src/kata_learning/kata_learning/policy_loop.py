# SPDX-License-Identifier: Apache-2.0
"""A policy as it stands on the robot: asked at its rate, its targets filtered at the filter's."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from kata_core.arrays import FloatArray
from kata_core.joints import JointCommand, JointState
from kata_core.observation import Observer
from kata_core.policy import TemporalEnsemble
from kata_core.policy.onnx_policy import OnnxPolicy
from kata_core.robot import RobotModel
from kata_core.safety import Received, SafetyConfig, SafetyFilter

__all__ = ["PolicyLoop"]


class PolicyLoop:
    """Policy, temporal ensemble and safety filter in one loop, as the nodes run them; one for each rollout.

    Joints that the policy does not move stay where they were at the first tick.
    """

    def __init__(self, robot: RobotModel, policy: OnnxPolicy, safety: SafetyConfig, decay: float) -> None:
        """Start idle.

        Args:
            robot: The robot.
            policy: A policy that fits it.
            safety: Limits of the filter.
            decay: Of the temporal ensemble.
        """
        contract = policy.contract
        self._robot, self._policy = robot, policy
        self._observer = Observer(robot, [term.name for term in contract.terms], contract.joint_names)
        self._index = robot.layout.indices(contract.joint_names)
        self._ensemble = TemporalEnsemble(contract.horizon, decay)
        self._filter = SafetyFilter(robot, safety)
        self._period = round(1e9 / contract.rate)
        self._due: int | None = None
        self._position: FloatArray | None = None
        self._target: Received | None = None
        self.statuses: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()

    def __call__(self, state: JointState, objects: Mapping[str, FloatArray]) -> JointCommand | None:
        """Return the command for one tick of the filter."""
        if self._due is None or state.stamp >= self._due:
            self._due = (state.stamp if self._due is None else self._due) + self._period
            self._ask(state, objects)
        verdict = self._filter.step(state, self._target, state.stamp)
        self.statuses[verdict.status.name.lower()] += 1
        self.reasons.update(verdict.reasons)
        return verdict.command

    def _ask(self, state: JointState, objects: Mapping[str, FloatArray]) -> None:
        """Renew the target; without an observation the old one stays, and the filter lets it grow stale."""
        observation = self._observer.observe(state, objects)
        if observation is None:
            return
        position = np.array(state.position if self._position is None else self._position)
        position[self._index] = self._ensemble.push(self._policy.act(observation))
        self._position = position
        command = JointCommand.at(state.stamp, position, self._robot.stiffness, self._robot.damping)
        self._target = Received(command, state.stamp)
