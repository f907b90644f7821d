# SPDX-License-Identifier: Apache-2.0
"""Motions of different length, brought together: cut to what moves, sampled by phase, aligned by dynamic time warping."""

import numpy as np

from kata_data.grading.motion import JointTrace
from kata_model.arrays import FloatArray

__all__ = ["PHASES", "align", "by_phase"]

PHASES = 100
"""Samples of a path."""

_MOVED = 0.02
"""A joint has moved when it is so far from where it was [rad]."""

_BAND = 0.2
"""Greatest shift of time that aligns two paths, as a share of their length."""


def by_phase(trace: JointTrace) -> FloatArray:
    """Return the path from the first to the last motion, shape (PHASES, n), [rad]; evenly spaced in time.

    Args:
        trace: One sample at least.
    """
    from_start = (np.abs(trace.position - trace.position[0]) > _MOVED).any(axis=1)
    from_end = (np.abs(trace.position - trace.position[-1]) > _MOVED).any(axis=1)
    first = max(0, int(from_start.argmax()) - 1) if from_start.any() else 0
    last = len(from_end) - 1
    if from_end.any():
        last = min(last, len(from_end) - int(from_end[::-1].argmax()))
    at = np.linspace(trace.seconds[first], trace.seconds[max(first, last)], PHASES)
    return np.stack([np.interp(at, trace.seconds, column) for column in trace.position.T], axis=1)


def align(path: FloatArray, reference: FloatArray) -> FloatArray:
    """Return a path moved in time onto a reference, shape (P, k): dynamic time warping (Sakoe and Chiba 1978).

    Args:
        path: Shape (P, k).
        reference: Shape (P, k).
    """
    steps = _warp(np.linalg.norm(path[:, None] - reference[None], axis=2))
    count = np.bincount(steps[:, 1], minlength=len(reference))
    total = np.zeros_like(reference)
    np.add.at(total, steps[:, 1], path[steps[:, 0]])
    return total / count[:, None]


def _warp(cost: FloatArray) -> np.ndarray[tuple[int, int], np.dtype[np.intp]]:
    """Return the cheapest monotone way through a cost matrix (P, P), shape (W, 2); each row and column is on it."""
    size, width = len(cost), max(1, round(_BAND * len(cost)))
    total = np.full((size + 1, size + 1), np.inf)
    total[0, 0] = 0.0
    for i in range(size):
        for j in range(max(0, i - width), min(size, i + width + 1)):
            total[i + 1, j + 1] = cost[i, j] + min(total[i, j], total[i, j + 1], total[i + 1, j])
    way, i, j = [], size, size
    while i > 0 and j > 0:
        way.append((i - 1, j - 1))
        i, j = min(((i - 1, j - 1), (i - 1, j), (i, j - 1)), key=lambda cell: total[cell])
    return np.array(way[::-1], dtype=np.intp)
