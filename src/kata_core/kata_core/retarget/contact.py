# SPDX-License-Identifier: Apache-2.0
"""When a human's foot stands, judged by an ellipse in height and speed with hysteresis.

Heel and ball are judged each for itself by (height / h₀)² + (speed / v₀)²; the foot stands while the better of
the two is within the ellipse, and is let go only outside a larger one. Heights count from the lowest that this
point has been, which begins at an anatomical guess and forgets slowly.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kata_core.arrays import FloatArray
from kata_core.compiled import kernel
from kata_core.retarget.problem import Settings
from kata_core.retarget.skeleton import Human, index_of

__all__ = ["FEET", "FootTracks", "new_tracks", "track_feet"]

FEET: NDArray[np.int64] = np.array([[index_of(f"{side}_{part}") for part in ("foot", "toes")] for side in ("left", "right")])
"""Rows of ankle and ball of each foot, shape (2, 2)."""

_ANATOMICAL = np.array([0.095, 0.035])
"""Height of ankle and ball over the floor per leg length, from Winter (2009), table 4.1."""

_USUAL_LEG = 0.85  # [m]
_FORGET = 0.005  # how fast a lowest height is given up [m/s]


class FootTracks(NamedTuple):
    """What is remembered of ankle and ball of each foot.

    Attributes:
        position: Last positions, shape (2, 2, 3), [m].
        floor: Lowest heights, shape (2, 2), [m].
        seen: Whether there is a last position, shape (2, 2).
        standing: The verdict, shape (2,).
        clearance: Height over the lowest of the ankle, shape (2,), [m].
    """

    position: FloatArray
    floor: FloatArray
    seen: NDArray[np.bool_]
    standing: NDArray[np.bool_]
    clearance: FloatArray


def new_tracks() -> FootTracks:
    """Return tracks of feet not seen yet."""
    floor = np.tile(_ANATOMICAL * _USUAL_LEG, (2, 1))
    return FootTracks(np.zeros((2, 2, 3)), floor, np.zeros((2, 2), bool), np.zeros(2, bool), np.zeros(2))


@kernel
def track_feet(human: Human, feet: NDArray[np.int64], settings: Settings, dt: float, tracks: FootTracks) -> None:
    """Update the tracks with a sample that is dt seconds after the last."""
    for s in range(2):
        best = np.inf
        for part in range(2):
            body = feet[s, part]
            if not human.valid[body]:
                tracks.seen[s, part] = False
                continue
            p, last = human.position[body], tracks.position[s, part]
            tracks.floor[s, part] = min(p[2], tracks.floor[s, part] + _FORGET * dt)
            height = p[2] - tracks.floor[s, part]
            speed = np.inf
            if tracks.seen[s, part]:
                speed = np.sqrt((p[0] - last[0]) ** 2 + (p[1] - last[1]) ** 2 + (p[2] - last[2]) ** 2) / dt
            elif height < 0.5 * settings.contact_height:
                speed = 0.0
            best = min(best, (height / settings.contact_height) ** 2 + (speed / settings.contact_speed) ** 2)
            last[:] = p
            tracks.seen[s, part] = True
            if part == 0:
                tracks.clearance[s] = height
        limit = settings.contact_hysteresis**2 if tracks.standing[s] else 1.0
        tracks.standing[s] = best <= limit
