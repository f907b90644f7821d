# SPDX-License-Identifier: Apache-2.0
"""One-sided rows: a cost only where something would come too near, judged after the step and not before it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_model.compiled import kernel
from kata_retarget.solver.quadratic import solve_box

__all__ = ["OneSided", "add_one_sided", "new_one_sided", "solve_one_sided"]

_MOST = 96
_ROUNDS = 5


class OneSided(NamedTuple):
    """Rows r with shortfall s and weight w, which cost w max(0, s − r x)².

    Attributes:
        row: Shape (m, d).
        shortfall: Shape (m,).
        weight: Shape (m,).
        active: Whether the row counted last, shape (m,).
        used: How many rows are in use, shape (1,).
        H: Room for a quadratic form, shape (d, d).
        g: Room for its linear part, shape (d,).
    """

    row: FloatArray
    shortfall: FloatArray
    weight: FloatArray
    active: NDArray[np.bool_]
    used: NDArray[np.int64]
    H: FloatArray
    g: FloatArray


def new_one_sided(dofs: int) -> OneSided:
    """Return room for rows over so many degrees of freedom."""
    room = np.zeros((_MOST, dofs)), np.zeros(_MOST), np.zeros(_MOST), np.zeros(_MOST, dtype=np.bool_)
    return OneSided(*room, np.zeros(1, dtype=np.int64), np.zeros((dofs, dofs)), np.zeros(dofs))


@kernel
def add_one_sided(rows: OneSided, shortfall: float, weight: float) -> int:
    """Begin a row and return its place, for the caller to fill; if there is no room the last one is reused."""
    place = min(rows.used[0], len(rows.shortfall) - 1)
    rows.used[0] = place + 1
    rows.row[place] = 0.0
    rows.shortfall[place] = shortfall
    rows.weight[place] = weight
    return int(place)


@kernel
def solve_one_sided(H: FloatArray, g: FloatArray, rows: OneSided, low: FloatArray, high: FloatArray, x: FloatArray) -> None:
    """Minimise ½ xᵀ H x − gᵀ x plus the one-sided costs within a box.

    A semi-smooth Newton method: the rows that count are those short after the step; it ends when they stay the same.

    Args:
        H: Positive definite, shape (d, d).
        g: Shape (d,).
        rows: One-sided rows.
        low: Lower bounds, shape (d,).
        high: Upper bounds, shape (d,).
        x: Receives the solution, shape (d,).
    """
    x[:] = 0.0
    _mark_short(rows, x)
    for _ in range(_ROUNDS):
        rows.H[:] = H
        rows.g[:] = g
        _add_active(rows)
        solve_box(rows.H, rows.g, low, high, x)
        if not _mark_short(rows, x):
            break


@kernel
def _mark_short(rows: OneSided, x: FloatArray) -> bool:
    """Mark the rows that are short at x; return whether any mark changed."""
    changed = False
    for r in range(rows.used[0]):
        short = rows.shortfall[r]
        for i in range(len(x)):
            short -= rows.row[r, i] * x[i]
        changed = changed or (short > 0.0) != rows.active[r]
        rows.active[r] = short > 0.0
    return changed


@kernel
def _add_active(rows: OneSided) -> None:
    d = len(rows.g)
    for r in range(rows.used[0]):
        if not rows.active[r]:
            continue
        for i in range(d):
            value = rows.weight[r] * rows.row[r, i]
            if value != 0.0:
                rows.g[i] += value * rows.shortfall[r]
                for j in range(d):
                    rows.H[i, j] += value * rows.row[r, j]
