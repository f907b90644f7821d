# SPDX-License-Identifier: Apache-2.0
"""How an episode moves: rest, reversals, tremor, jumps, and how much of the limits it uses."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray

__all__ = ["JointTrace", "Rest", "at_limits", "jumps", "rest", "reversals", "tremor", "usable"]

_RATE = 50.0
"""Commands are looked at at this rate [Hz]: receive stamps jitter, and people move more slowly."""

_NEXT = 0.1
"""Samples further apart do not follow one another [s]."""

_LEAST = 0.02
"""Smaller steps are no jumps, however short the time between their stamps [rad]."""


@dataclass(frozen=True, slots=True)
class JointTrace:
    """Positions of joints over time.

    Attributes:
        seconds: Strictly rising, shape (N,), [s].
        position: Shape (N, n), [rad].
    """

    seconds: FloatArray
    position: FloatArray

    def __post_init__(self) -> None:
        """Keep the samples that are finite and later than all before, and freeze them."""
        time, rows = np.asarray(self.seconds, dtype=float), np.asarray(self.position, dtype=float)
        if rows.ndim != 2 or len(time) != len(rows):
            raise ValueError(f"seconds {time.shape} and position {rows.shape} do not belong together")
        keep = usable(time, rows)
        for name, values in (("seconds", time[keep]), ("position", rows[keep])):
            values.setflags(write=False)
            object.__setattr__(self, name, values)

    def resampled(self, rate: float = _RATE) -> FloatArray:
        """Return the positions at a rate [Hz] by linear interpolation, shape (M, n); one row at least if there are any."""
        if not len(self.seconds):
            return self.position
        at = np.arange(self.seconds[0], self.seconds[-1] + 1e-9, 1.0 / rate)
        return np.stack([np.interp(at, self.seconds, column) for column in self.position.T], axis=1)


def usable(seconds: FloatArray, position: FloatArray) -> NDArray[np.bool_]:
    """Say of each sample whether it is finite and later than all before, shape (N,)."""
    newest = np.concatenate([[-np.inf], np.maximum.accumulate(seconds)[:-1]]) if len(seconds) else seconds
    fresh: NDArray[np.bool_] = np.isfinite(position).all(axis=1) & (seconds > newest)
    return fresh


@dataclass(frozen=True, slots=True)
class Rest:
    """When nothing moves.

    Attributes:
        share: Of the episode, in rests that last; between 0 and 1.
        before: Before the first motion [s].
        after: After the last [s].
        longest: Between motions [s].
    """

    share: float
    before: float
    after: float
    longest: float


def rest(seconds: FloatArray, velocity: FloatArray, still: float, pause: float) -> Rest:
    """Return when a robot rests.

    Args:
        seconds: Rising, shape (N,), [s].
        velocity: Measured, shape (N, n), [rad/s]; NaN counts as motion.
        still: A robot whose fastest joint is slower rests [rad/s].
        pause: Shorter rests are part of the motion [s].
    """
    if len(seconds) < 2 or not seconds[-1] > seconds[0]:
        return Rest(1.0, 0.0, 0.0, 0.0)
    slow = (np.abs(velocity) < still).all(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], slow, [False]]).astype(int)))
    last = len(seconds) - 1
    spans = [(a, b, float(seconds[min(b, last)] - seconds[a])) for a, b in edges.reshape(-1, 2).tolist()]
    lasting = [(a, b, t) for a, b, t in spans if t >= pause]
    before = sum(t for a, _, t in lasting if a == 0)
    after = sum(t for a, b, t in lasting if b > last and a > 0)
    between = [t for a, b, t in lasting if a > 0 and b <= last]
    share = sum(t for *_, t in lasting) / float(seconds[-1] - seconds[0])
    return Rest(min(1.0, share), before, after, max(between, default=0.0))


def reversals(trace: JointTrace, swing: float, window: float = 1.0) -> tuple[float, int]:
    """Return the most reversals of a joint a second [Hz], over the worst window [s], and the joint.

    A joint has reversed when it came back from its last extreme by a swing [rad]; less is noise.
    """
    worst, joint = 0.0, 0
    for j, turned in enumerate(_turns(trace.resampled(), swing).T):
        at = np.flatnonzero(turned) / _RATE
        most = (np.searchsorted(at, at + window, side="left") - np.arange(len(at))).max(initial=0) / window
        if most > worst:
            worst, joint = float(most), j
    return worst, joint


def _turns(position: FloatArray, swing: float) -> NDArray[np.bool_]:
    """Say at which samples each joint is known to have turned back, shape (M, n)."""
    turned = np.zeros(position.shape, dtype=bool)
    if not len(position):
        return turned
    low, high = position[0].copy(), position[0].copy()
    way = np.zeros(position.shape[1])  # 1 up, -1 down, 0 not known yet
    for i, row in enumerate(position):
        low, high = np.minimum(low, row), np.maximum(high, row)
        down, up = (way >= 0.0) & (high - row >= swing), (way <= 0.0) & (row - low >= swing)
        turned[i] = (down & (way > 0.0)) | (up & (way < 0.0))
        way = np.where(down, -1.0, np.where(up, 1.0, way))
        low, high = np.where(down | up, row, low), np.where(down | up, row, high)
    return turned


def tremor(trace: JointTrace, band: float) -> float:
    """Return the share of the squared velocity of all joints that is faster than a band [Hz]; 0 for what is too short."""
    velocity = np.diff(trace.resampled(), axis=0) * _RATE
    if len(velocity) < _RATE / band:
        return 0.0
    window = np.hanning(len(velocity))[:, None]  # without it the ends of a cut motion count as fast
    power = np.square(np.abs(np.fft.rfft(velocity * window, axis=0))).sum(axis=1)
    total = float(power.sum())
    return float(power[np.fft.rfftfreq(len(velocity), 1.0 / _RATE) > band].sum()) / total if total > 0.0 else 0.0


def jumps(trace: JointTrace, max_velocity: FloatArray, factor: float) -> NDArray[np.intp]:
    """Return the samples to which a joint jumped: faster than a factor times its limit [rad/s], shape (J,)."""
    time, change = np.diff(trace.seconds), np.abs(np.diff(trace.position, axis=0))
    fast = (change > factor * max_velocity * time[:, None]) & (change > _LEAST)
    return np.flatnonzero(fast.any(axis=1) & (time < _NEXT)) + 1


def at_limits(share: FloatArray, near: float) -> tuple[float, int]:
    """Return the share of the samples with a joint at a limit, and the joint that is there most.

    Args:
        share: Of each limit that is used, shape (N, n); NaN counts as at the limit.
        near: From which share on a joint is at its limit.
    """
    there = ~(share < near)
    return (float(there.any(axis=1).mean()), int(there.sum(axis=0).argmax())) if len(share) else (0.0, 0)
