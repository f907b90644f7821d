# SPDX-License-Identifier: Apache-2.0
"""How people move a hand: minimum-jerk paths (Flash & Hogan 1985, J. Neurosci. 5(7), eq. 3)."""

import numpy as np
from numpy.typing import ArrayLike

from kata_model.arrays import FloatArray

__all__ = ["PEAK", "minimum_jerk"]

PEAK = 1.875
"""Greatest velocity on a minimum-jerk path, over its mean (15/8)."""


def minimum_jerk(start: ArrayLike, end: ArrayLike, duration: float, elapsed: float) -> FloatArray:
    """Return the position on the minimum-jerk path from rest to rest.

    Args:
        start: Start position, any shape, any unit.
        end: End position, same shape and unit.
        duration: Time of the whole movement [s], positive.
        elapsed: Time since its start [s]; before 0 the start is returned, after `duration` the end.
    """
    a, b = np.asarray(start, dtype=float), np.asarray(end, dtype=float)
    tau = min(max(elapsed / duration, 0.0), 1.0)
    share = tau**3 * (10.0 - 15.0 * tau + 6.0 * tau**2)
    path: FloatArray = a + (b - a) * share
    return path
