# SPDX-License-Identifier: Apache-2.0
"""Nearest points of two segments, the axes of two capsules."""

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.compiled import kernel

__all__ = ["nearest_points"]


@kernel
def nearest_points(a: FloatArray, b: FloatArray, on_a: FloatArray, on_b: FloatArray) -> float:
    """Find the nearest points of two segments (Ericson 2005, section 5.1.9).

    Args:
        a: Ends of the first, shape (2, 3), [m].
        b: Ends of the second, shape (2, 3), [m].
        on_a: Receives the point on the first, shape (3,), [m].
        on_b: Receives the point on the second, shape (3,), [m].

    Returns:
        Their distance [m].
    """
    aa, bb, ab, ra, rb = 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(3):
        u, v, r = a[1, k] - a[0, k], b[1, k] - b[0, k], a[0, k] - b[0, k]
        aa += u * u
        bb += v * v
        ab += u * v
        ra += u * r
        rb += v * r
    s = 0.0
    span = aa * bb - ab * ab
    if aa > 1e-12 and bb > 1e-12 and span > 1e-9 * aa * bb:
        s = min(max((ab * rb - ra * bb) / span, 0.0), 1.0)
    t = (ab * s + rb) / bb if bb > 1e-12 else 0.0
    if t < 0.0 or t > 1.0 or bb <= 1e-12:
        t = min(max(t, 0.0), 1.0)
        s = min(max((ab * t - ra) / aa, 0.0), 1.0) if aa > 1e-12 else 0.0
    square = 0.0
    for k in range(3):
        on_a[k] = a[0, k] + s * (a[1, k] - a[0, k])
        on_b[k] = b[0, k] + t * (b[1, k] - b[0, k])
        square += (on_a[k] - on_b[k]) ** 2
    return float(np.sqrt(square))
