# SPDX-License-Identifier: Apache-2.0
"""What stands in a task's scene: table, hands' pads, things to be moved, goals to be seen."""

from collections.abc import Sequence
from typing import Any

import mujoco
import numpy as np

from kata_model.arrays import FloatArray
from kata_sim.tasks.specs import Pad, Table

__all__ = ["GOAL", "TABLE", "add_marker", "add_pads", "add_table", "add_thing"]

GOAL = "goal"
TABLE = "table"

_ORANGE = (0.91, 0.30, 0.16, 1.0)
_WOOD = (0.62, 0.51, 0.40, 1.0)
_THICK = 0.03
"""Of the table top [m]."""
_PAD_FRICTION = (1.2, 0.01, 0.0005)
"""Rubber; sliding, torsional [m], rolling [m]."""
_THING_FRICTION = (0.6, 0.005, 0.0001)
_HIDDEN = 3


def add_marker(spec: Any, radius: float, height: float | None = None) -> None:
    """Add a goal that touches nothing: a sphere, or a disc of a height [m]."""
    body = spec.worldbody.add_body(name=GOAL, mocap=True, pos=[0, 0, -1])
    kind = mujoco.mjtGeom.mjGEOM_SPHERE if height is None else mujoco.mjtGeom.mjGEOM_CYLINDER
    size = [radius, 0 if height is None else height / 2, 0]
    body.add_geom(type=kind, size=size, rgba=_ORANGE, contype=0, conaffinity=0, group=1, mass=0)


def add_table(spec: Any, table: Table, height: float) -> None:
    """Add a table top of a height over the floor [m], fixed to the world."""
    middle, half = (table.low + table.high) / 2, (table.high - table.low) / 2
    spec.worldbody.add_geom(
        name=TABLE,
        type=mujoco.mjtGeom.mjGEOM_BOX,
        pos=[*middle, height - _THICK / 2],
        size=[*half, _THICK / 2],
        rgba=_WOOD,
        friction=_THING_FRICTION,
    )


def add_pads(spec: Any, pads: Sequence[Pad]) -> None:
    """Give hands something to touch with; a URDF's hand may have no collision shape at all."""
    for pad in pads:
        site = spec.site(pad.frame)
        rotation = np.zeros(9)
        mujoco.mju_quat2Mat(rotation, np.asarray(site.quat, dtype=float))
        place = np.asarray(site.pos) + rotation.reshape(3, 3) @ pad.center
        site.parent.add_geom(
            name=f"pad_{pad.frame}",
            type=mujoco.mjtGeom.mjGEOM_BOX,
            pos=place,
            quat=site.quat,
            size=pad.half,
            friction=_PAD_FRICTION,
            priority=1,  # a thing's own friction does not matter where it is held
            condim=4,
            group=_HIDDEN,
            mass=0,
        )


def add_thing(spec: Any, name: str, kind: Any, size: FloatArray | Sequence[float], mass: float) -> None:
    """Add a body that can be moved.

    Args:
        spec: ``mujoco.MjSpec`` to add to.
        name: Of body and geom.
        kind: ``mujoco.mjtGeom``.
        size: As MuJoCo wants it for the kind, [m].
        mass: [kg].
    """
    body = spec.worldbody.add_body(name=name, pos=[1.0, 0.0, 0.5])
    body.add_freejoint(name=name)
    body.add_geom(name=name, type=kind, size=size, mass=mass, rgba=(0.20, 0.42, 0.72, 1.0), friction=_THING_FRICTION, condim=4)
