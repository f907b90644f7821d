# SPDX-License-Identifier: Apache-2.0
"""When feet stand in a whole clip, with hindsight: the ellipse of `contact`, then whole intervals."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_retarget.skeleton import HIPS
from kata_retarget.solver.contact import DWELL, FEET, HIPS_OVER_FOOT, STILL, ground_height, is_tilted
from kata_retarget.solver.problem import Settings

__all__ = ["Stances", "find_stances", "no_stances"]

_SHORTEST = 0.1  # shorter stances and shorter gaps between two are noise [s]
_FLOOR_PERCENTILE = 2.0
_OWN_FLOOR = 0.06  # a foot that is never lower than this over the other's lowest was only ever on raised ground [m]


@dataclass(frozen=True, slots=True)
class Stances:
    """Both feet over N frames.

    Attributes:
        standing: Shape (N, 2).
        clearance: Height of the ankle over its lowest, shape (N, 2), [m].
        ground: Height of the ground under a foot that stands, shape (N, 2), [m].
        tilted: Whether a sole on raised ground is not level, shape (N, 2).
    """

    standing: NDArray[np.bool_]
    clearance: FloatArray
    ground: FloatArray
    tilted: NDArray[np.bool_]


def no_stances(frames: int) -> Stances:
    """Return feet that never stand, as those of a robot whose base is fixed."""
    off = np.zeros((frames, 2), dtype=bool)
    return Stances(off, np.zeros((frames, 2)), np.zeros((frames, 2)), off.copy())


def find_stances(position: FloatArray, dt: float, settings: Settings) -> Stances:
    """Return when each foot stands, and on what.

    Args:
        position: Human bodies in canonical order with the virtual ones, shape (N, b, 3), [m].
        dt: Time between frames [s].
        settings: The ellipse's axes and hysteresis.
    """
    height, speed = _heights(position), _speeds(position, dt)
    standing = np.zeros((len(position), 2), dtype=bool)
    for s in range(2):
        score = (height[:, s] / settings.contact_height) ** 2 + (speed[:, s] / settings.contact_speed) ** 2
        standing[:, s] = _hysteresis(score.min(axis=1), settings.contact_hysteresis**2)
        shortest = round(_SHORTEST / dt)
        standing[:, s] = _without_short(standing[:, s], False, shortest)
        standing[:, s] = _without_short(standing[:, s], True, shortest)
    found = Stances(standing, height[:, :, 0], np.zeros((len(position), 2)), np.zeros((len(position), 2), dtype=bool))
    _add_raised(found, position, height, speed, dt, settings)
    return found


def _heights(position: FloatArray) -> FloatArray:
    """Return heights over the floor of ankle and ball of each foot, shape (N, 2, 2), not negative, [m]."""
    height = position[:, FEET, 2]
    lowest = np.percentile(height, _FLOOR_PERCENTILE, axis=0)
    common = lowest.min(axis=0)
    return np.maximum(0.0, height - np.where(lowest - common > _OWN_FLOOR, common, lowest))


def _speeds(position: FloatArray, dt: float) -> FloatArray:
    """Return speeds of ankle and ball of each foot, shape (N, 2, 2), [m/s]."""
    place = position[:, FEET]
    return np.linalg.norm(np.gradient(place, dt, axis=0), axis=3) if len(place) > 1 else np.zeros(place.shape[:3])


def _hysteresis(score: FloatArray, limit: float) -> NDArray[np.bool_]:
    """Return where a score has come under 1 and not yet over a limit."""
    on, result = False, np.zeros(len(score), dtype=bool)
    for i, value in enumerate(score):
        on = result[i] = bool(value <= (limit if on else 1.0))
    return result


def _add_raised(
    found: Stances, position: FloatArray, height: FloatArray, speed: FloatArray, dt: float, settings: Settings
) -> None:
    """Add in place the spans in which a foot rests high up and no other bears the body further down."""
    for s in range(2):
        over = position[:, HIPS, 2] - position[:, FEET[s, 0], 2] > HIPS_OVER_FOOT
        resting = over & (speed[:, s].min(axis=1) < STILL) & ~found.standing[:, s]
        resting = _without_short(resting, True, round(DWELL / dt))
        for begin, end in _spans(resting):
            middle = (begin + end) // 2
            level = ground_height(height[middle, s, 0], height[middle, s, 1])
            lower = found.standing[begin:end, 1 - s] & (found.ground[begin:end, 1 - s] < level - settings.contact_height)
            bears = _without_short(~lower, True, round(DWELL / dt))
            found.standing[begin:end, s] |= bears
            found.ground[begin:end, s] = np.where(bears, level, 0.0)
            found.tilted[begin:end, s] = bears & is_tilted(height[middle, s, 0], height[middle, s, 1])


def _spans(values: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return begin and end (beyond the last) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], values, [False]]).astype(int)))
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]


def _without_short(values: NDArray[np.bool_], kind: bool, shortest: int) -> NDArray[np.bool_]:
    """Turn runs of one kind that are shorter than a number of frames, and do not touch an end, into the other."""
    result = values.copy()
    edges = np.flatnonzero(np.diff(values.astype(int))) + 1
    for begin, end in pairwise(edges):
        if values[begin] == kind and end - begin < shortest:
            result[begin:end] = not kind
    return result
