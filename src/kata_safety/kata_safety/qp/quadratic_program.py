# SPDX-License-Identifier: Apache-2.0
"""Quadratic programs of a tick, solved by daqp, a dual active-set solver (Arnström, Bemporad & Axehill 2022).

daqp 0.11 has room for n + s + 1 active constraints, s being the soft ones, and leaves it to its arithmetic that no more are
active at once. Rows that depend on each other but for rounding can be more, and then it writes beyond its arrays (found by
AddressSanitizer, from hostile commands to a robot on its feet). `solve` makes room for all.
"""

from typing import NamedTuple

import daqp
import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray

__all__ = ["EQUAL", "SOFT", "UNBOUNDED", "Program", "empty_program", "solve"]

UNBOUNDED = 1e30
"""daqp's infinity."""

SOFT = 8
"""daqp's mark of a constraint that may be violated if necessary."""

EQUAL = 5
"""daqp's mark of an equality."""

_IDLE = 4 | SOFT
"""Marks of a constraint that never acts, for which daqp makes room nevertheless."""

_ITERATIONS = 200


class Program(NamedTuple):
    """Constraints low ≤ (u, rows · u) ≤ high on unknowns u, shape (n,); room for k rows, and as many idle ones.

    Attributes:
        rows: Shape (2 k, n).
        low: Shape (n + 2 k,): first the box of the unknowns, then the rows.
        high: Shape (n + 2 k,).
        sense: daqp's marks, shape (n + 2 k,).
        slope: Of the cost ½ u · H u + slope · u, shape (n,).
    """

    rows: FloatArray
    low: FloatArray
    high: FloatArray
    sense: NDArray[np.int32]
    slope: FloatArray


def empty_program(unknowns: int, rows: int) -> Program:
    """Return room for a number of unknowns and of rows."""
    n, k = unknowns, 2 * rows
    return Program(np.zeros((k, n)), np.zeros(n + k), np.zeros(n + k), np.zeros(n + k, dtype=np.int32), np.zeros(n))


def solve(program: Program, hessian: FloatArray, used: int) -> FloatArray | None:
    """Return the unknowns of least cost, shape (n,), finite or not; None if there are none.

    Args:
        program: Box, rows and slope of the cost.
        hessian: H, shape (n, n), positive definite.
        used: Number of rows.
    """
    box, end = len(program.slope), 2 * used
    first, last = box + used, box + end
    program.rows[used:end] = 0.0
    program.low[first:last], program.high[first:last], program.sense[first:last] = -UNBOUNDED, UNBOUNDED, _IDLE
    rows, high, low, sense = program.rows[:end], program.high[:last], program.low[:last], program.sense[:last]
    found: FloatArray
    found, _, code, _ = daqp.solve(
        hessian, program.slope, rows, high, low, sense, iter_limit=_ITERATIONS, eq_reduction=daqp.EQ_REDUCTION_OFF
    )
    return found if code > 0 else None
