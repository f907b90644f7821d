# SPDX-License-Identifier: Apache-2.0
"""The skill of lifting a box: palms beside it, closing until both feel it, up."""

from dataclasses import dataclass

import numpy as np
import pinocchio as pin

from kata_model.arrays import FloatArray
from kata_model.config.params import param
from kata_teleop.scripted.moves import Move, pace, turned
from kata_teleop.scripted.person import Poses

__all__ = ["LiftSkill", "LiftSkillConfig"]

_SIDE = {"left_hand": 1.0, "right_hand": -1.0}
_LEAST = 0.02
"""Nearest that a hand goes to the box's middle [m], should nothing be felt."""


@dataclass(frozen=True)
class LiftSkillConfig:
    """How a box is lifted."""

    stand_off: float = param(0.18, unit="m", low=0.05, high=0.5, doc="Distance of palms and box's middle before the grasp.")
    approach: float = param(1.0, unit="s", low=0.2, high=10.0, doc="Mean time to get there.")
    closing: float = param(0.12, unit="m/s", low=0.01, high=1.0, doc="Speed of the closing hands.")
    squeeze: float = param(0.03, unit="m", low=0.005, high=0.1, doc="How far the hands go on when the palms have met the box.")
    rise: float = param(0.16, unit="m", low=0.01, high=0.5, doc="How high the box is lifted.")
    lifting: float = param(1.4, unit="s", low=0.2, high=10.0, doc="Mean time of the lift.")


class LiftSkill:
    """Holds the box between two palms; a hand that the palm no longer follows has met it."""

    hands: tuple[str, ...] = ("left_hand", "right_hand")
    objects: tuple[str, ...] = ("box",)

    def __init__(self, config: LiftSkillConfig, rng: np.random.Generator, spread: float) -> None:
        """Take how it is done and how much times vary (relative standard deviation)."""
        self._config, self._rng, self._spread = config, rng, spread
        self._gap: dict[str, float] = {}

    def begin(self, objects: Poses, palms: Poses, now: int) -> None:
        """Plan the way to both sides of the box."""
        box = objects["box"]
        self._middle, self._yaw = box[:3].copy(), float(pin.rpy.matrixToRpy(pin.XYZQUATToSE3(box).rotation)[2])
        self._gap = dict.fromkeys(self.hands, self._config.stand_off)
        duration = pace(self._rng, self._config.approach, self._spread)
        self._moves = {hand: Move(palms[hand], self._beside(hand), now, duration) for hand in self.hands}
        self._last, self._lift = now, 0
        self._lifting = pace(self._rng, self._config.lifting, self._spread)

    def wish(self, objects: Poses, palms: Poses, now: int) -> Poses:
        """Return where the palms should be: on the way, closing, or with the box."""
        elapsed, self._last = (now - self._last) * 1e-9, now
        if not self._moves["left_hand"].over(now):
            return {hand: move.at(now) for hand, move in self._moves.items()}
        if not self._lift:
            felt = [self._close(hand, palms[hand], elapsed) for hand in self.hands]
            self._lift = now if all(felt) else 0
        grips = {hand: self._beside(hand) for hand in self.hands}
        if not self._lift:
            return grips
        up = np.array([0.0, 0.0, self._config.rise, 0.0, 0.0, 0.0, 0.0])
        return {hand: Move(grip, grip + up, self._lift, self._lifting).at(now) for hand, grip in grips.items()}

    def _beside(self, hand: str) -> FloatArray:
        """Return a palm's pose beside the box, as far from its middle as the hand's gap now is."""
        side = np.array([-np.sin(self._yaw), np.cos(self._yaw), 0.0])
        return turned(self._middle + _SIDE[hand] * self._gap[hand] * side, self._yaw)

    def _close(self, hand: str, palm: FloatArray, elapsed: float) -> bool:
        """Move a hand inwards, unless its palm stays behind; return whether it does."""
        side = _SIDE[hand] * np.array([-np.sin(self._yaw), np.cos(self._yaw), 0.0])
        behind = float(side @ (palm[:3] - self._beside(hand)[:3]))
        if behind >= self._config.squeeze or self._gap[hand] <= _LEAST:
            return True
        self._gap[hand] -= self._config.closing * elapsed
        return False
