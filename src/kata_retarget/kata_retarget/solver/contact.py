# SPDX-License-Identifier: Apache-2.0
"""When a human's foot stands, judged by an ellipse in height and speed with hysteresis.

Heel and ball are judged each for itself by (height / h₀)² + (speed / v₀)²; the foot stands while the better of
the two is within the ellipse, and is let go only outside a larger one. Heights count from the lowest that this
point has been, which begins at an anatomical guess and forgets slowly.

A step or a stone is learnt from the stance on it: a foot that rests higher for a moment, below the hips, while
the other foot bears nothing further down, stands on ground of that height. It is let go by the same ellipse,
with the distance from where it came to rest in place of the height.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_model.compiled import kernel
from kata_retarget.skeleton import HIPS, Human, index_of
from kata_retarget.solver.problem import Settings

__all__ = [
    "DWELL",
    "FEET",
    "HIPS_OVER_FOOT",
    "STILL",
    "FootTracks",
    "find_floor",
    "ground_height",
    "is_tilted",
    "new_tracks",
    "track_feet",
]

FEET: NDArray[np.int64] = np.array([[index_of(f"{side}_{part}") for part in ("foot", "toes")] for side in ("left", "right")])
"""Rows of ankle and ball of each foot, shape (2, 2)."""

_ANATOMICAL = np.array([0.095, 0.035])
"""Height of ankle and ball over the floor per leg length, from Winter (2009), table 4.1."""

_USUAL_LEG = 0.85  # [m]
_FORGET = 0.005  # how fast a lowest height is given up [m/s]
_FALL = 1.0  # how fast a lowest height may fall; one false sample then does little [m/s]
_HIGHEST_START = 2.0  # over this the source's floor is not at 0, rather than the human on a platform [m]
_LOWEST_START = -0.1  # under this likewise [m]
DWELL = 0.06
"""How long a foot must rest before the ground under it counts as raised [s]."""
STILL = 0.25
"""Speed below which a foot rests [m/s]."""
HIPS_OVER_FOOT = 0.15
"""How far the hips must be over a foot that bears them on raised ground [m]."""
_TILT = 0.08  # difference of the heights of heel and ball at which the sole is not level [m]


class FootTracks(NamedTuple):
    """What is remembered of ankle and ball of each foot.

    Attributes:
        position: Last positions, shape (2, 2, 3), [m].
        floor: Lowest heights, shape (2, 2), [m].
        seen: Whether there is a last position, shape (2, 2).
        height: Heights over the lowest, infinite where not seen, shape (2, 2), [m].
        speed: Speeds, infinite where not known, shape (2, 2), [m/s].
        standing: The verdict, shape (2,).
        clearance: Height over the lowest of the ankle, shape (2,), [m].
        raised: Whether the foot stands on raised ground, shape (2,).
        ground: How high that ground is, 0 where it is not raised, shape (2,), [m].
        tilted: Whether the sole is not level on raised ground, shape (2,).
        rest: For how long each foot has rested high up, shape (2,), [s].
        place: Where ankle and ball came to rest on raised ground, shape (2, 2, 3), [m].
    """

    position: FloatArray
    floor: FloatArray
    seen: NDArray[np.bool_]
    height: FloatArray
    speed: FloatArray
    standing: NDArray[np.bool_]
    clearance: FloatArray
    raised: NDArray[np.bool_]
    ground: FloatArray
    tilted: NDArray[np.bool_]
    rest: FloatArray
    place: FloatArray


def new_tracks() -> FootTracks:
    """Return tracks of feet not seen yet."""
    return FootTracks(
        position=np.zeros((2, 2, 3)),
        floor=np.tile(_ANATOMICAL * _USUAL_LEG, (2, 1)),
        seen=np.zeros((2, 2), dtype=bool),
        height=np.full((2, 2), np.inf),
        speed=np.full((2, 2), np.inf),
        standing=np.zeros(2, dtype=bool),
        clearance=np.zeros(2),
        raised=np.zeros(2, dtype=bool),
        ground=np.zeros(2),
        tilted=np.zeros(2, dtype=bool),
        rest=np.zeros(2),
        place=np.zeros((2, 2, 3)),
    )


@kernel
def find_floor(human: Human, feet: NDArray[np.int64], tracks: FootTracks) -> None:
    """Move the first guess of the floor to the feet where a sample shows that the source's floor is not at 0."""
    lowest = np.inf
    for s in range(2):
        for part in range(2):
            if human.valid[feet[s, part]]:
                lowest = min(lowest, human.position[feet[s, part], 2] - tracks.floor[s, part])
    if np.isfinite(lowest) and not _LOWEST_START <= lowest <= _HIGHEST_START:
        tracks.floor[:] += lowest


@kernel
def track_feet(human: Human, feet: NDArray[np.int64], settings: Settings, dt: float, tracks: FootTracks) -> None:
    """Update the tracks with a sample that is dt seconds after the last."""
    for s in range(2):
        best = np.inf
        for part in range(2):
            _measure(human, feet[s, part], s, part, settings, dt, tracks)
            best = min(best, _score(tracks.height[s, part], tracks.speed[s, part], settings))
        limit = settings.contact_hysteresis**2 if tracks.standing[s] and not tracks.raised[s] else 1.0
        tracks.standing[s] = best <= limit
        if tracks.raised[s]:
            tracks.raised[s] = not tracks.standing[s] and _still_there(tracks, s, settings)
    for s in range(2):
        _find_raised_ground(human, s, settings, dt, tracks)


@kernel
def _measure(human: Human, body: int, s: int, part: int, settings: Settings, dt: float, tracks: FootTracks) -> None:
    """Update floor, height and speed of a point of a foot."""
    tracks.height[s, part], tracks.speed[s, part] = np.inf, np.inf
    if not human.valid[body]:
        tracks.seen[s, part] = False
        return
    p, last = human.position[body], tracks.position[s, part]
    lowest = min(p[2], tracks.floor[s, part] + _FORGET * dt)
    tracks.floor[s, part] = max(lowest, tracks.floor[s, part] - _FALL * dt)
    height = max(0.0, p[2] - tracks.floor[s, part])
    tracks.height[s, part] = height
    if tracks.seen[s, part]:
        tracks.speed[s, part] = np.sqrt((p[0] - last[0]) ** 2 + (p[1] - last[1]) ** 2 + (p[2] - last[2]) ** 2) / dt
    elif height < 0.5 * settings.contact_height:
        tracks.speed[s, part] = 0.0
    last[:] = p
    tracks.seen[s, part] = True
    if part == 0:
        tracks.clearance[s] = height


@kernel
def _score(height: float, speed: float, settings: Settings) -> float:
    """Return where a point is against the ellipse: 1 on it, less within."""
    return float((height / settings.contact_height) ** 2 + (speed / settings.contact_speed) ** 2)


@kernel
def _still_there(tracks: FootTracks, s: int, settings: Settings) -> bool:
    """Return whether heel or ball still rests where it came to rest."""
    best = np.inf
    for part in range(2):
        if tracks.seen[s, part]:
            square = 0.0
            for k in range(3):
                square += (tracks.position[s, part, k] - tracks.place[s, part, k]) ** 2
            best = min(best, _score(np.sqrt(square), tracks.speed[s, part], settings))
    return bool(best <= settings.contact_hysteresis**2)


@kernel
def _find_raised_ground(human: Human, s: int, settings: Settings, dt: float, tracks: FootTracks) -> None:
    """Judge a foot that does not stand on the floor."""
    if not tracks.raised[s]:
        tracks.ground[s] = 0.0
        tracks.tilted[s] = False
        slow = min(tracks.speed[s, 0], tracks.speed[s, 1]) < STILL
        tracks.rest[s] = tracks.rest[s] + dt if slow and not tracks.standing[s] else 0.0
        level = ground_height(tracks.height[s, 0], tracks.height[s, 1])
        below = human.position[HIPS, 2] - tracks.position[s, 0, 2]
        other = tracks.standing[1 - s] and tracks.ground[1 - s] < level - settings.contact_height
        if tracks.rest[s] < DWELL or other or below < HIPS_OVER_FOOT:
            return
        tracks.raised[s] = True
        tracks.ground[s] = level
        tracks.tilted[s] = is_tilted(tracks.height[s, 0], tracks.height[s, 1])
        tracks.place[s] = tracks.position[s]
    tracks.rest[s] = 0.0
    tracks.standing[s] = True


@kernel
def is_tilted(ankle: float, ball: float) -> bool:
    """Return whether heights over the floor [m] are those of a sole that is not level; infinite is not known."""
    return bool(np.isfinite(ankle) and np.isfinite(ball) and abs(ankle - ball) > _TILT)


@kernel
def ground_height(ankle: float, ball: float) -> float:
    """Return how high the ground is under a sole of which ankle and ball are so high [m]: its middle if it is tilted."""
    return float(0.5 * (ankle + ball) if is_tilted(ankle, ball) else min(ankle, ball))
