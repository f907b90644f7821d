# SPDX-License-Identifier: Apache-2.0
"""The policy's controller: from joint states, objects and pictures to targets, while engaged."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_model.joints import JointCommand, JointState
from kata_model.robot import RobotModel
from kata_policy.execution import ChunkExecutor, ExecutionConfig
from kata_policy.monitor import UNMONITORED, Certainty, Judgement, PolicyMonitor
from kata_policy.observation import Observer
from kata_policy.onnx_policy import OnnxPolicy
from kata_policy.running.history import ObservationHistory
from kata_policy.running.observation_inputs import ObservationInputs

__all__ = ["NO_STATE", "PolicyController", "Question"]

NO_STATE = "no joint state has come in yet"
"""Why a policy that has just been started may not engage for a moment."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What the policy is asked at a step.

    Attributes:
        step: Steps since engage; the first row of the answer is for it.
        engagement: Counts engages; an answer from before the last one is not heard.
        present: The observation of this step by input, pictures as ``camera.NAME``.
        observation: As `OnnxPolicy.act` takes it, with pictures and history.
    """

    step: int
    engagement: int
    present: Mapping[str, NDArray[Any]]
    observation: Mapping[str, NDArray[Any]]


class PolicyController:
    """Moves a policy's joints and holds all others where they were at engage.

    Time is counted in steps of the policy's rate since engage. `ask` and `answer` may be apart in time, and `OnnxPolicy.act`
    between them in another thread: the target at any step is the row of the plans that is for this step
    (`kata_policy.running.runner` does all three).
    """

    def __init__(self, robot: RobotModel, policy: OnnxPolicy, execution: ExecutionConfig | None = None, seed: int = 0) -> None:
        """Prepare for a robot that the policy fits.

        Args:
            robot: The robot.
            policy: The policy, already held against the robot by `OnnxPolicy.load`.
            execution: How chunks become one motion; None takes the policy's own word.
            seed: Of the noise that a policy may take, which is drawn anew at each engage.
        """
        contract = policy.contract
        self._robot = robot
        self._policy = policy
        self._observer = Observer(robot, [term.name for term in contract.terms], contract.joint_names)
        self._moved = robot.layout.indices(contract.joint_names)
        self._executor = ChunkExecutor(execution or contract.execution)
        self._history = ObservationHistory(contract.history)
        names = tuple(term.name for term in contract.terms)
        pictures = tuple(camera.input for camera in contract.cameras)
        self._monitor = PolicyMonitor(contract.monitor, names, pictures) if contract.monitor else None
        self._held: FloatArray | None = None
        self._since = self._engagement = 0
        self._seed = seed
        self._answered = self._blind = False
        self.judgement: Judgement = UNMONITORED
        """How far the policy was to be trusted at the last answer."""
        self.late = 0
        """Steps since engage for which no answer had come in time, after the first answer."""
        self.late_in_a_row = 0
        """How many of them were the last steps."""

    @property
    def engaged(self) -> bool:
        """Whether the policy moves the robot."""
        return self._held is not None

    def engage(self, state: JointState | None, now: int) -> str:
        """Take over from where the robot is; return why that is refused, or an empty string.

        Args:
            state: The newest joint state.
            now: Time of the first step [ns].
        """
        if state is None:
            return NO_STATE
        self._held = np.array(state.position)
        self._since, self.late = now, 0
        self.restart()
        return ""

    def restart(self) -> None:
        """Begin anew from where the robot is: with no past, no plan and no doubt; time goes on, and other joints stay."""
        self._engagement += 1
        self.late_in_a_row = 0
        self._answered = self._blind = False
        self._policy.reset(self._seed + self._engagement)
        self._forget()

    def disengage(self) -> str:
        """Let go; always possible, so the answer is an empty string."""
        self._held = None
        self._forget()
        return ""

    def _forget(self) -> None:
        self._executor.clear()
        self._history.clear()
        self.judgement = UNMONITORED
        if self._monitor is not None:
            self._monitor.reset()

    def elapsed(self, now: int) -> float:
        """Return the time since engage [s]."""
        return (now - self._since) * 1e-9

    def step_at(self, now: int) -> int:
        """Return which step a time [ns] belongs to."""
        return round(self.elapsed(now) * self._policy.contract.rate)

    def ask(self, state: JointState | None, inputs: ObservationInputs, now: int, free: bool = True) -> Question | None:
        """Observe, and return what the policy should be asked now, if anything; call it at every step.

        Args:
            state: The newest joint state.
            inputs: What else is there.
            now: Present time [ns].
            free: Whether a question can be answered now; what is seen meanwhile is the past of the next one.

        Returns:
            None while disengaged, while the running plan is not to be renewed yet, or while the state or something else
            that the policy observes is missing.
        """
        if self._held is None or state is None:
            return None
        terms = self._observer.observe(state, inputs.objects, inputs.wrenches)
        pictures = None if terms is None else self._pictures(inputs)
        self._blind = terms is None or pictures is None
        if terms is None or pictures is None:
            self._history.clear()  # what was seen before the gap is no past of what will be seen after it
            return None
        present: dict[str, NDArray[Any]] = {**terms, **pictures}
        observation, step = self._history.push(present), self.step_at(now)
        if not (free and self._executor.wants(step)):
            return None
        self._executor.ask(step)
        return Question(step, self._engagement, present, observation)

    def _pictures(self, inputs: ObservationInputs) -> dict[str, NDArray[np.uint8]] | None:
        """Return a picture of each camera by its input's name, or None if one is missing."""
        found = {}
        for camera in self._policy.contract.cameras:
            picture = inputs.picture(camera)
            if picture is None or picture.shape != camera.shape:
                return None
            found[camera.input] = picture
        return found

    def answer(self, question: Question, chunk: FloatArray, now: int) -> None:
        """Take an answer, also one that comes late; `judgement` then says whether it should be followed.

        Args:
            question: What was asked.
            chunk: The policy's answer, shape (horizon, k), [rad].
            now: Present time [ns].
        """
        if self._held is None or question.engagement != self._engagement:
            return
        if self._monitor is not None:
            self.judgement = self._monitor.judge(question.present, chunk, question.step)
        if self.judgement.certainty is Certainty.UNSURE:
            self._executor.drop()  # chunks of a policy that was unsure must not linger in the motion
        self._answered = True
        self._executor.push(chunk, question.step, self.step_at(now))

    def target(self, state: JointState | None, now: int) -> JointCommand | None:
        """Return the target for a time, stamped as the newest joint state.

        Args:
            state: The newest joint state.
            now: Present time [ns].

        Returns:
            None while disengaged, where no plan speaks of this time, and while something that the policy observes is
            missing, whatever plan there is: what it cannot see it must not act on.
        """
        if self._held is None or state is None or self._blind:
            return None
        action = self._executor.action(self.step_at(now))
        if action is None:
            self.late += self._answered
            self.late_in_a_row += self._answered
            return None
        self.late_in_a_row = 0
        position = self._held.copy()
        position[self._moved] = action
        return JointCommand.at(state.stamp, position, self._robot.stiffness, self._robot.damping)
