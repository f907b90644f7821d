# SPDX-License-Identifier: Apache-2.0
"""Silence and slowness, noticed on a monotonic clock that the caller reads."""

from collections import deque

import numpy as np

from kata_model.arrays import FloatArray

__all__ = ["Alternation", "LoopMonitor", "Watchdog"]


class Watchdog:
    """Says when an input has been silent for too long; before it was first fed it sleeps."""

    def __init__(self, cause: str, deadline: float) -> None:
        """Set up.

        Args:
            cause: Name from `Reason` that silence is reported by.
            deadline: Longest silence [s].
        """
        self.cause = cause
        self._deadline = round(deadline * 1e9)
        self._fed: int | None = None

    def feed(self, now: int) -> None:
        """Note that something was heard at a monotonic time [ns]."""
        self._fed = now

    def late(self, now: int) -> bool:
        """Return whether the silence is too long, or the clock ran backwards, at a monotonic time [ns]."""
        return self._fed is not None and not (0 <= now - self._fed <= self._deadline)


class Alternation:
    """Notices that two sources send targets in turns, without knowing who sent which.

    A message that is far from the one before it, but near the one before that, is a turn; a few turns in a row are
    two sources. One source may jump, but it does not jump back and forth at once; and two that agree do no harm.
    """

    def __init__(self, distance: float = 0.05, turns: int = 4) -> None:
        """Set up.

        Args:
            distance: Least distance of two sources [rad].
            turns: Turns in a row that are taken for two sources.
        """
        self._distance, self._turns = distance, turns
        self._last: deque[FloatArray] = deque(maxlen=2)
        self._found = 0

    def note(self, position: FloatArray) -> bool:
        """Take the next target's position, shape (n,), [rad]; return whether two sources are at work."""
        if len(self._last) == 2 and all(len(position) == len(other) for other in self._last):
            back, previous = (float(np.abs(position - other).max()) for other in self._last)
            self._found = self._found + 1 if previous > max(self._distance, 3.0 * back) else 0
        self._last.append(position)
        return self._found >= self._turns


class LoopMonitor:
    """Watches the time between ticks: jitter, and overruns, i.e. ticks that came more than a period late."""

    def __init__(self, period: float, allowed: int, window: int = 1000) -> None:
        """Set up.

        Args:
            period: Intended time between ticks [s].
            allowed: Overruns among the last 100 ticks that are still borne.
            window: Ticks that statistics cover.
        """
        self._period = round(period * 1e9)
        self._allowed = allowed
        self._last: int | None = None
        self._late: deque[bool] = deque(maxlen=100)
        self._deviation: deque[int] = deque(maxlen=window)
        self.overruns = 0
        """Overruns so far."""

    def tick(self, now: int) -> bool:
        """Take the monotonic time of a tick [ns]; return whether too many of the last ones came late."""
        if self._last is not None:
            deviation = now - self._last - self._period
            self._deviation.append(abs(deviation))
            self._late.append(deviation > self._period)
            self.overruns += deviation > self._period
        self._last = now
        return sum(self._late) > self._allowed

    def jitter(self, percentile: float = 99.0) -> float:
        """Return a percentile of the deviation from the period over the last ticks [s]; 0 before the second tick."""
        return float(np.percentile(self._deviation, percentile)) * 1e-9 if self._deviation else 0.0
