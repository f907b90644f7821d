# SPDX-License-Identifier: Apache-2.0
"""A demonstration done again in another scene: its hand's path, carried along by the objects that it was about."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kata_data.dataset import Manifest
from kata_data.dataset.assemble import Steps
from kata_model.arrays import FloatArray
from kata_model.robot import RobotModel
from kata_teleop.scripted import Poses, palms_of

__all__ = ["REPEATED", "DemonstratedSkill", "Shown", "read_shown"]

REPEATED: Mapping[str, tuple[str, ...]] = {"reach": ("goal",), "lift": ("box",), "push": ("puck", "goal")}
"""By task: what the motion is about, in turn. The first object that moves is handed on to the next one as it goes there."""

_MOVED = 0.01
"""How far an object is from where it stood once it is being moved [m]."""
_APPROACH = 0.8
"""Share of the time before that, over which the path leaves the start and comes to belong to the object."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a demonstration was, without the robot.

    Attributes:
        rate: Rows a second [Hz].
        hands: By human hand, where its palm was led, shape (T, 7): position [m] and xyzw quaternion.
        objects: By object, where it was and how turned about the vertical, shape (T, 4), [m] and [rad].
    """

    rate: float
    hands: Mapping[str, FloatArray]
    objects: Mapping[str, FloatArray]


def read_shown(steps: Steps, about: Manifest, robot: RobotModel, names: tuple[str, ...]) -> Shown:
    """Return what an episode showed.

    Args:
        steps: The episode; it must observe ``joint_position`` and each object.
        about: Of its dataset.
        robot: The robot.
        names: The objects.

    Raises:
        KeyError: An object or the joints are not observed.
    """
    index = robot.layout.indices(about.joint_names)
    led, measured = (np.tile(robot.rest, (len(steps.action), 1)) for _ in range(2))
    led[:, index], measured[:, index] = steps.action, steps.observation["joint_position"]
    palms = [palms_of(robot, row) for row in led]
    moved = [hand for hand, spec in robot.description.hands.items() if set(spec.joints) & set(about.joint_names)]
    hands = {hand: np.array([row[hand] for row in palms]) for hand in moved}
    return Shown(about.rate, hands, {name: _track(steps, robot, measured, name) for name in names})


def _track(steps: Steps, robot: RobotModel, measured: FloatArray, name: str) -> FloatArray:
    place = steps.observation.get(f"object_position/{name}")
    if place is None:
        term = next((term for term in steps.observation if term.startswith(f"object_from_frame/{name}/")), None)
        if term is None:
            raise KeyError(name)
        frame = term.split("/")[2]
        palm = np.array([robot.frame_poses(row, (frame,))[0].translation for row in measured])
        place = steps.observation[term] + palm
    turn = steps.observation.get(f"object_rotation/{name}")
    yaw = np.zeros(len(measured)) if turn is None else np.arctan2(turn[:, 1], turn[:, 0])
    return np.column_stack([place, yaw])


@dataclass(frozen=True, slots=True)
class _Carry:
    """How a place beside an object is carried to the same place beside it in the new scene: a turn, then a shift."""

    old: FloatArray
    new: FloatArray
    yaw: float

    def place(self, position: FloatArray) -> FloatArray:
        cos, sin = np.cos(self.yaw), np.sin(self.yaw)
        turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
        carried: FloatArray = self.new + turn @ (position - self.old)
        return carried


class DemonstratedSkill:
    """A `Skill` that leads the palms as a demonstration did, about objects that stand elsewhere."""

    def __init__(self, shown: Shown, names: tuple[str, ...]) -> None:
        """Take what was shown, and the objects it was about, in turn."""
        self._shown, self.objects, self.hands = shown, names, tuple(shown.hands)
        first = shown.objects[names[0]]
        away = np.linalg.norm(first[:, :3] - first[0, :3], axis=1)
        moving = np.flatnonzero(away > _MOVED)
        self._contact = int(moving[0]) if len(moving) else len(first) - 1
        self._progress: FloatArray = np.clip(away / max(float(away[-1]), 1e-9), 0.0, 1.0)

    def begin(self, objects: Poses, palms: Poses, now: int) -> None:
        """Find how each object's surroundings are carried over, and begin at a time [ns]."""
        self._begun = now
        old = {name: self._shown.objects[name][0] for name in self.objects}
        new = {name: np.array([*objects[name][:3], _yaw(objects[name])]) for name in self.objects}
        if len(self.objects) > 1:  # what matters is the way from one object to the next, not how they are turned
            first, last = self.objects[0], self.objects[-1]
            turn = _heading(new[first], new[last]) - _heading(old[first], old[last])
        else:
            turn = new[self.objects[0]][3] - old[self.objects[0]][3]
        turn = float((turn + np.pi) % (2.0 * np.pi) - np.pi)
        self._carries = [_Carry(old[name][:3], new[name][:3], turn) for name in self.objects]
        self._starts = {hand: np.asarray(palms[hand])[:3] - self._shown.hands[hand][0, :3] for hand in self.hands}

    def wish(self, objects: Poses, palms: Poses, now: int) -> Poses:
        """Return where each palm should be at a time [ns]."""
        row = min(round((now - self._begun) * 1e-9 * self._shown.rate), len(self._progress) - 1)
        arrived = min(row / max(_APPROACH * self._contact, 1.0), 1.0)
        arrived = arrived * arrived * (3.0 - 2.0 * arrived)
        return {hand: self._led(hand, path[row], arrived, float(self._progress[row])) for hand, path in self._shown.hands.items()}

    def _led(self, hand: str, pose: FloatArray, arrived: float, progress: float) -> FloatArray:
        begin = pose[:3] + self._starts[hand]
        here, there = self._carries[0].place(pose[:3]), self._carries[-1].place(pose[:3])
        place = (1.0 - arrived) * begin + arrived * ((1.0 - progress) * here + progress * there)
        return np.concatenate([place, _turned(pose[3:], arrived * self._carries[0].yaw)])


def _turned(turn: FloatArray, yaw: float) -> FloatArray:
    """Return an xyzw quaternion after a further turn about the vertical [rad]."""
    x, y, z, w = turn
    sin, cos = np.sin(yaw / 2.0), np.cos(yaw / 2.0)
    return np.array([cos * x - sin * y, cos * y + sin * x, cos * z + sin * w, cos * w - sin * z])


def _yaw(pose: FloatArray) -> float:
    x, y, z, w = pose[3:7]
    return float(np.arctan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z)))


def _heading(begin: FloatArray, end: FloatArray) -> float:
    return float(np.arctan2(end[1] - begin[1], end[0] - begin[0]))
