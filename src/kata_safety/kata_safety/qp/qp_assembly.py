# SPDX-License-Identifier: Apache-2.0
"""QP assembly: which rows of a tick's quadratic program could act, and what they ask."""

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.compiled import kernel
from kata_safety.qp.dynamics_model import DynamicsModel
from kata_safety.qp.quadratic_program import SOFT, UNBOUNDED, Program, empty_program

__all__ = ["FEASIBLE", "assemble", "confine", "new_program"]

FEASIBLE = 0.95
"""Share of the effort limit that the program aims at: it takes inertia and weight from the tick's beginning."""


def new_program(model: DynamicsModel, extra: int = 0) -> Program:
    """Return room for a model's program, and for some rows more."""
    joints = len(model.mass) - 1
    return empty_program(joints, joints + 2 * len(model.first) + extra)


@kernel
def assemble(
    program: Program,
    box: FloatArray,
    wanted: FloatArray,
    inertia: FloatArray,
    effort: FloatArray,
    ceiling: FloatArray,
    period: float,
    gradient: FloatArray,
    least: FloatArray,
    count: int,
) -> int:
    """Write the program of a tick; return its number of rows.

    Efforts are linear in the velocity: M (u − v) / T + h, with h from the efforts of the wanted velocity. Rows that no
    velocity in the box violates are left out, which changes no solution.

    Args:
        program: Buffers.
        box: Rows of least and largest velocity, shape (2, n), [rad/s].
        wanted: Shape (n,), [rad/s].
        inertia: M, shape (n, n), [kg·m²].
        effort: Efforts of the wanted velocity, shape (n,), [N·m].
        ceiling: Most effort, shape (n,), [N·m].
        period: Tick T [s].
        gradient: Of the separations near enough to matter, first ``count`` rows, shape (m, n), [m/rad].
        least: Least rate of each, [m/s]; above 0 the separation must not shrink, and should grow at that rate.
        count: Their number.
    """
    n = len(wanted)
    rows, low, high, sense = program.rows, program.low, program.high, program.sense
    for j in range(n):
        low[j], high[j], program.slope[j] = box[0, j], box[1, j], -wanted[j]
    used = 0
    for i in range(n):
        middle, lowest, highest = -period * effort[i], 0.0, 0.0
        for j in range(n):
            value = inertia[i, j]
            middle += value * wanted[j]
            lowest += value * (box[0, j] if value > 0.0 else box[1, j])
            highest += value * (box[1, j] if value > 0.0 else box[0, j])
        most = FEASIBLE * period * ceiling[i]
        if lowest < middle - most or highest > middle + most:
            for j in range(n):
                rows[used, j] = inertia[i, j]
            low[n + used], high[n + used], sense[n + used] = middle - most, middle + most, 0
            used += 1
    for c in range(count):
        for soft in range(2 if least[c] > 0.0 else 1):
            for j in range(n):
                rows[used, j] = gradient[c, j]
            low[n + used] = least[c] if soft else min(least[c], 0.0)
            high[n + used], sense[n + used] = UNBOUNDED, SOFT if soft else 0
            used += 1
    return used


@kernel
def confine(found: FloatArray, box: FloatArray) -> bool:
    """Move a solution into the box, from which rounding may lead; return whether all of it was finite."""
    finite = True
    for j in range(len(found)):
        finite = finite and np.isfinite(found[j])
        found[j] = min(max(found[j], box[0, j]), box[1, j])
    return bool(finite)
