# SPDX-License-Identifier: Apache-2.0
"""Whether the person is still there: what is old, missing, late or uneven on the network, and when a heartbeat is withheld."""

from collections import deque

import numpy as np

from kata_teleop.engage.config import Cause

__all__ = ["Heartbeat", "LinkMonitor"]

_ENOUGH = 5_000_000_000
"""Silence after which nobody can be listening who would confirm a stop [ns]."""


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


class Heartbeat:
    """Beats, but while a loss lasts too long: then it is silent until safety has stopped.

    It beats again after that, or `safety/reset` would be refused for ever by a silence that nobody can end.
    """

    def __init__(self, patience: float) -> None:
        """Set up.

        Args:
            patience: How long a loss may last [s].
        """
        self._patience = round(patience * 1e9)
        self._lost_since: int | None = None
        self._confirmed = False

    def beats(self, lost_since: int | None, stopped: bool, now: int) -> bool:
        """Return whether to beat.

        Args:
            lost_since: Since when the person is lost [ns]; None if they are not, which ends no silence by itself
                unless it was short.
            stopped: Whether safety says that the robot is stopped or stopping.
            now: Time, by the clock of lost_since [ns].
        """
        if lost_since is not None and self._lost_since is None:
            self._lost_since, self._confirmed = lost_since, False
        if self._lost_since is None:
            return True
        self._confirmed = self._confirmed or stopped
        silence = now - self._lost_since - self._patience
        overdue = silence > 0
        if lost_since is None and (not overdue or self._confirmed or silence > _ENOUGH):
            self._lost_since = None
            return True
        return not overdue or self._confirmed
