# SPDX-License-Identifier: Apache-2.0
"""Does a robot on its feet stand safely? Base tilt, and the capture point against the support polygon.

`kata_safety.balance` keeps it; what is checked here is that a robot that falls all the same is stopped in time (docs/safety.md).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kata_model.arrays import FloatArray
from kata_model.verdict import Reason
from kata_safety.config import SafetyConfig
from kata_safety.stops.stop_table import BaseCondition

__all__ = ["BaseState", "base_faults", "base_tilt", "capture_point", "hull", "stance_of", "steady", "support_margin", "tilt_of"]

GRAVITY = 9.81


@dataclass(frozen=True, slots=True)
class BaseState:
    """How the floating base stands.

    Attributes:
        tilt: Angle between the base's and the world's vertical [rad].
        margin: Distance of the capture point inside the support polygon [m], negative outside.
    """

    tilt: float
    margin: float


def base_tilt(orientation_xyzw: ArrayLike) -> float:
    """Return the angle between the base's z axis and the vertical [rad]; NaN in gives π, the worst."""
    return tilt_of(orientation_xyzw, (0.0, 0.0, 1.0))


def tilt_of(orientation_xyzw: ArrayLike, axis: ArrayLike) -> float:
    """Return the angle between a body's axis and the vertical [rad]; NaN in gives π, the worst.

    Args:
        orientation_xyzw: Body to world, shape (4,), of any length but zero.
        axis: Unit vector in the body, shape (3,).
    """
    x, y, z, w = np.asarray(orientation_xyzw, dtype=float)
    norm = x * x + y * y + z * z + w * w
    up = np.array([2.0 * (x * z - w * y), 2.0 * (y * z + w * x), norm - 2.0 * (x * x + y * y)])
    cosine = float(up @ np.asarray(axis, dtype=float) / norm) if norm > 0.0 else -1.0
    return float(np.arccos(np.clip(cosine, -1.0, 1.0))) if np.isfinite(cosine) else float(np.pi)


def capture_point(com: ArrayLike, velocity: ArrayLike, floor: float = 0.0) -> FloatArray:
    """Return where the robot could step to come to rest (Pratt et al. 2006, eq. 6), shape (2,), [m].

    Args:
        com: Centre of mass in the world, shape (3,), [m].
        velocity: Its velocity, shape (3,), [m/s].
        floor: Height of the floor [m].
    """
    c, v = np.asarray(com, dtype=float), np.asarray(velocity, dtype=float)
    height = max(float(c[2]) - floor, 1e-3)
    point: FloatArray = c[:2] + v[:2] * np.sqrt(height / GRAVITY)
    return point


def support_margin(point: ArrayLike, corners: ArrayLike) -> float:
    """Return how far a point is inside the convex hull of contact points [m], negative outside.

    Args:
        point: Shape (2,), [m]; NaN gives minus infinity.
        corners: Contact points on the floor in any order, shape (k, 2), [m]; fewer than three support nothing.
    """
    p, outline = np.asarray(point, dtype=float), hull(np.asarray(corners, dtype=float))
    if len(outline) < 3 or not np.isfinite(p).all():
        return -np.inf
    edges = np.roll(outline, -1, axis=0) - outline
    inwards = np.column_stack([-edges[:, 1], edges[:, 0]]) / np.linalg.norm(edges, axis=1, keepdims=True)
    sides = ((p - outline) * inwards).sum(axis=1)
    if (sides >= 0.0).all():
        return float(sides.min())
    along = np.clip(((p - outline) * edges).sum(axis=1) / (edges**2).sum(axis=1), 0.0, 1.0)
    return -float(np.linalg.norm(outline + along[:, None] * edges - p, axis=1).min())


def base_faults(base: BaseState | None, most_tilt: float, most_fall: float) -> tuple[str, ...]:
    """Return what is wrong with a floating base, names from `Reason`; nothing for a base that is held, None.

    Args:
        base: How it stands.
        most_tilt: Tilt beyond which the robot stops [rad].
        most_fall: Distance of the capture point outside the support beyond which it falls [m].
    """
    if base is None:
        return ()
    if not (np.isfinite(base.tilt) and base.margin < np.inf):
        return (Reason.LOST_BASE,)
    tilted = (Reason.BASE_TILT,) if not base.tilt <= most_tilt else ()
    return (*((Reason.FALLING,) if not base.margin >= -most_fall else ()), *tilted)


def steady(base: BaseState | None, config: SafetyConfig) -> bool:
    """Return whether a floating base stands as far inside its support as it should; one that is not known does not."""
    return base is not None and base.margin >= config.min_balance_margin


def stance_of(base: BaseState | None, least_margin: float, most_tilt: float) -> str:
    """Return the column of the table of stops; a base that is held, None, is fixed."""
    if base is None:
        return BaseCondition.FIXED
    safe = base.margin >= least_margin and base.tilt <= most_tilt
    return BaseCondition.BALANCED if safe else BaseCondition.UNBALANCED


def hull(points: FloatArray) -> FloatArray:
    """Return the convex hull of points, counter-clockwise, shape (k, 2) (Andrew 1979); what is not finite is left out."""
    ordered = sorted({(float(x), float(y)) for x, y in points if np.isfinite(x) and np.isfinite(y)})
    if len(ordered) < 3:
        return np.array(ordered).reshape(-1, 2)
    halves = []
    for sequence in (ordered, ordered[::-1]):
        chain: list[tuple[float, float]] = []
        for q in sequence:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], q) <= 0.0:
                chain.pop()
            chain.append(q)
        halves += chain[:-1]
    return np.array(halves)


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
