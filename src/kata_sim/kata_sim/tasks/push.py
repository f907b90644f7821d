# SPDX-License-Identifier: Apache-2.0
"""The push task: shove a puck over a table to a goal, and leave it there at rest."""

from typing import Any

import mujoco
import numpy as np

from kata_model.arrays import FloatArray
from kata_sim.tasks.furniture import GOAL, add_marker, add_pads, add_table, add_thing
from kata_sim.tasks.specs import Pad, PushSpec, Table
from kata_sim.tasks.task import Latch, TaskState, World, upright
from kata_teleop.tasks import TASK_TEXTS

__all__ = ["HOLD", "PUCK", "SPEED", "TOLERANCE", "PushTask"]

PUCK = "puck"
TOLERANCE = 0.04
"""How near the puck's middle must be to the goal's [m]."""
SPEED = 0.05
"""How slow the puck must be there [m/s]."""
HOLD = 0.2
"""How long both must hold [s]."""

_DISC = 0.002
"""Height of the disc that shows the goal [m]."""
_DRAWS = 256


class PushTask:
    """Judges where a puck is against a goal, and whether it rests.

    Args:
        spec: Puck and goal.
        table: Where they are.
        pads: What the hands touch with.
    """

    name, text, timeout = "push", TASK_TEXTS["push"], 10.0

    def __init__(self, spec: PushSpec, table: Table, pads: tuple[Pad, ...]) -> None:
        """Take the scene."""
        self._spec, self._table, self._pads = spec, table, pads
        self._latch = Latch(HOLD)
        self._goal: FloatArray = upright(np.array([*(spec.goal_low + spec.goal_high) / 2, spec.table]))

    def furnish(self, spec: Any, base_height: float) -> None:
        """Add table, puck, goal and pads."""
        add_table(spec, self._table, base_height + self._spec.table)
        add_pads(spec, self._pads)
        size = [self._spec.radius, self._spec.height / 2, 0]
        add_thing(spec, PUCK, mujoco.mjtGeom.mjGEOM_CYLINDER, size, self._spec.mass)
        add_marker(spec, TOLERANCE, _DISC)

    def reset(self, rng: np.random.Generator, world: World, now: int) -> None:
        """Draw puck and goal such that the way between them leads away from the hand."""
        pucks = rng.uniform(self._spec.low, self._spec.high, (_DRAWS, 2))
        goals = rng.uniform(self._spec.goal_low, self._spec.goal_high, (_DRAWS, 2))
        way = goals - pucks
        steep = np.abs(way[:, 0]) / np.maximum(np.abs(way[:, 1]), 1e-9)
        good = np.flatnonzero(steep <= self._spec.slope)
        chosen = good[0] if len(good) else steep.argmin()
        self._goal = upright(np.array([*goals[chosen], self._spec.table]))
        world.place(GOAL, self._goal)
        world.place(PUCK, upright(np.array([*pucks[chosen], self._spec.table + self._spec.height / 2])))
        self._latch.clear(now)

    def update(self, world: World, now: int) -> None:
        """Judge one instant [ns]; NaN is far."""
        x, y = (world.pose(PUCK)[:2] - self._goal[:2]).tolist()
        near = x * x + y * y <= TOLERANCE**2
        self._latch.note(near and bool(np.linalg.norm(world.velocity(PUCK)) <= SPEED), now)

    def state(self, world: World, now: int) -> TaskState:
        """Return how far the task has come at a time [ns]."""
        objects = {PUCK: world.pose(PUCK), GOAL: self._goal}
        return TaskState(self.name, objects, self._latch.met, self._latch.elapsed(now))
