# SPDX-License-Identifier: Apache-2.0
"""The loop of a policy, one step at a time: the node, `kata evaluate` and tests all call `PolicyRunner.step`."""

from dataclasses import dataclass, field
from enum import StrEnum

from kata_model.joints import JointCommand, JointState
from kata_model.robot import RobotModel
from kata_policy.execution import ExecutionConfig
from kata_policy.monitor import Certainty, Judgement
from kata_policy.onnx_policy import OnnxPolicy
from kata_policy.running.controller import PolicyController
from kata_policy.running.ending import Ending, EndingConfig
from kata_policy.running.inference import Inference, SteppedInference
from kata_policy.running.observation_inputs import ObservationInputs
from kata_policy.running.retreat import DoubtConfig, Retreat, Trail

__all__ = ["Phase", "PolicyRunner", "RunnerConfig", "Step"]


class Phase(StrEnum):
    """What a policy is at."""

    IDLE = "idle"
    ACTING = "acting"
    DOUBTING = "doubting"
    """It is where it was never trained: the robot holds."""
    RETREATING = "retreating"
    """The robot backs away by its own path, to try again."""
    ENDING = "ending"
    """The episode is over: the robot holds, then goes back to rest."""
    NEEDS_PERSON = "needs_person"
    """It tried in vain: the robot goes to rest and stays there, until somebody engages anew."""


@dataclass(frozen=True)
class RunnerConfig:
    """How a policy is run.

    Attributes:
        execution: How chunks become one motion; None takes the policy's own word.
        ending: How an episode ends.
        doubt: What is done when it is unsure for long.
        seed: Of the noise that a policy may take.
    """

    execution: ExecutionConfig | None = None
    ending: EndingConfig = field(default_factory=EndingConfig)
    doubt: DoubtConfig = field(default_factory=DoubtConfig)
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """What came of one step.

    Attributes:
        target: Where the robot should be; None where there is nothing to say.
        phase: What the policy is at.
        judgement: How far it is to be trusted, by its last answer.
        late: Steps in a row without an answer in time.
        seconds: How long the inference took whose answer was heard in this step [s]; None if none was.
    """

    target: JointCommand | None
    phase: Phase
    judgement: Judgement
    late: int
    seconds: float | None

    @property
    def unsure(self) -> bool:
        """Whether the target must not be followed."""
        return self.phase is Phase.DOUBTING


class PolicyRunner:
    """Observes at every step, asks when inference is free, follows, and finds a way out of doubt and to the end.

    A policy that is unsure for `DoubtConfig.doubt_time` is no dead end: the robot backs away along its own path to where the
    policy was sure, tries again, and in the end goes to rest and needs a person.
    """

    def __init__(
        self, robot: RobotModel, policy: OnnxPolicy, config: RunnerConfig | None = None, inference: Inference | None = None
    ) -> None:
        """Start idle.

        Args:
            robot: The robot.
            policy: A policy that fits it.
            config: How it is run.
            inference: Who answers; None for answers within the step.
        """
        self._config = config or RunnerConfig()
        self._robot = robot
        self._controller = PolicyController(robot, policy, self._config.execution, self._config.seed)
        self._inference = inference or SteppedInference(policy)
        self._trail: Trail | None = None
        self._way: Ending | Retreat | None = None
        self._doubt_since: int | None = None
        self._retries = 0
        self._succeeded = False
        self._seconds: float | None = None
        self.phase = Phase.IDLE
        """What the policy is at."""

    @property
    def late(self) -> int:
        """Steps since engage for which no answer had come in time."""
        return self._controller.late

    def engage(self, state: JointState | None, now: int, succeeded: bool = False) -> str:
        """Take over from where the robot is; return why that is refused, or an empty string.

        Args:
            state: The newest joint state.
            now: Time of the first step [ns].
            succeeded: Whether the task counts as done already; only what comes later ends the episode.
        """
        refusal = self._controller.engage(state, now)
        if state is not None and not refusal:
            self._trail, self._way, self._doubt_since = Trail(state.position, now), None, None
            self._retries, self._succeeded, self.phase = self._config.doubt.retries, succeeded, Phase.ACTING
        return refusal

    def disengage(self) -> str:
        """Let go; always possible, so the answer is an empty string."""
        self._way, self.phase = None, Phase.IDLE
        return self._controller.disengage()

    def step(self, state: JointState | None, inputs: ObservationInputs, now: int, succeeded: bool = False) -> Step:
        """Do one step; call it at the policy's rate.

        Args:
            state: The newest joint state.
            inputs: What else is there.
            now: Present time [ns].
            succeeded: Whether the task counts as done.
        """
        self._seconds = None
        self._hear(now, wait=False)
        target = self._act(state, inputs, now) if self._way is None else self._walk(self._way, state, now)
        if self.phase in (Phase.ACTING, Phase.DOUBTING):
            self._look_for_the_end(succeeded, now)
        self._succeeded = self._succeeded and succeeded
        return Step(target, self.phase, self._controller.judgement, self._controller.late_in_a_row, self._seconds)

    def _act(self, state: JointState | None, inputs: ObservationInputs, now: int) -> JointCommand | None:
        question = self._controller.ask(state, inputs, now, free=not self._inference.busy)
        if question is not None:
            self._inference.ask(question)
        self._hear(now, wait=True)
        target = self._controller.target(state, now)
        if self._trail is not None and self._controller.engaged:
            self._doubt(self._trail, target, now)
        return target

    def _hear(self, now: int, *, wait: bool) -> None:
        if self._inference.busy and (answer := self._inference.take(wait=wait)) is not None:
            self._seconds = answer.seconds
            if self._way is None:
                self._controller.answer(answer.question, answer.chunk, now)

    def _doubt(self, trail: Trail, target: JointCommand | None, now: int) -> None:
        """Wait while the policy is unsure, then back away or give up; else remember the way."""
        if self._controller.judgement.certainty is not Certainty.UNSURE:
            self.phase, self._doubt_since = Phase.ACTING, None
            if target is not None:
                trail.note(now, target.position, self._controller.judgement.certainty is Certainty.SURE)
            return
        self._doubt_since = now if self._doubt_since is None else self._doubt_since
        self.phase = Phase.DOUBTING
        if (now - self._doubt_since) * 1e-9 < self._config.doubt.doubt_time:
            return
        if self._retries > 0:
            self._retries -= 1
            way = trail.turn_back(self._doubt_since - round(self._config.doubt.sure_before * 1e9))
            self._set_out(Phase.RETREATING, Retreat(way, self._config.ending.return_velocity, now))
        else:
            self._set_out(Phase.NEEDS_PERSON, Ending(self._config.ending, trail.end, self._robot.rest, now))

    def _look_for_the_end(self, succeeded: bool, now: int) -> None:
        if self._trail is not None and self._config.ending.due(succeeded and not self._succeeded, self._controller.elapsed(now)):
            self._set_out(Phase.ENDING, Ending(self._config.ending, self._trail.end, self._robot.rest, now))

    def _set_out(self, phase: Phase, way: Ending | Retreat) -> None:
        self.phase, self._way, self._doubt_since = phase, way, None

    def _walk(self, way: Ending | Retreat, state: JointState | None, now: int) -> JointCommand | None:
        """Return the target on a way; at its end, try again or let go."""
        if way.over(now):
            self._way = None
            if self.phase is Phase.RETREATING:
                self._controller.restart()
                self.phase = Phase.ACTING
            else:
                self._controller.disengage()
                self.phase = Phase.IDLE if self.phase is Phase.ENDING else self.phase
                return None
        if state is None:
            return None
        return JointCommand.at(state.stamp, way.position(now), self._robot.stiffness, self._robot.damping)
