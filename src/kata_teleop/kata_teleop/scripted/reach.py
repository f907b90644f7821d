# SPDX-License-Identifier: Apache-2.0
"""The skill of reaching: submovements, by which a person brings the robot's palm to a goal.

A reach is one fast minimum-jerk movement that ends a little off, by an error that grows with its length, and
corrective submovements after a look at where the palm has come to rest (Meyer et al. 1988, Psychological
Review 95(3)).
"""

from dataclasses import dataclass

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.config.params import param
from kata_model.kinematics.minimum_jerk import minimum_jerk
from kata_teleop.scripted.moves import pace
from kata_teleop.scripted.person import Poses

__all__ = ["ReachSkill", "ReachSkillConfig"]

_HAND = "right_hand"


@dataclass(frozen=True)
class ReachSkillConfig:
    """How a goal is reached."""

    look: float = param(0.18, unit="s", low=0.0, high=2.0, doc="Mean time from a movement's end to a look at the palm.")
    base_duration: float = param(0.5, unit="s", low=0.1, high=5.0, doc="Duration of the shortest movement.")
    pace: float = param(1.6, unit="s/m", low=0.0, high=20.0, doc="Added duration per distance.")
    miss: float = param(0.04, unit="m/m", low=0.0, high=0.5, doc="Standard deviation of a movement's end per distance and axis.")
    content: float = param(0.008, unit="m", low=0.001, high=0.1, doc="Distance to the goal that needs no correction.")


class ReachSkill:
    """Brings the right palm to the goal, and does not turn it."""

    hands: tuple[str, ...] = (_HAND,)
    objects: tuple[str, ...] = ("goal",)

    def __init__(self, config: ReachSkillConfig, rng: np.random.Generator, spread: float) -> None:
        """Take how it is done and how much times vary (relative standard deviation)."""
        self._config, self._rng, self._spread = config, rng, spread

    def begin(self, objects: Poses, palms: Poses, now: int) -> None:
        """Start where the palm is; the first submovement is planned at the first look, now."""
        self._start = self._end = palms[_HAND][:3]
        self._turn = palms[_HAND][3:]
        self._begins, self._duration = now, 1.0
        self._ready = now

    def wish(self, objects: Poses, palms: Poses, now: int) -> Poses:
        """Return where the palm should be: on the way, or at the last submovement's end."""
        if now >= self._ready:
            self._plan(objects["goal"][:3] - palms[_HAND][:3], now)
        place = minimum_jerk(self._start, self._end, self._duration, (now - self._begins) * 1e-9)
        return {_HAND: np.concatenate([place, self._turn])}

    def _plan(self, way: FloatArray, now: int) -> None:
        """Choose the next submovement; way is what the palm still lacks to the goal, shape (3,), [m]."""
        distance = float(np.linalg.norm(way))
        self._start = self._end
        if distance <= self._config.content:
            self._ready = now + self._time(self._config.look)
            return
        self._end = self._start + way + self._rng.normal(0.0, self._config.miss * distance, 3)
        duration = self._time(self._config.base_duration + self._config.pace * distance)
        self._begins, self._duration = now, duration * 1e-9
        self._ready = now + duration + self._time(self._config.look)

    def _time(self, mean: float) -> int:
        """Draw a time around a mean [s]; returns [ns]."""
        return round(1e9 * pace(self._rng, mean, self._spread))
