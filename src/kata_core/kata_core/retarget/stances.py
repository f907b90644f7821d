# SPDX-License-Identifier: Apache-2.0
"""When feet stand in a whole clip, with hindsight: the ellipse of `contact`, then whole intervals."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kata_core.arrays import FloatArray
from kata_core.retarget.contact import FEET
from kata_core.retarget.problem import Settings

__all__ = ["ankle_clearance", "find_stances"]

_SHORTEST = 0.1  # shorter stances and shorter gaps between two are noise [s]
_FLOOR_PERCENTILE = 2.0


def find_stances(position: FloatArray, dt: float, settings: Settings) -> NDArray[np.bool_]:
    """Return when each foot stands, shape (N, 2).

    Args:
        position: Human bodies in canonical order, shape (N, b, 3), [m].
        dt: Time between frames [s].
        settings: The ellipse's axes and hysteresis.
    """
    standing = np.zeros((len(position), 2), dtype=bool)
    for s in range(2):
        score = np.full(len(position), np.inf)
        for body in FEET[s]:
            height = position[:, body, 2] - np.percentile(position[:, body, 2], _FLOOR_PERCENTILE)
            speed = np.linalg.norm(np.gradient(position[:, body], dt, axis=0), axis=1) if len(position) > 1 else 0.0
            score = np.minimum(
                score, (np.maximum(height, 0.0) / settings.contact_height) ** 2 + (speed / settings.contact_speed) ** 2
            )
        on = False
        for i, value in enumerate(score):
            on = bool(value <= (settings.contact_hysteresis**2 if on else 1.0))
            standing[i, s] = on
        shortest = round(_SHORTEST / dt)
        standing[:, s] = _without_short(standing[:, s], False, shortest)
        standing[:, s] = _without_short(standing[:, s], True, shortest)
    return standing


def ankle_clearance(position: FloatArray) -> FloatArray:
    """Return how high each ankle is over its lowest in the clip, shape (N, 2), [m]."""
    height = position[:, FEET[:, 0], 2]
    return np.maximum(0.0, height - np.percentile(height, _FLOOR_PERCENTILE, axis=0))


def _without_short(values: NDArray[np.bool_], kind: bool, shortest: int) -> NDArray[np.bool_]:
    """Turn runs of one kind that are shorter than a number of frames, and do not touch an end, into the other."""
    result = values.copy()
    edges = np.flatnonzero(np.diff(values.astype(int))) + 1
    for begin, end in pairwise(edges):
        if values[begin] == kind and end - begin < shortest:
            result[begin:end] = not kind
    return result
