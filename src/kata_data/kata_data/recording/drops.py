# SPDX-License-Identifier: Apache-2.0
"""How many messages of a stream never came."""

from collections import deque
from statistics import median

__all__ = ["DropCounter"]

_GAP = 1.75
"""A gap of so many periods holds a drop: one lost message makes two, and jitter of a source's stamps stays below."""

_LEARN = 10
"""Intervals from which a period is learnt where none was declared."""

_FORGET = 10_000_000_000
"""After this silence a publisher's sequence is forgotten, if there are others [ns]."""


class DropCounter:
    """Counts drops of one stream, from sequence numbers where there are any, else from gaps of period.

    Several publishers on a topic count for themselves and nothing in a message tells them apart; each message is
    therefore taken for the successor of that sequence which it continues with the smallest gap. A number below all
    sequences is a new publisher, or an old one that started anew, and no drop.

    Attributes:
        received: Messages noted.
        lost: Messages that never came.
    """

    def __init__(self, rate: float = 0.0) -> None:
        """Start.

        Args:
            rate: Expected rate [Hz], used where there are no sequence numbers; 0: learnt from the stream.
        """
        self.received = self.lost = 0
        self._heads: dict[int, int] = {}
        self._period = 1e9 / rate if rate > 0.0 else 0.0
        self._intervals: deque[int] = deque(maxlen=50)
        self._last = 0

    def note(self, sequence: int, stamp: int) -> int:
        """Take a message into account and return how many were lost before it.

        Args:
            sequence: The publisher's count, or 0 where the middleware has none.
            stamp: When it was sent, or received if that is not known [ns].
        """
        lost = self._by_sequence(sequence, stamp) if sequence > 0 else self._by_period(stamp)
        self.received += 1
        self.lost += lost
        return lost

    def reset(self) -> None:
        """Begin to count anew, without forgetting where the sequences stand."""
        self.received = self.lost = 0

    def _by_sequence(self, sequence: int, stamp: int) -> int:
        if len(self._heads) > 1:
            self._heads = {head: seen for head, seen in self._heads.items() if stamp - seen < _FORGET}
        behind = [head for head in self._heads if head < sequence]
        if not behind:
            self._heads[sequence] = stamp
            return 0
        nearest = max(behind)
        del self._heads[nearest]
        self._heads[sequence] = stamp
        return sequence - nearest - 1

    def _by_period(self, stamp: int) -> int:
        interval, self._last = stamp - self._last if self._last else 0, stamp
        if interval <= 0:
            return 0
        period = self._period or (median(self._intervals) if len(self._intervals) >= _LEARN else 0.0)
        self._intervals.append(interval)
        if period <= 0.0 or not interval > _GAP * period:
            return 0
        return round(interval / period) - 1
