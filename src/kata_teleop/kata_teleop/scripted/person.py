# SPDX-License-Identifier: Apache-2.0
"""A scripted person with VR controllers: watches objects and the robot's palms, and leads the palms by a skill.

The person's world has the axes of the robot's base, and the robot repeats displacements and turns of the hands
one to one from where its palms were at engage. Hands tremble at 8 to 12 Hz (Elble & Koller 1990).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pinocchio as pin

from kata_model.arrays import FloatArray
from kata_model.config.params import param
from kata_model.frames import HumanFrames
from kata_model.robot import RobotModel

__all__ = ["PersonConfig", "Poses", "ScriptedPerson", "Skill", "palms_of"]

Poses = Mapping[str, FloatArray]
"""By name, position [m] and xyzw quaternion in the base's frame, shape (7,) each."""

_HEAD = np.array([0.0, 0.0, 1.62])
_REST = {"left_hand": np.array([0.25, 0.22, 1.05]), "right_hand": np.array([0.25, -0.22, 1.05])}
_TREMOR_HZ = np.array([8.3, 9.7, 11.1])


class Skill(Protocol):
    """How a task is done with the palms.

    Attributes:
        hands: Human hands that take part, such as ``right_hand``.
        objects: Objects that must be seen.
    """

    hands: tuple[str, ...]
    objects: tuple[str, ...]

    def begin(self, objects: Poses, palms: Poses, now: int) -> None:
        """Plan, from palms by hand at a time [ns]."""
        ...

    def wish(self, objects: Poses, palms: Poses, now: int) -> Poses:
        """Return where each palm should be at a time [ns], by hand."""
        ...


@dataclass(frozen=True)
class PersonConfig:
    """How the person differs from a machine."""

    seed: int = param(0, low=0, high=2**31 - 1, doc="Seed of all variation.")
    reaction: float = param(0.25, unit="s", low=0.0, high=2.0, doc="Mean time from engaging to the first movement.")
    spread: float = param(0.15, unit="1", low=0.0, high=0.5, doc="Relative standard deviation of all times.")
    tremor: float = param(0.0003, unit="m", low=0.0, high=0.01, doc="Amplitude of the hand's tremor.")
    noise: float = param(0.0002, unit="m", low=0.0, high=0.01, doc="Standard deviation of the tracker's noise.")


class ScriptedPerson:
    """Moves hands so that the robot's palms do what a skill wishes; knows no robot."""

    def __init__(self, skill: Skill, config: PersonConfig, rng: np.random.Generator) -> None:
        """Start with the hands at rest and the clutch open.

        Args:
            skill: What is done.
            config: How unlike a machine.
            rng: Source of the variation; shared with the skill.
        """
        self._skill, self._config, self._rng = skill, config, rng
        self._engaged = self._begun = False
        self._ready = 0
        self._clutch: dict[str, FloatArray] = {}
        self._wish: Poses = {}
        self._phase = rng.uniform(0.0, 2.0 * np.pi, (len(skill.hands), 3))

    @property
    def engaged(self) -> bool:
        """Whether the clutch is closed."""
        return self._engaged

    def missing(self, objects: Poses, palms: Poses) -> str:
        """Return what must be seen and is not, or an empty string."""
        lacking = [name for name in self._skill.objects if name not in objects]
        lacking += [f"palm of the {hand}" for hand in self._skill.hands if hand not in palms]
        return ", ".join(lacking)

    def engage(self, now: int) -> None:
        """Close the clutch at a time [ns]; the first movement begins after a reaction time."""
        late = max(1.0 + self._rng.normal(0.0, self._config.spread), 1.0 / 3.0)
        self._engaged, self._begun = True, False
        self._ready = now + round(1e9 * self._config.reaction * late)
        self._clutch, self._wish = {}, {}

    def disengage(self) -> None:
        """Open the clutch and drop the hands."""
        self._engaged = self._begun = False
        self._clutch, self._wish = {}, {}

    def step(self, objects: Poses, palms: Poses, now: int) -> HumanFrames:
        """Return what a tracker sees of the person at a time [ns], palms by human hand; who does not see waits."""
        if self._engaged and not self.missing(objects, palms):
            self._clutch = self._clutch or {hand: np.array(palms[hand]) for hand in self._skill.hands}
            if now >= self._ready:
                if not self._begun:
                    self._skill.begin(objects, self._clutch, now)
                    self._begun = True
                self._wish = self._skill.wish(objects, palms, now)
        hands = [self._hand(hand, self._wish.get(hand)) for hand in self._skill.hands]
        position = np.stack([_HEAD, *(place + self._shake(i, now) for i, (place, _) in enumerate(hands))])
        turn = np.stack([np.array([0.0, 0.0, 0.0, 1.0]), *(turn for _, turn in hands)])
        return HumanFrames(now, "operator", self._engaged, ("head", *self._skill.hands), position, turn, np.ones(len(position)))

    def _hand(self, hand: str, wish: FloatArray | None) -> tuple[FloatArray, FloatArray]:
        """Return where a hand must be, and how turned, for the palm to be where it is wished."""
        if wish is None:
            return _REST[hand], np.array([0.0, 0.0, 0.0, 1.0])
        was, wanted = pin.XYZQUATToSE3(self._clutch[hand]), pin.XYZQUATToSE3(wish)
        turn = pin.Quaternion(wanted.rotation @ was.rotation.T)
        return _REST[hand] + wanted.translation - was.translation, turn.coeffs()

    def _shake(self, row: int, now: int) -> FloatArray:
        """Return tremor and tracker noise of a hand, shape (3,), [m]."""
        tremor = self._config.tremor * np.sin(2.0 * np.pi * _TREMOR_HZ * now * 1e-9 + self._phase[row])
        shake: FloatArray = tremor + self._rng.normal(0.0, self._config.noise, 3)
        return shake


def palms_of(robot: RobotModel, position: FloatArray) -> dict[str, FloatArray]:
    """Return the palms' poses in the base's frame by human hand, shape (7,), for joint positions of shape (n,), [rad]."""
    hands = robot.description.hands
    poses = robot.frame_poses(position, tuple(spec.frame for spec in hands.values()))
    return {hand: pin.SE3ToXYZQUAT(pose) for hand, pose in zip(hands, poses, strict=True)}
