# SPDX-License-Identifier: Apache-2.0
"""Distance of two line segments, the axes of two capsules."""

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.compiled import kernel

__all__ = ["closest"]

_SHORT = 1e-12
"""Squared length below which a segment is a point [m²]."""


@kernel
def closest(ends: FloatArray, first: int, second: int, out: FloatArray) -> float:
    """Find the points of two segments that are nearest to each other (Ericson 2004, section 5.1.9).

    Args:
        ends: Both ends of all segments, shape (c, 2, 3), [m].
        first: Index of a segment.
        second: Index of another.
        out: Receives the point of the first and that of the second segment, shape (2, 3), [m].

    Returns:
        Their distance [m].
    """
    uu = uv = vv = uw = vw = 0.0
    for k in range(3):  # by index and without slices, which cost more than the arithmetic
        u = ends[first, 1, k] - ends[first, 0, k]
        v = ends[second, 1, k] - ends[second, 0, k]
        w = ends[first, 0, k] - ends[second, 0, k]
        uu, uv, vv, uw, vw = uu + u * u, uv + u * v, vv + v * v, uw + u * w, vw + v * w
    s = t = 0.0
    if uu <= _SHORT and vv > _SHORT:
        t = min(max(vw / vv, 0.0), 1.0)
    elif vv <= _SHORT and uu > _SHORT:
        s = min(max(-uw / uu, 0.0), 1.0)
    elif uu > _SHORT:
        cross = uu * vv - uv * uv
        s = min(max((uv * vw - uw * vv) / cross, 0.0), 1.0) if cross > _SHORT * uu else 0.0
        t = (uv * s + vw) / vv
        if t < 0.0:
            t, s = 0.0, min(max(-uw / uu, 0.0), 1.0)
        elif t > 1.0:
            t, s = 1.0, min(max((uv - uw) / uu, 0.0), 1.0)
    total = 0.0
    for k in range(3):
        x = ends[first, 0, k] + s * (ends[first, 1, k] - ends[first, 0, k])
        y = ends[second, 0, k] + t * (ends[second, 1, k] - ends[second, 0, k])
        out[0, k], out[1, k] = x, y
        total += (x - y) * (x - y)
    return float(np.sqrt(total))
