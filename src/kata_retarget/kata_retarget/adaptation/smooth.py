# SPDX-License-Identifier: Apache-2.0
"""Curves that stay below others."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from kata_model.arrays import FloatArray

__all__ = ["smooth_below"]


def smooth_below(values: FloatArray, reach: int) -> FloatArray:
    """Return a smooth curve that is nowhere above another: its local minimum, averaged over the same window.

    Args:
        values: Along the first axis, shape (N, …).
        reach: Half the window, in samples.
    """
    if reach < 1:
        return values.copy()
    edges = ((reach, reach), *((0, 0),) * (values.ndim - 1))
    lowest = sliding_window_view(np.pad(values, edges, mode="edge"), 2 * reach + 1, axis=0).min(axis=-1)
    bell = np.hanning(2 * reach + 3)[1:-1]
    windows = sliding_window_view(np.pad(lowest, edges, mode="edge"), 2 * reach + 1, axis=0)
    smooth: FloatArray = np.minimum(values, windows @ (bell / bell.sum()))
    return smooth
