# SPDX-License-Identifier: Apache-2.0
"""The skill of pushing a puck: the palm behind it, then on towards the goal while the eyes steer."""

from dataclasses import dataclass

import numpy as np
import pinocchio as pin

from kata_model.arrays import FloatArray
from kata_model.config.params import param
from kata_teleop.scripted.moves import Move, pace
from kata_teleop.scripted.person import Poses

__all__ = ["PushSkill", "PushSkillConfig"]

_AIM = 0.03
"""Distance to the goal from which on the direction is kept [m]: it would jitter."""
_SWERVE = 0.4
"""Largest angle of push and palm's facing [rad]: a puck is not pushed around a corner."""
_SLACK = 0.015
"""Farthest that the hand is beside the palm [m]."""


@dataclass(frozen=True)
class PushSkillConfig:
    """How a puck is pushed."""

    behind: float = param(0.11, unit="m", low=0.05, high=0.5, doc="Distance of palm and puck's middle before the push.")
    above: float = param(0.03, unit="m", low=0.0, high=0.2, doc="Height of the palm over the puck's middle.")
    approach: float = param(0.8, unit="s", low=0.2, high=10.0, doc="Mean time to get there, still over the table.")
    lowering: float = param(0.6, unit="s", low=0.1, high=10.0, doc="Mean time to lower the palm behind the puck.")
    speed: float = param(0.12, unit="m/s", low=0.01, high=1.0, doc="Fastest push.")
    slowing: float = param(1.2, unit="1/s", low=0.1, high=10.0, doc="Speed for the distance that is left to the goal.")
    creep: float = param(0.02, unit="m/s", low=0.001, high=0.1, doc="Slowest push.")
    steering: float = param(3.0, unit="1/s", low=0.0, high=20.0, doc="Sideways speed for the distance of palm and line of push.")
    lead: float = param(0.04, unit="m", low=0.005, high=0.2, doc="Farthest that the hand is ahead of the palm.")
    rise_time: float = param(0.3, unit="s", low=0.01, high=2.0, doc="Time constant of the speed.")
    content: float = param(0.01, unit="m", low=0.001, high=0.04, doc="Distance to the goal that is good enough.")


class PushSkill:
    """Pushes with the right palm, which is turned to face the goal."""

    hands: tuple[str, ...] = ("right_hand",)
    objects: tuple[str, ...] = ("puck", "goal")

    def __init__(self, config: PushSkillConfig, rng: np.random.Generator, spread: float) -> None:
        """Take how it is done and how much times vary (relative standard deviation)."""
        self._config, self._rng, self._spread = config, rng, spread

    def begin(self, objects: Poses, palms: Poses, now: int) -> None:
        """Plan the way to the far side of the puck."""
        puck, goal = objects["puck"][:3], objects["goal"][:3]
        self._direction = self._facing = _unit((goal - puck)[:2])
        place = puck + np.array([*(-self._config.behind * self._direction), self._config.above])
        yaw = float(np.arctan2(-self._direction[0], self._direction[1]))
        turn = pin.Quaternion(np.array([0.0, 0.0, np.sin(yaw / 2.0), np.cos(yaw / 2.0)]))
        self._turn = (turn * pin.Quaternion(palms["right_hand"][3:].copy())).coeffs()  # else as the hand rests
        self._speed_factor = 1.0 / pace(self._rng, 1.0, self._spread)
        over = np.array([*place[:2], max(place[2], palms["right_hand"][2]), *self._turn])
        durations = [pace(self._rng, mean, self._spread) for mean in (self._config.approach, self._config.lowering)]
        self._over = Move(palms["right_hand"], over, now, durations[0])
        self._down = Move(over, np.concatenate([place, self._turn]), now + round(1e9 * durations[0]), durations[1])
        self._place, self._velocity, self._last = place, np.zeros(2), now

    def wish(self, objects: Poses, palms: Poses, now: int) -> Poses:
        """Return where the palm should be: on the way behind the puck, or on towards the goal."""
        elapsed, self._last = (now - self._last) * 1e-9, now
        if not self._down.over(now):
            return {"right_hand": (self._down if self._over.over(now) else self._over).at(now)}
        wanted = self._push(objects["puck"][:2], objects["goal"][:2])
        self._velocity = self._velocity + (wanted - self._velocity) * min(elapsed / self._config.rise_time, 1.0)
        place = self._place[:2] + self._velocity * elapsed
        ahead = place - palms["right_hand"][:2]
        onward = np.clip(ahead @ self._direction, -self._config.lead, self._config.lead) * self._direction
        sideways = _left_of(self._direction)
        place = palms["right_hand"][:2] + onward + np.clip(ahead @ sideways, -_SLACK, _SLACK) * sideways
        self._place = np.array([*place, self._place[2]])
        return {"right_hand": np.concatenate([self._place, self._turn])}

    def _push(self, puck: FloatArray, goal: FloatArray) -> FloatArray:
        """Return the velocity of the hand that brings the puck on, shape (2,), [m/s]."""
        config, way = self._config, goal - puck
        left = float(np.linalg.norm(way))
        if left > _AIM:
            turn = np.arctan2(way @ _left_of(self._facing), way @ self._facing)
            turn = np.clip(turn, -_SWERVE, _SWERVE)
            self._direction = np.cos(turn) * self._facing + np.sin(turn) * _left_of(self._facing)
        along = float(way @ self._facing)
        if along < config.content:
            return np.zeros(2)
        speed = min(config.speed, config.creep + config.slowing * (along - config.content)) * self._speed_factor
        sideways = _left_of(self._direction)
        off = float(sideways @ (puck - self._place[:2]))
        velocity: FloatArray = speed * self._direction + config.steering * off * sideways
        return velocity


def _left_of(direction: FloatArray) -> FloatArray:
    """Return a direction, shape (2,), turned by a quarter to the left."""
    return np.array([-direction[1], direction[0]])


def _unit(vector: FloatArray) -> FloatArray:
    unit: FloatArray = vector / max(float(np.linalg.norm(vector)), 1e-9)
    return unit
