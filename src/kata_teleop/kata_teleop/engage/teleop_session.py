# SPDX-License-Identifier: Apache-2.0
"""A teleop session: headset or gamepad in, frames, a joint target and a velocity of the base out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kata_model.arrays import FloatArray
from kata_model.clutch_offset import seven_of
from kata_model.frames import HumanFrames
from kata_model.joints import JointCommand, JointState
from kata_model.robot import RobotModel
from kata_teleop.engage.config import Cause, EngageConfig, Phase
from kata_teleop.engage.gamepad import GamepadConfig, GamepadReader, JointJog, Twist
from kata_teleop.engage.hands import EngageStatus, HandSource, HandStatus
from kata_teleop.engage.machine import EngageMachine
from kata_teleop.engage.sample import HandsSample

__all__ = ["TeleopOutput", "TeleopSession"]

_STILL = Twist(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class TeleopOutput:
    """What is to be published after a look.

    Attributes:
        frames: Where the led hands are.
        target: Of a joint that is moved alone; None otherwise.
        twist: Of the base; None where nobody moves it.
        estop: Whether the person just pressed the gamepad's stop.
        episode: Whether the person just pressed its episode button.
    """

    frames: HumanFrames
    target: JointCommand | None = None
    twist: Twist | None = None
    estop: bool = False
    episode: bool = False


class TeleopSession:
    """One person's way to move a robot, by headset or gamepad, under the engage contract."""

    def __init__(self, name: str, robot: RobotModel, engage: EngageConfig, pad: GamepadConfig) -> None:
        """Start disengaged; the name is the source's, as in `HumanFrames`."""
        self._robot, self._mode = robot, engage.mode
        self._hands = HandSource(name, tuple(robot.description.hands), engage)
        self._pad, self._jog = GamepadReader(pad), JointJog(robot)
        self._single = EngageMachine(engage)  # of a joint, or the base, moved by gamepad
        self._rolling = False

    @property
    def phase(self) -> Phase:
        """Where the contract stands, of hands or of what else is moved."""
        return max(self._hands.phase, self._single.phase)

    @property
    def lost_since(self) -> int | None:
        """Since when it cannot be trusted [ns]; None if it can."""
        return self._hands.lost_since or self._single.lost_since

    def set_scale(self, scale: float) -> None:
        """Choose the robot's way per hand's way."""
        self._hands.set_scale(scale)

    def release(self) -> None:
        """Disengage everything."""
        self._hands.release()
        self._single.release()
        self._jog.release()

    def status(self) -> EngageStatus:
        """Return what a person must know."""
        status = self._hands.status()
        if self._single.phase <= status.phase:
            return status
        hands = {name: HandStatus(hand.tracked, False, hand.mismatch) for name, hand in status.hands.items()}
        return EngageStatus(self._single.phase, self._single.cause, self._mode, status.scale, status.precise, hands)

    def headset(
        self, sample: HandsSample, state: JointState | None, now: int, *, fault: str = "", refusal: str = ""
    ) -> TeleopOutput:
        """Take a headset's sample.

        Args:
            sample: What was seen.
            state: The robot's joints; None refuses.
            now: Time [ns], of the clock that deadlines are judged by.
            fault: Why the input must not be trusted, or empty.
            refusal: Why nobody may engage, or empty.
        """
        return TeleopOutput(self._lead(sample, state, now, fault, refusal))

    def gamepad(
        self,
        axes: Sequence[float],
        buttons: Sequence[float],
        stamp: int,
        state: JointState | None,
        now: int,
        *,
        refusal: str = "",
    ) -> TeleopOutput:
        """Take a gamepad's state of a time by the robot's clock [ns]; the other arguments as for `headset`."""
        intent = self._pad.step(axes, buttons, stamp)
        pressed = {"joint"} if intent.joint else {"base"} if intent.twist else set()
        refused = refusal or ("" if state is not None else Cause.NO_STATE)
        self._single.step(pressed, now, refusal=refused)
        engaged = self._single.phase is Phase.ENGAGED
        target = self._jog.step(intent.joint, state, stamp) if engaged and intent.joint and state is not None else None
        if target is None:
            self._jog.release()
        twist = self._twist(intent.twist if engaged else None)
        return TeleopOutput(self._lead(intent.hands, state, now, "", refusal), target, twist, intent.estop, intent.episode)

    def idle(self, now: int, *, fault: str = "", refusal: str = "") -> TeleopOutput:
        """Note that time passed without input; a fault or refusal ends what was engaged."""
        if fault or refusal:
            self._single.step(self._single.pressed, now, fault=fault, refusal=refusal)
            self._jog.release()
        twist = self._twist(None) if self._single.phase is not Phase.ENGAGED else None
        return TeleopOutput(self._hands.step(None, now, fault=fault, refusal=refusal), twist=twist)

    def _lead(self, sample: HandsSample, state: JointState | None, now: int, fault: str, refusal: str) -> HumanFrames:
        refused = refusal or ("" if state is not None else Cause.NO_STATE)
        return self._hands.step(sample, now, fault=fault, refusal=refused, palms=self._palms(state))

    def _twist(self, wish: Twist | None) -> Twist | None:
        """Return a wish for the base, and once zero when there is none any more: nobody may roll on."""
        if wish is None and not self._rolling:
            return None
        self._rolling = wish is not None
        return wish or _STILL

    def _palms(self, state: JointState | None) -> Mapping[str, FloatArray]:
        if state is None:
            return {}
        hands = self._robot.description.hands
        poses = self._robot.frame_poses(state.position, tuple(spec.frame for spec in hands.values()))
        return {hand: seven_of(pose)[3:] for hand, pose in zip(hands, poses, strict=True)}
