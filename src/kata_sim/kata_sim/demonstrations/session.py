# SPDX-License-Identifier: Apache-2.0
"""A scripted person, retargeting and the safety filter in one loop, as the nodes run them one beside the other."""

from dataclasses import dataclass, field

from kata_model.frames import HumanFrames
from kata_model.joints import JointCommand, JointState
from kata_model.robot import RobotModel
from kata_model.verdict import Verdict
from kata_retarget.hands import HandsConfig, HandsRetargeter
from kata_safety import FilterState, Received, SafetyConfig, SafetyFilter
from kata_teleop.scripted import Poses, ScriptedPerson, palms_of

__all__ = ["TRACKER_RATE", "TeleopConfig", "TeleopLoop", "Tick"]

TRACKER_RATE = 60.0
"""Rate of the person's tracker [Hz]."""


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick of the filter brought.

    Attributes:
        frames: The tracker's new sample, if there was one.
        target: What retargeting made of it, if anything.
        verdict: The filter's.
        state: What it remembers, if that is to be recorded.
    """

    frames: HumanFrames | None
    target: JointCommand | None
    verdict: Verdict
    state: FilterState | None = None


@dataclass(frozen=True)
class TeleopConfig:
    """Parameters of the loop's parts."""

    hands: HandsConfig = field(default_factory=HandsConfig)
    safety: SafetyConfig = field(default_factory=SafetyConfig)
    tracker_rate: float = TRACKER_RATE


class TeleopLoop:
    """Person → frames → target → command; one for each episode. Nothing takes time but what the parts do themselves."""

    def __init__(self, robot: RobotModel, operator: ScriptedPerson, config: TeleopConfig | None = None) -> None:
        """Start with the person at rest.

        Args:
            robot: The robot.
            operator: The person.
            config: Of retargeting and filter; None for the defaults.
        """
        self.operator = operator
        config = config or TeleopConfig()
        self._robot, self._retargeter = robot, HandsRetargeter(robot, config.hands)
        self._filter = SafetyFilter(robot, config.safety)
        self._period, self._due = round(1e9 / config.tracker_rate), 0
        self._received: Received | None = None

    def step(self, state: JointState, objects: Poses) -> Tick:
        """Go on by a tick of the filter, at the time of the joint state."""
        now, frames, target = state.stamp, None, None
        if now >= self._due:
            self._due = max(self._due + self._period, now - self._period)
            frames = self.operator.step(objects, palms_of(self._robot, state.position), now)
            target = self._retarget(frames, state)
        if target is not None:
            self._received = Received(target, now)
        verdict = self._filter.step(state, self._received, now)
        return Tick(frames, target, verdict, self._filter.state_to_record())

    def _retarget(self, frames: HumanFrames, state: JointState) -> JointCommand | None:
        position = self._retargeter.step(frames, state).position
        if position is None or not frames.engaged:
            return None
        return JointCommand.at(frames.stamp, position, self._robot.stiffness, self._robot.damping)
