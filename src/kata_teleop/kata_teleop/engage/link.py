# SPDX-License-Identifier: Apache-2.0
"""A stream of samples over a network: what is old, what is missing, how long it takes and how evenly."""

from collections import deque

import numpy as np

from kata_teleop.engage.config import Cause

__all__ = ["LinkMonitor"]


class LinkMonitor:
    """Admits samples by sequence number and age, and measures delay and jitter of those that come."""

    def __init__(self, max_age: float, max_silence: float, *, max_future: float = 0.05, window: int = 120) -> None:
        """Set up.

        Args:
            max_age: Oldest sample that is taken [s].
            max_silence: Longest time without a good sample [s].
            max_future: How far a stamp may lie ahead [s]; clocks are known only so well.
            window: Samples that delay and jitter cover.
        """
        self._max_age, self._max_future = max_age, max_future
        self._max_silence = round(max_silence * 1e9)
        self._ages: deque[float] = deque(maxlen=window)
        self._sequence: int | None = None
        self._stamp = 0
        self._good: int | None = None
        self._late_last = False
        self.received = self.lost = self.late = self.replayed = 0
        """Samples admitted; missing by number; refused for their age; refused for an old number or stamp."""

    def admit(self, sequence: int, stamp: int, now: int) -> str:
        """Return why a sample must not be used (``replayed``, ``late``), or an empty string.

        Args:
            sequence: Its number, rising by one.
            stamp: When it was measured, by the clock that now is of [ns].
            now: Time [ns].
        """
        if self._sequence is not None and not (sequence > self._sequence and stamp >= self._stamp):
            self.replayed += 1
            return "replayed"
        self.lost += sequence - self._sequence - 1 if self._sequence is not None else 0
        self._sequence, self._stamp = sequence, stamp
        age = (now - stamp) * 1e-9
        self._ages.append(age)
        self._late_last = not (-self._max_future <= age <= self._max_age)
        if self._late_last:
            self.late += 1
            return Cause.LATE
        self._good = now
        self.received += 1
        return ""

    def fault(self, now: int) -> str:
        """Return ``silent`` or ``late`` if no good sample came for too long, or an empty string."""
        if self._good is not None and now - self._good <= self._max_silence:
            return ""
        return Cause.LATE if self._late_last else Cause.SILENT

    @property
    def delay(self) -> float:
        """Median age on arrival [s]; NaN without samples."""
        return float(np.median(self._ages)) if self._ages else float("nan")

    @property
    def jitter(self) -> float:
        """95th less 5th percentile of that age [s]; NaN without samples."""
        return float(np.subtract(*np.percentile(self._ages, [95, 5]))) if self._ages else float("nan")
