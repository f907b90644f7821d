# SPDX-License-Identifier: Apache-2.0
"""A policy as it stands on the robot: asked at its rate, its targets filtered at the filter's."""

from collections import Counter
from collections.abc import Mapping

from kata_core.arrays import FloatArray
from kata_core.joints import JointCommand, JointState
from kata_core.policy import Certainty
from kata_core.policy.onnx_policy import OnnxPolicy
from kata_core.policy.pilot import Pilot
from kata_core.robot import RobotModel
from kata_core.safety import NOTHING, Received, SafetyConfig, SafetyFilter, Senses
from kata_core.verdict import Reason

__all__ = ["PolicyLoop"]


class PolicyLoop:
    """Pilot and safety filter in one loop, as the nodes run them; one for each rollout."""

    def __init__(self, robot: RobotModel, policy: OnnxPolicy, safety: SafetyConfig, decay: float) -> None:
        """Start idle; the policy engages at the first tick.

        Args:
            robot: The robot.
            policy: A policy that fits it.
            safety: Limits of the filter.
            decay: Of the temporal ensemble.
        """
        self._pilot = Pilot(robot, policy, decay)
        self._filter = SafetyFilter(robot, safety)
        self._period = round(1e9 / policy.contract.rate)
        self._due = 0
        self._target: Received | None = None
        self.statuses: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.certainties: Counter[Certainty] = Counter()

    def __call__(self, state: JointState, objects: Mapping[str, FloatArray]) -> JointCommand | None:
        """Return the command for one tick of the filter."""
        if not self._pilot.engaged:
            self._pilot.engage(state)
            self._due = state.stamp
        if state.stamp >= self._due:
            self._due += self._period
            command = self._pilot.step(state, objects)
            # Without an observation the old target stays, and the filter lets it grow stale.
            self._target = Received(command, state.stamp) if command else self._target
            self.certainties[self._pilot.judgement.certainty] += 1
        unsure = self._pilot.judgement.certainty is Certainty.UNSURE
        senses = Senses((Reason.UNSURE_POLICY,)) if unsure else NOTHING
        verdict = self._filter.step(state, self._target, state.stamp, senses)
        self.statuses[verdict.status.name.lower()] += 1
        self.reasons.update(verdict.reasons)
        return verdict.command
