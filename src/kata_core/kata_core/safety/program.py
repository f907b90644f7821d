# SPDX-License-Identifier: Apache-2.0
"""The quadratic program of a tick: which rows of it could act, and what they ask."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kata_core.arrays import FloatArray
from kata_core.compiled import kernel
from kata_core.safety.plant import Plant

__all__ = ["FEASIBLE", "Program", "assemble", "confine", "new_program"]

FEASIBLE = 0.95
"""Share of the effort limit that the program aims at: it takes inertia and weight from the tick's beginning."""

_SOFT = 8
"""daqp's mark of a constraint that may be violated if necessary."""


class Program(NamedTuple):
    """Constraints low ≤ (u, rows · u) ≤ high on a velocity u, shape (n,); room for k rows.

    Attributes:
        rows: Shape (k, n).
        low: Shape (n + k,): first the box of velocities, then the rows.
        high: Shape (n + k,).
        sense: daqp's marks, shape (n + k,).
        slope: Of the cost ½ u · u + slope · u, shape (n,).
    """

    rows: FloatArray
    low: FloatArray
    high: FloatArray
    sense: NDArray[np.int32]
    slope: FloatArray


def new_program(plant: Plant, extra: int = 0) -> Program:
    """Return room for a plant's program, and for some rows more."""
    n, m = len(plant.mass) - 1, len(plant.first)
    k = n + 2 * m + extra
    return Program(np.zeros((k, n)), np.zeros(n + k), np.zeros(n + k), np.zeros(n + k, dtype=np.int32), np.zeros(n))


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
        program: Room.
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
            high[n + used], sense[n + used] = 1e30, _SOFT if soft else 0
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
