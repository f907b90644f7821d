# SPDX-License-Identifier: Apache-2.0
"""A policy as it stands on the robot: asked at its rate, its targets filtered at the filter's."""

from collections import Counter, deque
from collections.abc import Mapping

from kata_core.arrays import FloatArray
from kata_core.joints import JointCommand, JointState
from kata_core.policy import Certainty
from kata_core.policy.execution import ExecutionConfig
from kata_core.policy.onnx_policy import OnnxPolicy
from kata_core.policy.pilot import Pilot, Question
from kata_core.policy.scene import Look, Scene
from kata_core.robot import RobotModel
from kata_core.safety import NOTHING, Received, SafetyConfig, SafetyFilter, Senses
from kata_core.verdict import Reason

__all__ = ["PolicyLoop"]


class PolicyLoop:
    """Pilot and safety filter in one loop, as the nodes run them; one for each rollout."""

    def __init__(
        self,
        robot: RobotModel,
        policy: OnnxPolicy,
        safety: SafetyConfig,
        execution: ExecutionConfig | None = None,
        delay: int = 0,
        look: Look | None = None,
        seed: int = 0,
    ) -> None:
        """Start idle; the policy engages at the first tick.

        Args:
            robot: The robot.
            policy: A policy that fits it.
            safety: Limits of the filter.
            execution: How chunks become one motion; None takes the policy's own word.
            delay: Steps that inference is made to take.
            look: Gives pictures, to a policy that takes them.
            seed: Of the noise that a policy may take.
        """
        self._pilot = Pilot(robot, policy, execution, seed)
        self._policy, self._delay = policy, delay
        self._asked: deque[Question] = deque()
        self._look = look
        self._filter = SafetyFilter(robot, safety)
        self._period = round(1e9 / policy.contract.rate)
        self._due = 0
        self._target: Received | None = None
        self.statuses: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.certainties: Counter[Certainty] = Counter()

    @property
    def late(self) -> int:
        """Steps for which no answer had come in time."""
        return self._pilot.late

    def __call__(self, state: JointState, objects: Mapping[str, FloatArray]) -> JointCommand | None:
        """Return the command for one tick of the filter."""
        if not self._pilot.engaged:
            self._pilot.engage(state, state.stamp)
            self._due = state.stamp
        if state.stamp >= self._due:
            command = self._step(state, objects, self._due)
            self._due += self._period
            # Without an observation the old target stays, and the filter lets it grow stale.
            self._target = Received(command, state.stamp) if command else self._target
            self.certainties[self._pilot.judgement.certainty] += 1
        unsure = self._pilot.judgement.certainty is Certainty.UNSURE
        senses = Senses((Reason.UNSURE_POLICY,)) if unsure else NOTHING
        verdict = self._filter.step(state, self._target, state.stamp, senses)
        self.statuses[verdict.status.name.lower()] += 1
        self.reasons.update(verdict.reasons)
        return verdict.command

    def _step(self, state: JointState, objects: Mapping[str, FloatArray], now: int) -> JointCommand | None:
        """Ask, take the answer that is due, and return the target for a step."""
        question = self._pilot.ask(state, Scene(objects, look=self._look) if self._look else Scene(objects), now)
        if question is not None:
            self._asked.append(question)
        while self._asked and self._pilot.step_at(now) - self._asked[0].step >= self._delay:
            due = self._asked.popleft()
            self._pilot.answer(due, self._policy.act(due.observation), now)
        return self._pilot.target(state, now)
