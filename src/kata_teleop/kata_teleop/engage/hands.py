# SPDX-License-Identifier: Apache-2.0
"""A person's hands as a source of frames, by the engage contract.

What goes out is not where the person's hands are, but the hands that they *lead*: these move only while engaged,
only by the person's displacement since, and never faster than the limits, whatever clutch and tracking do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pinocchio as pin

from kata_model.arrays import FloatArray
from kata_model.clutch_offset import ClutchOffset, angle_between, limited, pose_of, seven_of
from kata_model.frames import HumanFrames
from kata_teleop.engage.config import Cause, EngageConfig, Phase
from kata_teleop.engage.machine import EngageMachine
from kata_teleop.engage.sample import HandSample, HandsSample

__all__ = ["EngageStatus", "HandSource", "HandStatus"]

_LONGEST = 0.1  # time between samples that speed limits are granted for [s]
_HEAD = np.array([0.0, 0.0, 1.6, 0.0, 0.0, 0.0, 1.0])
_AT = {"left_hand": np.array([0.3, 0.2, 1.0]), "right_hand": np.array([0.3, -0.2, 1.0])}  # where what is led begins [m]


@dataclass(frozen=True, slots=True)
class HandStatus:
    """One hand of a source: seen, gripped (arming, or leading), and its angle to the robot's hand [rad], NaN if unknown."""

    tracked: bool
    clutched: bool
    mismatch: float


@dataclass(frozen=True, slots=True)
class EngageStatus:
    """What a person must know about being engaged.

    Attributes:
        phase: Where the contract stands.
        cause: Why it is not engaged, a name from `Cause`, or empty.
        mode: ``hold`` or ``toggle``.
        scale: Robot's way per hand's way, precision included.
        precise: Whether precision mode is on.
        hands: By name.
    """

    phase: Phase
    cause: str
    mode: str
    scale: float
    precise: bool
    hands: Mapping[str, HandStatus]


class HandSource:
    """Turns what is seen of a person into frames that may move a robot."""

    def __init__(self, name: str, hands: tuple[str, ...], config: EngageConfig) -> None:
        """Start disengaged.

        Args:
            name: Of the source, as in `HumanFrames`.
            hands: Names of the hands that can be led.
            config: The contract's numbers.
        """
        self._name, self._names, self._config = name, hands, config
        self._machine = EngageMachine(config)
        self._scale, self._precise = config.scale, False
        self._led = {hand: pin.SE3(np.eye(3), _AT.get(hand, np.array([0.3, 0.0, 1.0]))) for hand in hands}
        self._offsets: dict[str, tuple[ClutchOffset, float]] = {}
        self._seen: dict[str, Any] = {}
        self._angles: dict[str, float] = {}
        self._tracked: frozenset[str] = frozenset()
        self._needed: frozenset[str] = frozenset()  # hands that must be seen: those that are held, or were when it was lost
        self._turn: Any = np.eye(3)
        self._stamp = 0
        self._head: FloatArray = _HEAD

    @property
    def phase(self) -> Phase:
        """Where the contract stands."""
        return self._machine.phase

    @property
    def lost_since(self) -> int | None:
        """Since when the source cannot be trusted [ns]; None if it can."""
        return self._machine.lost_since

    def set_scale(self, scale: float) -> None:
        """Choose the robot's way per hand's way, within the parameter's bounds; nothing moves by that."""
        if 0.05 <= scale <= 3.0:
            self._scale = scale

    def release(self) -> None:
        """Disengage, as when the person leaves."""
        self._machine.release()
        self._needed = frozenset()
        self._offsets.clear()

    def step(
        self,
        sample: HandsSample | None,
        now: int,
        *,
        fault: str = "",
        refusal: str = "",
        palms: Mapping[str, FloatArray] | None = None,
    ) -> HumanFrames:
        """Take a sample, or note that there is none.

        Args:
            sample: What was seen; None where only time passed, which asks for a fault if it is too long.
            now: Time [ns].
            fault: Why the input must not be trusted (`Cause`), or empty.
            refusal: Why nobody may engage now, or empty.
            palms: Orientation of the robot's hands as xyzw quaternions, shape (4,), for the mismatch; by hand.
        """
        clutches = self._machine.pressed
        if sample is not None:
            fault = fault or self._judge(sample)
            self._note(sample, palms or {})
            clutches = frozenset(h for h in self._names if self._clutched(h, sample))
        if sample is not None or fault or refusal:
            self._machine.step(clutches, now, fault=fault, refusal=refusal, mismatch=self._angles)
            self._needed = self._needed if self._machine.phase is Phase.LOST else self._machine.held
        if sample is not None:
            self._lead(sample)
        return self._frames(sample.stamp if sample is not None else now)

    def status(self) -> EngageStatus:
        """Return what a person must know."""
        hands = {
            h: HandStatus(h in self._tracked, h in self._machine.held, self._angles.get(h, float("nan"))) for h in self._names
        }
        return EngageStatus(self._machine.phase, self._machine.cause, self._config.mode, self._effective(), self._precise, hands)

    def _effective(self) -> float:
        return self._scale * (self._config.precision if self._precise else 1.0)

    def _clutched(self, hand: str, sample: HandsSample) -> bool:
        """Return whether a hand's clutch is pressed; what is not seen has not let go."""
        seen = sample.hands.get(hand)
        return seen.clutch if seen is not None and seen.tracked else hand in self._machine.pressed

    def _judge(self, sample: HandsSample) -> str:
        """Return what is wrong with a hand that is gripped; hands that are not may come and go."""
        for hand in self._names:
            seen = sample.hands.get(hand)
            if not (hand in self._needed or (seen is not None and seen.clutch)):
                continue
            if seen is None or not seen.tracked:
                return Cause.TRACKING
            if not np.isfinite(seen.pose).all() or not np.linalg.norm(seen.pose[3:]) > 1e-6:
                return Cause.NOT_FINITE
            let_go = self._config.mode == "hold" and not seen.clutch  # it leads nothing any more, wherever it is now
            if not let_go and hand in self._seen and self._jumped(self._seen[hand], seen):
                return Cause.JUMP
        return ""

    def _jumped(self, before: Any, seen: HandSample) -> bool:
        after = pose_of(seen.pose)
        way = float(np.linalg.norm(after.translation - before.translation))
        return not (way <= self._config.max_jump and angle_between(after, before) <= self._config.max_jump_angle)

    def _note(self, sample: HandsSample, palms: Mapping[str, FloatArray]) -> None:
        sound = {h: s for h, s in sample.hands.items() if h in self._names and s.tracked and np.isfinite(s.pose).all()}
        sound = {h: s for h, s in sound.items() if np.linalg.norm(s.pose[3:]) > 1e-6}
        self._seen = {h: pose_of(s.pose) for h, s in sound.items()}
        self._tracked = frozenset(sound)
        if sample.head is not None and np.isfinite(sample.head).all() and np.linalg.norm(sample.head[3:]) > 1e-6:
            self._head = sample.head
            if self._config.heading and not self._machine.active:
                self._turn = _level(pose_of(sample.head).rotation).T
        self._angles = {
            h: angle_between(self._facing(h), pose_of(np.concatenate([np.zeros(3), palms[h]]))) for h in self._seen if h in palms
        }
        self._precise = any(s.precise for s in sound.values())

    def _facing(self, hand: str) -> Any:
        """Return where a hand is in the person's world, turned so that the person faces +x."""
        pose = self._seen[hand]
        return pin.SE3(self._turn @ pose.rotation, self._turn @ pose.translation)

    def _lead(self, sample: HandsSample) -> None:
        elapsed = min(max((sample.stamp - self._stamp) * 1e-9, 0.0), _LONGEST) if self._stamp else 0.0
        self._stamp = max(sample.stamp, self._stamp)
        scale = self._effective()
        self._offsets = {h: o for h, o in self._offsets.items() if h in self._machine.active}
        for hand in self._machine.active:
            human = self._facing(hand)
            offset, its_scale = self._offsets.get(hand, (None, 0.0))
            if offset is None or its_scale != scale:
                offset = ClutchOffset(human, self._led[hand])
                self._offsets[hand] = (offset, scale)
            limits = (self._config.max_speed * elapsed, self._config.max_turn * elapsed)
            self._led[hand] = limited(self._led[hand], offset.goal(human, scale), *limits)

    def _frames(self, stamp: int) -> HumanFrames:
        rows = np.stack([self._head, *(seven_of(self._led[h]) for h in self._names)])
        engaged = self._machine.phase is Phase.ENGAGED
        names = ("head", *self._names)
        return HumanFrames(stamp, self._name, engaged, names, rows[:, :3], rows[:, 3:], np.ones(len(names)))


def _level(rotation: FloatArray) -> FloatArray:
    """Return the turn about the vertical of an orientation; none if it looks straight up or down."""
    forward = rotation[:2, 0]
    if not np.linalg.norm(forward) > 0.1:
        return np.eye(3)
    level: FloatArray = pin.utils.rotate("z", float(np.arctan2(forward[1], forward[0])))
    return level
