# SPDX-License-Identifier: Apache-2.0
"""A picture in a few numbers: enough to tell whether it is such a picture as was shown."""

import cv2
import numpy as np
from numpy.typing import NDArray

from kata_core.arrays import FloatArray

__all__ = ["GLANCE", "glance"]

_SIDE = 4

GLANCE = _SIDE * _SIDE
"""How many numbers a glance has."""


def glance(picture: NDArray[np.uint8]) -> FloatArray:
    """Return the brightness of a picture's fields, four rows of four, shape (16,), from 0 (black) to 1.

    Args:
        picture: Shape (h, w, 3).
    """
    fields = cv2.resize(picture, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    brightness: FloatArray = np.asarray(fields, dtype=float).mean(axis=2).ravel() / 255.0
    return brightness
