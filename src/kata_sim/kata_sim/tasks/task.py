# SPDX-License-Identifier: Apache-2.0
"""What a task is: things on a scene, a draw of where they lie, and a criterion that time either meets or not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from kata_model.arrays import FloatArray, frozen

__all__ = ["Latch", "Task", "TaskState", "World", "upright"]


@dataclass(frozen=True, slots=True)
class TaskState:
    """How far a task has come.

    Attributes:
        task: Name of the task.
        objects: By name, position [m] and xyzw quaternion in the base's frame, shape (7,) each; a goal is an object too.
        success: Whether the criterion held at some time since the last reset.
        elapsed: Time since the last reset [s].
    """

    task: str
    objects: Mapping[str, FloatArray]
    success: bool
    elapsed: float


class World(Protocol):
    """What a task sees of a simulation; all in the frame of the robot's base."""

    def frame_position(self, frame: str) -> FloatArray:
        """Return where a frame of the robot is, shape (3,), [m]."""
        ...

    def pose(self, body: str) -> FloatArray:
        """Return how an object lies, position [m] and xyzw quaternion, shape (7,)."""
        ...

    def velocity(self, body: str) -> FloatArray:
        """Return the linear velocity of an object against the world, shape (3,), [m/s]."""
        ...

    def place(self, body: str, pose: FloatArray) -> None:
        """Put an object somewhere, at rest; pose as above."""
        ...


class Task(Protocol):
    """One task of one robot; success is latched until the next reset.

    Attributes:
        name: Such as ``reach``.
        text: What a person would be told to do; stored with each episode.
        timeout: Time in which it should be done [s].
    """

    name: str
    text: str
    timeout: float

    def furnish(self, spec: Any, base_height: float) -> None:
        """Add the task's things to a ``mujoco.MjSpec`` whose base stands at a height [m] over the floor."""
        ...

    def reset(self, rng: np.random.Generator, world: World, now: int) -> None:
        """Draw where things lie, at a time [ns]."""
        ...

    def update(self, world: World, now: int) -> None:
        """Judge one instant [ns]."""
        ...

    def state(self, world: World, now: int) -> TaskState:
        """Return how far the task has come at a time [ns]."""
        ...


class Latch:
    """A criterion that must hold for a while without a break, and then counts as met until it is cleared."""

    def __init__(self, hold: float) -> None:
        """Take how long the criterion must hold [s]."""
        self._hold = round(hold * 1e9)
        self.clear(0)

    def clear(self, now: int) -> None:
        """Begin anew at a time [ns]."""
        self._start, self._since, self.met = now, -1, False

    def note(self, holds: bool, now: int) -> None:
        """Say whether the criterion holds at an instant [ns]."""
        if not holds:
            self._since = -1
        elif self._since < 0:
            self._since = now
        elif now - self._since >= self._hold:
            self.met = True

    def elapsed(self, now: int) -> float:
        """Return the time since the beginning [s]."""
        return (now - self._start) * 1e-9


def upright(position: FloatArray, yaw: float = 0.0) -> FloatArray:
    """Return the pose of a thing that stands at a position, shape (3,), [m], turned by a yaw [rad]; shape (7,)."""
    return frozen("pose", [*position, 0.0, 0.0, np.sin(yaw / 2.0), np.cos(yaw / 2.0)], (7,))
