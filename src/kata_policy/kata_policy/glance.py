# SPDX-License-Identifier: Apache-2.0
"""A picture in a few numbers: enough to tell whether it is such a picture as was shown."""

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray

__all__ = ["GLANCE", "glance"]

_SIDE = 4

GLANCE = _SIDE * _SIDE
"""How many numbers a glance has."""


def glance(picture: NDArray[np.uint8]) -> FloatArray:
    """Return the brightness of a picture's fields, four rows of four, shape (16,), from 0 (black) to 1.

    Args:
        picture: Shape (h, w, 3).
    """
    brightness, edges = picture.mean(axis=2) / 255.0, []
    for axis, length in enumerate(brightness.shape):
        edges.append(np.arange(_SIDE) * length // _SIDE)
        brightness = np.add.reduceat(brightness, edges[axis], axis=axis)
    size = [np.maximum(np.diff(np.append(begins, length)), 1) for begins, length in zip(edges, picture.shape, strict=False)]
    fields: FloatArray = (brightness / np.outer(*size)).ravel()
    return fields
