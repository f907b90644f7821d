# SPDX-License-Identifier: Apache-2.0
"""What a simulator's clock showed when a message came, however late somebody looks at the message."""

from collections import deque
from itertools import pairwise

__all__ = ["SimulatedTime"]

_KEPT = 256
"""Readings kept: half a second or more of a simulator's clock."""

_AHEAD = 20_000_000
"""Farthest that the clock is taken to have gone since it was last heard [ns]; it may have been stopped."""


class SimulatedTime:
    """Pairs of system and simulated time, and the line between them."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._readings: deque[tuple[int, int]] = deque(maxlen=_KEPT)

    def note(self, received: int, shown: int) -> None:
        """Take a reading: what the clock showed, and the system's time at which that came [ns]. A clock set back begins anew."""
        if self._readings and (shown < self._readings[-1][1] or received < self._readings[-1][0]):
            self._readings.clear()
        self._readings.append((received, shown))

    def at(self, received: int, before: int = 0) -> int | None:
        """Return what the clock showed at a system time [ns]; None if no reading tells.

        Between two readings it lies on the line between them; after the last it goes on at their pace for a while.

        Args:
            received: System time [ns].
            before: What was returned for an earlier time [ns]; where it was too far ahead, time stands still.
        """
        shown = self._on_line(received)
        return before if shown is not None and 0 < before - shown <= _AHEAD else shown

    def _on_line(self, received: int) -> int | None:
        if not self._readings or received < self._readings[0][0]:
            return None
        (begin, shown_first), (end, shown) = self._readings[0], self._readings[-1]
        if received >= end:
            pace = (shown - shown_first) / (end - begin) if end > begin else 0.0
            return shown + min(_AHEAD, int(pace * (received - end)))
        for (later, high), (earlier, low) in pairwise(reversed(self._readings)):
            if earlier <= received:
                return low + (high - low) * (received - earlier) // (later - earlier)
        raise AssertionError(received)
