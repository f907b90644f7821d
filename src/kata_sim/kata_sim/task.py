# SPDX-License-Identifier: Apache-2.0
"""The reach task: bring the palm to a random goal and keep it there."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kata_core.arrays import FloatArray, frozen
from kata_sim.robot_data import GoalBox

__all__ = ["GOAL", "HOLD", "TOLERANCE", "ReachTask", "TaskState"]

GOAL = "goal"
TOLERANCE = 0.02
"""How near the palm must come [m]."""
HOLD = 0.5
"""How long it must stay there without leaving [s]."""

_LEAST_WAY = 0.08
"""Goals nearer to the palm than this would be no task [m]."""
_DRAWS = 32
"""Goals drawn at once; if none is far enough, the box is small and the farthest is taken."""


@dataclass(frozen=True, slots=True)
class TaskState:
    """How far a task has come.

    Attributes:
        task: Name of the task.
        objects: Positions by object in the base's frame, shape (3,) each, [m].
        success: Whether the criterion held at some time since the last reset.
        elapsed: Time since the last reset [s].
    """

    task: str
    objects: dict[str, FloatArray]
    success: bool
    elapsed: float


class ReachTask:
    """Judges the palm's distance to a goal; success is latched until the next reset.

    Args:
        box: Where goals lie, and which frame of the robot is to reach them.
    """

    name = "reach"

    def __init__(self, box: GoalBox) -> None:
        """Start with the goal at the box's centre."""
        self.frame = box.frame
        self._box = box
        self._start = 0
        self._near_since: int | None = None
        self._success = False
        self.goal: FloatArray = frozen("goal", (box.low + box.high) / 2, (3,))

    def reset(self, rng: np.random.Generator, palm: ArrayLike, now: int) -> None:
        """Draw a goal, uniform in the box but not where the palm already is.

        Args:
            rng: Source of chance.
            palm: Position of the frame in the base's frame, shape (3,), [m].
            now: Time of the reset [ns].
        """
        goals = rng.uniform(self._box.low, self._box.high, (_DRAWS, 3))
        distance = np.linalg.norm(goals - np.asarray(palm, dtype=float), axis=1)
        far = np.flatnonzero(distance >= _LEAST_WAY)
        self.goal = frozen("goal", goals[far[0] if len(far) else distance.argmax()], (3,))
        self._start, self._near_since, self._success = now, None, False

    def update(self, palm: ArrayLike, now: int) -> None:
        """Judge one instant.

        Args:
            palm: Position of the frame in the base's frame, shape (3,), [m]; NaN is far.
            now: Time [ns].
        """
        dx, dy, dz = np.asarray(palm, dtype=float) - self.goal
        if not (dx * dx + dy * dy + dz * dz <= TOLERANCE**2):
            self._near_since = None
        elif self._near_since is None:
            self._near_since = now
        else:
            self._success = self._success or (now - self._near_since) * 1e-9 >= HOLD

    def state(self, now: int) -> TaskState:
        """Return how far the task has come at a time [ns]."""
        return TaskState(self.name, {GOAL: self.goal}, self._success, (now - self._start) * 1e-9)
