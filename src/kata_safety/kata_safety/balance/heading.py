# SPDX-License-Identifier: Apache-2.0
"""The axes in which a standing robot is judged: the soles' heading, and the vertical."""

import math

import numpy as np

from kata_model.arrays import FloatArray

__all__ = ["heading_frame"]


def heading_frame(soles: FloatArray, up: FloatArray | None = None) -> FloatArray:
    """Return axes with the soles' mean heading as x and a vertical as z, shape (3, 3).

    Args:
        soles: Rotations of both soles, shape (2, 3, 3).
        up: Unit vertical, shape (3,); None takes the mean of the soles' own.
    """
    if up is None:
        up = soles[0, :, 2] + soles[1, :, 2]
        up = up / math.sqrt(up @ up)
    x, y, z = up
    ahead = soles[0, :, 0] + soles[1, :, 0]
    side = np.array([y * ahead[2] - z * ahead[1], z * ahead[0] - x * ahead[2], x * ahead[1] - y * ahead[0]])
    side /= math.sqrt(side @ side)
    frame = np.empty((3, 3))
    frame[:, 0] = side[1] * z - side[2] * y, side[2] * x - side[0] * z, side[0] * y - side[1] * x
    frame[:, 1], frame[:, 2] = side, up
    return frame
