# SPDX-License-Identifier: Apache-2.0
"""A small least-squares problem within a box: collect rows, then solve.

minimise ½ xᵀ H x − gᵀ x  subject to  low ≤ x ≤ high, with H positive definite.
"""

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_model.compiled import COMPILED, kernel

__all__ = ["add_rows", "mirror_triangle", "solve_box"]

_ROUNDS = 8


@kernel
def _add_rows_loop(
    H: FloatArray, g: FloatArray, index: NDArray[np.int64], columns: FloatArray, count: int, weight: float, residual: FloatArray
) -> None:
    x, y, z = weight * residual[0], weight * residual[1], weight * residual[2]
    for a in range(count):
        i = index[a]
        u, v, w = columns[a, 0], columns[a, 1], columns[a, 2]
        g[i] += u * x + v * y + w * z
        u, v, w = weight * u, weight * v, weight * w
        for b in range(a, count):
            H[i, index[b]] += u * columns[b, 0] + v * columns[b, 1] + w * columns[b, 2]


def _add_rows_numpy(
    H: FloatArray, g: FloatArray, index: NDArray[np.int64], columns: FloatArray, count: int, weight: float, residual: FloatArray
) -> None:
    J, i = columns[:count], index[:count]
    H[np.ix_(i, i)] += np.triu(weight * J @ J.T)
    g[i] += weight * J @ residual


add_rows = _add_rows_loop if COMPILED else _add_rows_numpy
"""Add three rows with Jacobian J, residual r and weight w: g += w Jᵀ r and the lower triangle of H += w Jᵀ J.

J is given by its non-zero columns, shape (count, 3), whose degrees of freedom are in falling order.
"""


@kernel
def mirror_triangle(H: FloatArray) -> None:
    """Copy the lower triangle of a matrix into the upper one."""
    for i in range(len(H)):
        for j in range(i):
            H[j, i] = H[i, j]


@kernel
def _solve_loop(A: FloatArray, b: FloatArray, n: int) -> None:
    """Solve A x = b in place by Cholesky for the leading n unknowns; A is overwritten."""
    for j in range(n):
        d = A[j, j]
        for k in range(j):
            d -= A[j, k] * A[j, k]
        d = np.sqrt(max(d, 1e-12))
        A[j, j] = d
        for i in range(j + 1, n):
            s = A[i, j]
            for k in range(j):
                s -= A[i, k] * A[j, k]
            A[i, j] = s / d
    for i in range(n):
        s = b[i]
        for k in range(i):
            s -= A[i, k] * b[k]
        b[i] = s / A[i, i]
    for i in range(n - 1, -1, -1):
        s = b[i]
        for k in range(i + 1, n):
            s -= A[k, i] * b[k]
        b[i] = s / A[i, i]


def _solve_numpy(A: FloatArray, b: FloatArray, n: int) -> None:
    b[:n] = np.linalg.solve(A[:n, :n], b[:n])


_solve = _solve_loop if COMPILED else _solve_numpy


@kernel
def solve_box(H: FloatArray, g: FloatArray, low: FloatArray, high: FloatArray, x: FloatArray) -> None:
    """Solve the box-constrained problem by a primal-dual active set (Hintermüller, Ito, Kunisch 2003).

    Args:
        H: Positive definite, shape (d, d).
        g: Shape (d,).
        low: Lower bounds, shape (d,).
        high: Upper bounds, not below low, shape (d,).
        x: Receives the solution, which always lies in the box, shape (d,).
    """
    d = len(g)
    A, b = np.empty((d, d)), np.empty(d)
    free, place = np.ones(d, dtype=np.bool_), np.empty(d, dtype=np.int64)
    for _ in range(_ROUNDS):
        n = _reduce(H, g, x, free, place, A, b)
        _solve(A, b, n)
        for i in range(n):
            x[place[i]] = b[i]
        if not _revise(H, g, low, high, x, free):
            break
    for i in range(d):
        x[i] = min(max(x[i], low[i]), high[i])


@kernel
def _reduce(
    H: FloatArray, g: FloatArray, x: FloatArray, free: NDArray[np.bool_], place: NDArray[np.int64], A: FloatArray, b: FloatArray
) -> int:
    """Write the system of the free unknowns, the others being fixed at x; return how many they are."""
    n = 0
    for i in range(len(g)):
        if free[i]:
            place[n] = i
            n += 1
    for i in range(n):
        s = g[place[i]]
        for j in range(len(g)):
            if not free[j]:
                s -= H[place[i], j] * x[j]
        b[i] = s
        for j in range(n):
            A[i, j] = H[place[i], place[j]]
    return n


@kernel
def _revise(H: FloatArray, g: FloatArray, low: FloatArray, high: FloatArray, x: FloatArray, free: NDArray[np.bool_]) -> bool:
    """Fix what left the box, free what wants back inside; return whether anything changed."""
    changed = False
    d = len(g)
    pull = np.empty(d)
    for i in range(d):
        pull[i] = g[i]
        if not free[i]:
            for j in range(d):
                pull[i] -= H[i, j] * x[j]
    for i in range(d):
        if free[i]:
            if x[i] < low[i] or x[i] > high[i]:
                x[i] = low[i] if x[i] < low[i] else high[i]
                free[i] = False
                changed = True
        elif high[i] > low[i] and ((x[i] <= low[i] and pull[i] > 0.0) or (x[i] >= high[i] and pull[i] < 0.0)):
            free[i] = True
            changed = True
    return changed
