# SPDX-License-Identifier: Apache-2.0
"""Arrays that stay as they were: checked, copied and read-only."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["FloatArray", "frozen"]

FloatArray = NDArray[np.float64]


def frozen(name: str, values: ArrayLike, shape: tuple[int | None, ...]) -> FloatArray:
    """Return values as a read-only float array, checked against a shape: a copy, unless they are one already.

    Args:
        name: What the values are, for the error.
        values: Numbers; NaN and infinities pass, they are judged elsewhere.
        shape: Expected shape; None stands for any length.

    Raises:
        ValueError: The shape differs.
    """
    # Nobody else can write to what is read-only and no view: that need not be copied.
    safe = type(values) is np.ndarray and values.base is None and not values.flags.writeable and values.dtype == float
    array: FloatArray = values if safe else np.array(values, dtype=float)  # type: ignore[assignment]
    if array.shape != shape and not _fits(array.shape, shape):
        raise ValueError(f"{name} has shape {array.shape}, expected {_text(shape)}")
    if array is not values:
        array.setflags(write=False)
    return array


def _fits(found: tuple[int, ...], shape: tuple[int | None, ...]) -> bool:
    return len(found) == len(shape) and all(n is None or n == m for n, m in zip(shape, found, strict=True))


def _text(shape: tuple[Any, ...]) -> str:
    return "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"
