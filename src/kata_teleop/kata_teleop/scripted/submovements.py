# SPDX-License-Identifier: Apache-2.0
"""A scripted person with a VR controller, who brings the robot's palm to a goal as people do.

A reach is one fast minimum-jerk movement that ends a little off, by an error that grows with its length, and
corrective submovements after a look at where the palm has come to rest (Meyer et al. 1988, Psychological
Review 95(3)); hands tremble at 8 to 12 Hz (Elble & Koller 1990).
"""

from dataclasses import dataclass

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.config.params import param
from kata_model.frames import HumanFrames
from kata_model.kinematics.minimum_jerk import minimum_jerk

__all__ = ["OperatorConfig", "ScriptedOperator"]

_HEAD = np.array([0.0, 0.0, 1.62])
_HAND_AT_REST = np.array([0.25, -0.22, 1.05])
_UPRIGHT = np.array([[0.0, 0.0, 0.0, 1.0]] * 2)
_TRACKED = np.ones(2)
_TREMOR_HZ = np.array([8.3, 9.7, 11.1])


@dataclass(frozen=True)
class OperatorConfig:
    """How the person moves."""

    seed: int = param(0, low=0, high=2**31 - 1, doc="Seed of all variation.")
    reaction: float = param(0.25, unit="s", low=0.0, high=2.0, doc="Mean time from engaging to the first movement.")
    look: float = param(0.18, unit="s", low=0.0, high=2.0, doc="Mean time from a movement's end to a look at the palm.")
    base_duration: float = param(0.5, unit="s", low=0.1, high=5.0, doc="Duration of the shortest movement.")
    pace: float = param(1.6, unit="s/m", low=0.0, high=20.0, doc="Added duration per distance.")
    spread: float = param(0.15, unit="1", low=0.0, high=0.5, doc="Relative standard deviation of all times.")
    miss: float = param(0.04, unit="m/m", low=0.0, high=0.5, doc="Standard deviation of a movement's end per distance and axis.")
    tremor: float = param(0.0003, unit="m", low=0.0, high=0.01, doc="Amplitude of the hand's tremor.")
    noise: float = param(0.0002, unit="m", low=0.0, high=0.01, doc="Standard deviation of the tracker's noise.")
    content: float = param(0.008, unit="m", low=0.001, high=0.1, doc="Distance to the goal that needs no correction.")


class ScriptedOperator:
    """Moves a right hand so that the robot's palm comes to the goal; sees both, knows no robot.

    The person's world has the axes of the robot's base, and the robot repeats displacements one to one.
    """

    def __init__(self, config: OperatorConfig) -> None:
        """Start with the hand at rest and the clutch open."""
        self._config = config
        self._random = np.random.default_rng(config.seed)
        self._engaged = False
        self._start: FloatArray = _HAND_AT_REST
        self._end: FloatArray = _HAND_AT_REST
        self._begins, self._duration = 0, 1.0
        self._ready = 0
        self._tremor_phase = self._random.uniform(0.0, 2.0 * np.pi, 3)

    @property
    def engaged(self) -> bool:
        """Whether the clutch is closed."""
        return self._engaged

    def engage(self, now: int) -> None:
        """Close the clutch at a time [ns]; the first movement begins after a reaction time."""
        self._engaged = True
        self._start = self._end = _HAND_AT_REST
        self._ready = now + self._time(self._config.reaction)

    def disengage(self) -> None:
        """Open the clutch and drop the hand."""
        self._engaged = False
        self._start = self._end = _HAND_AT_REST

    def step(self, goal: FloatArray | None, palm: FloatArray | None, now: int) -> HumanFrames:
        """Return what a tracker sees of the person.

        Args:
            goal: Position of the goal in the robot's base frame, shape (3,), [m]; None if unseen.
            palm: Position of the robot's palm, as above.
            now: Time [ns].
        """
        if self._engaged and goal is not None and palm is not None and now >= self._ready:
            self._plan(goal - palm, now)
        hand = minimum_jerk(self._start, self._end, self._duration, (now - self._begins) * 1e-9)
        position = np.stack([_HEAD, hand + self._shake(now)])
        return HumanFrames(now, "operator", self._engaged, ("head", "right_hand"), position, _UPRIGHT, _TRACKED)

    def _plan(self, way: FloatArray, now: int) -> None:
        """Choose the next submovement; way is what the palm still lacks to the goal, shape (3,), [m]."""
        distance = float(np.linalg.norm(way))
        self._start = self._end
        if distance <= self._config.content:
            self._ready = now + self._time(self._config.look)
            return
        self._end = self._start + way + self._random.normal(0.0, self._config.miss * distance, 3)
        duration = self._time(self._config.base_duration + self._config.pace * distance)
        self._begins, self._duration = now, duration * 1e-9
        self._ready = now + duration + self._time(self._config.look)

    def _time(self, mean: float) -> int:
        """Draw a time around a mean [s]; never under a third of it. Returns [ns]."""
        return round(1e9 * mean * max(1.0 + self._random.normal(0.0, self._config.spread), 1.0 / 3.0))

    def _shake(self, now: int) -> FloatArray:
        """Return tremor and tracker noise, shape (3,), [m]."""
        tremor = self._config.tremor * np.sin(2.0 * np.pi * _TREMOR_HZ * now * 1e-9 + self._tremor_phase)
        shake: FloatArray = tremor + self._random.normal(0.0, self._config.noise, 3)
        return shake
