# SPDX-License-Identifier: Apache-2.0
"""Arrays that stay as they were: checked, copied and read-only."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["FloatArray", "frozen"]

FloatArray = NDArray[np.float64]


def frozen(name: str, values: ArrayLike, shape: tuple[int | None, ...]) -> FloatArray:
    """Return a read-only float copy of values, checked against a shape.

    Args:
        name: What the values are, for the error.
        values: Numbers; NaN and infinities pass, they are judged elsewhere.
        shape: Expected shape; None stands for any length.

    Raises:
        ValueError: The shape differs.
    """
    array: FloatArray = np.array(values, dtype=float)
    if array.ndim != len(shape) or any(n is not None and n != m for n, m in zip(shape, array.shape, strict=True)):
        raise ValueError(f"{name} has shape {array.shape}, expected {_text(shape)}")
    array.setflags(write=False)
    return array


def _text(shape: tuple[Any, ...]) -> str:
    return "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"
