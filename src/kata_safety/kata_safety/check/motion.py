# SPDX-License-Identifier: Apache-2.0
"""A motion to be checked: joint positions at instants, and their derivatives by differences."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kata_model.arrays import FloatArray, frozen
from kata_model.errors import DataError
from kata_model.verdict import Reason

__all__ = ["Motion"]

GAP = 0.25
"""Between samples further apart nothing moved [s]: somebody let go, and engaged again elsewhere."""


@dataclass(frozen=True, slots=True)
class Motion:
    """Joint positions over time, N samples of n joints.

    Attributes:
        stamp: Strictly rising, shape (N,), [ns].
        position: Finite, shape (N, n), [rad], layout order.
        faults: Samples that were left out, by reason.
    """

    stamp: NDArray[np.int64]
    position: FloatArray
    faults: Mapping[str, int]

    @classmethod
    def clean(cls, stamp: ArrayLike, position: ArrayLike, *, where: str = "") -> "Motion":
        """Return the samples that are finite and in order; the others are counted.

        Raises:
            DataError: Fewer than three samples are left.
        """
        times, rows = np.asarray(stamp, dtype=np.int64), np.asarray(position, dtype=float)
        finite = np.isfinite(rows).all(axis=1)
        newest = np.maximum.accumulate(np.concatenate([[np.iinfo(np.int64).min], times[:-1]])) if len(times) else times
        keep = finite & (times > newest)
        if keep.sum() < 3:
            raise DataError(f"{int(keep.sum())} samples that are finite and in order", where=where, fix="give at least three")
        faults = ((Reason.NOT_FINITE, ~finite), (Reason.OUT_OF_ORDER, times < newest), (Reason.DUPLICATED, times == newest))
        counts = {name: int(found.sum()) for name, found in faults}
        kept = times[keep]
        kept.setflags(write=False)
        return cls(kept, frozen("position", rows[keep], (None, None)), {name: n for name, n in counts.items() if n})

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.stamp)

    @property
    def seconds(self) -> FloatArray:
        """Return the time since the first sample, shape (N,), [s]."""
        return np.asarray((self.stamp - self.stamp[0]) * 1e-9, dtype=float)

    def steps(self) -> tuple[FloatArray, FloatArray]:
        """Return the time of each step between samples, shape (N − 1,), [s], and its velocity, shape (N − 1, n), [rad/s].

        Over a gap the velocity is zero.
        """
        time = np.diff(self.stamp) * 1e-9
        velocity = np.diff(self.position, axis=0) / time[:, None]
        velocity[time > GAP] = 0.0
        return time, velocity

    def velocity(self) -> FloatArray:
        """Return the faster of the velocities of the steps before and after each sample, shape (N, n), [rad/s]."""
        _, velocity = self.steps()
        before, after = np.vstack([velocity[:1], velocity]), np.vstack([velocity, velocity[-1:]])
        return np.where(np.abs(before) > np.abs(after), before, after)

    def acceleration(self) -> FloatArray:
        """Return the change of velocity from the step before to the step after each sample, shape (N, n), [rad/s²].

        At the ends and next to a gap it is zero.
        """
        time, velocity = self.steps()
        change = np.diff(velocity, axis=0) / (0.5 * (time[:-1] + time[1:]))[:, None]
        change[(time[:-1] > GAP) | (time[1:] > GAP)] = 0.0
        return np.vstack([np.zeros_like(change[:1]), change, np.zeros_like(change[:1])])

    def resample(self, rate: float) -> "Motion":
        """Return the motion at a rate [Hz], by linear interpolation."""
        count = int((self.stamp[-1] - self.stamp[0]) * 1e-9 * rate) + 1
        stamp = self.stamp[0] + np.round(np.arange(count) * 1e9 / rate).astype(np.int64)
        columns = [np.interp(stamp, self.stamp, column) for column in self.position.T]
        return Motion(stamp, frozen("position", np.stack(columns, axis=1), (None, None)), self.faults)
