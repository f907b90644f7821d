# SPDX-License-Identifier: Apache-2.0
"""Match streams to a common clock: the nearest past sample within a tolerance, or none."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["grid", "match_past", "rising"]


def rising(stamp: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the indices of samples whose stamp is not before an earlier sample's, shape (M,).

    A sample that goes back in time (a stale repeat, a clock that jumped) cannot be matched by its stamp.
    """
    if not len(stamp):
        return np.zeros(0, dtype=np.intp)
    return np.flatnonzero(stamp >= np.maximum.accumulate(stamp))


def grid(start: int, end: int, rate: float) -> NDArray[np.int64]:
    """Return the instants start, start + 1/rate … up to end, shape (T,), [ns]; rate is in [Hz].

    Each instant is rounded by itself, so that the error does not add up.
    """
    count = int((end - start) * rate / 1e9 + 1e-9) + 1 if end >= start else 0
    offsets = np.rint(np.arange(count) * (1e9 / rate)).astype(np.int64)
    return np.asarray(start + offsets, dtype=np.int64)


def match_past(stamp: NDArray[np.int64], at: NDArray[np.int64], tolerance: int) -> NDArray[np.intp]:
    """Return for each instant the index of the newest sample at or before it, or -1, shape (T,).

    Args:
        stamp: Sample stamps in order of receipt, shape (N,), [ns]; samples that go back in time are never matched.
        at: Instants, shape (T,), [ns].
        tolerance: Greatest age of a match [ns]; older gives -1.
    """
    usable = rising(stamp)
    if not len(usable):
        return np.full(len(at), -1, dtype=np.intp)
    times = stamp[usable]
    place = np.searchsorted(times, at, side="right") - 1
    nearest = times[np.maximum(place, 0)]
    fits = (place >= 0) & (at - nearest <= tolerance)
    return np.where(fits, usable[np.maximum(place, 0)], -1)
