# SPDX-License-Identifier: Apache-2.0
"""The reach task: bring the palm to a random goal and keep it there."""

from typing import Any

import numpy as np

from kata_model.arrays import FloatArray
from kata_sim.tasks.furniture import GOAL, add_marker
from kata_sim.tasks.specs import GoalBox
from kata_sim.tasks.task import Latch, TaskState, World, upright
from kata_teleop.tasks import TASK_TEXTS

__all__ = ["HOLD", "TOLERANCE", "ReachTask"]

TOLERANCE = 0.02
"""How near the palm must come [m]; the goal's sphere is as large, so that what one sees is what counts."""
HOLD = 0.5
"""How long it must stay there without leaving [s]."""

_LEAST_WAY = 0.08
"""Goals nearer to the palm than this would be no task [m]."""
_DRAWS = 32
"""Goals drawn at once; if none is far enough, the box is small and the farthest is taken."""


class ReachTask:
    """Judges the palm's distance to a goal.

    Args:
        box: Where goals lie, and which frame of the robot is to reach them.
    """

    name, text, timeout = "reach", TASK_TEXTS["reach"], 6.0

    def __init__(self, box: GoalBox) -> None:
        """Start with the goal at the box's centre."""
        self.frame, self._box = box.frame, box
        self._latch = Latch(HOLD)
        self._goal: FloatArray = upright((box.low + box.high) / 2)

    @property
    def goal(self) -> FloatArray:
        """Where the goal is in the base's frame, shape (3,), [m]."""
        return self._goal[:3]

    def furnish(self, spec: Any, base_height: float) -> None:
        """Add the goal's sphere."""
        add_marker(spec, radius=TOLERANCE)

    def reset(self, rng: np.random.Generator, world: World, now: int) -> None:
        """Draw a goal, uniform in the box but not where the palm already is."""
        goals = rng.uniform(self._box.low, self._box.high, (_DRAWS, 3))
        distance = np.linalg.norm(goals - world.frame_position(self.frame), axis=1)
        far = np.flatnonzero(distance >= _LEAST_WAY)
        self._goal = upright(goals[far[0] if len(far) else distance.argmax()])
        world.place(GOAL, self._goal)
        self._latch.clear(now)

    def update(self, world: World, now: int) -> None:
        """Judge one instant [ns]; NaN is far."""
        dx, dy, dz = (world.frame_position(self.frame) - self.goal).tolist()
        self._latch.note(dx * dx + dy * dy + dz * dz <= TOLERANCE**2, now)

    def state(self, world: World, now: int) -> TaskState:
        """Return how far the task has come at a time [ns]."""
        return TaskState(self.name, {GOAL: self._goal}, self._latch.met, self._latch.elapsed(now))
