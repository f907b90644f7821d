# SPDX-License-Identifier: Apache-2.0
"""A policy as it stands on the robot: asked at its rate, its targets filtered at the filter's."""

from collections import Counter
from collections.abc import Mapping

from kata_model.arrays import FloatArray
from kata_model.joints import JointCommand, JointState
from kata_model.robot import RobotModel
from kata_model.verdict import Reason
from kata_policy import Certainty
from kata_policy.onnx_policy import OnnxPolicy
from kata_policy.running.inference import SteppedInference
from kata_policy.running.observation_inputs import ObservationInputs, PictureSource
from kata_policy.running.runner import Phase, PolicyRunner, RunnerConfig, Step
from kata_safety import NOTHING, Received, SafetyConfig, SafetyFilter, SafetyInputs

__all__ = ["PolicyLoop"]


class PolicyLoop:
    """Runner and safety filter in one loop, as the nodes run them; one for each rollout."""

    def __init__(
        self,
        robot: RobotModel,
        policy: OnnxPolicy,
        safety: SafetyConfig,
        config: RunnerConfig | None = None,
        delay: int = 0,
        look: PictureSource | None = None,
    ) -> None:
        """Start idle; the policy engages at the first tick.

        Args:
            robot: The robot.
            policy: A policy that fits it.
            safety: Limits of the filter.
            config: How the policy is run.
            delay: Steps that inference is made to take.
            look: Gives pictures, to a policy that takes them.
        """
        self._runner = PolicyRunner(robot, policy, config, SteppedInference(policy, delay))
        self._look = look
        self._filter = SafetyFilter(robot, safety)
        self._period = round(1e9 / policy.contract.rate)
        self._due: int | None = None
        self._target: Received | None = None
        self._step: Step | None = None
        self.statuses: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.certainties: Counter[Certainty] = Counter()
        self.phases: Counter[Phase] = Counter()

    @property
    def late(self) -> int:
        """Steps for which no answer had come in time."""
        return self._runner.late

    def __call__(self, state: JointState, objects: Mapping[str, FloatArray]) -> JointCommand | None:
        """Return the command for one tick of the filter."""
        if self._due is None:
            self._due = state.stamp
            self._runner.engage(state, state.stamp)
        if state.stamp >= self._due:
            inputs = ObservationInputs(objects, picture=self._look) if self._look else ObservationInputs(objects)
            self._step = self._note(self._runner.step(state, inputs, self._due), state.stamp)
            self._due += self._period
        unsure = self._step is not None and self._step.unsure
        known = SafetyInputs((Reason.UNSURE_POLICY,)) if unsure else NOTHING
        verdict = self._filter.step(state, self._target, state.stamp, known)
        self.statuses[verdict.status.name.lower()] += 1
        self.reasons.update(verdict.reasons)
        return verdict.command

    def _note(self, step: Step, now: int) -> Step:
        """Count a step. Without an observation the old target stays, and the filter lets it grow stale."""
        self._target = Received(step.target, now) if step.target else self._target
        self.certainties[step.judgement.certainty] += 1
        self.phases[step.phase] += 1
        return step
