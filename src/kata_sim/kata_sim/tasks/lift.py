# SPDX-License-Identifier: Apache-2.0
"""The lift task: take a box from a table with both palms and raise it."""

from typing import Any

import mujoco
import numpy as np

from kata_sim.tasks.furniture import add_pads, add_table, add_thing
from kata_sim.tasks.specs import LiftSpec, Pad, Table
from kata_sim.tasks.task import Latch, TaskState, World, upright
from kata_teleop.tasks import TASK_TEXTS

__all__ = ["BOX", "HOLD", "RISE", "LiftTask"]

BOX = "box"
RISE = 0.10
"""By how much the box must rise [m]."""
HOLD = 0.5
"""How long it must stay so high [s]."""


class LiftTask:
    """Judges how high a box is over where it stood.

    Args:
        spec: The box.
        table: Where it stands.
        pads: What the hands touch with.
    """

    name, text, timeout = "lift", TASK_TEXTS["lift"], 8.0

    def __init__(self, spec: LiftSpec, table: Table, pads: tuple[Pad, ...]) -> None:
        """Take the scene."""
        self._spec, self._table, self._pads = spec, table, pads
        self._latch = Latch(HOLD)

    def furnish(self, spec: Any, base_height: float) -> None:
        """Add table, box and pads."""
        add_table(spec, self._table, base_height + self._spec.table)
        add_pads(spec, self._pads)
        add_thing(spec, BOX, mujoco.mjtGeom.mjGEOM_BOX, self._spec.half, self._spec.mass)

    def reset(self, rng: np.random.Generator, world: World, now: int) -> None:
        """Put the box somewhere on the table, turned a little."""
        x, y = rng.uniform(self._spec.low, self._spec.high)
        yaw = rng.uniform(-self._spec.yaw, self._spec.yaw)
        world.place(BOX, upright(np.array([x, y, self._stands]), yaw))
        self._latch.clear(now)

    @property
    def _stands(self) -> float:
        """Height of the box's middle where it stands [m]."""
        return float(self._spec.table + self._spec.half[2])

    def update(self, world: World, now: int) -> None:
        """Judge one instant [ns]; NaN is not high."""
        self._latch.note(bool(world.pose(BOX)[2] - self._stands > RISE), now)

    def state(self, world: World, now: int) -> TaskState:
        """Return how far the task has come at a time [ns]."""
        return TaskState(self.name, {BOX: world.pose(BOX)}, self._latch.met, self._latch.elapsed(now))
