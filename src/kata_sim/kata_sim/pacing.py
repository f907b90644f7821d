# SPDX-License-Identifier: Apache-2.0
"""How simulated time keeps up with a wall clock; the clock itself comes from the caller."""

__all__ = ["Every", "Pacer"]

_MOST_AT_ONCE = 5
"""Periods made up for in one call; more would starve whoever shares the thread."""

_FORGIVEN = 0.1
"""A lag beyond this is given up and counted, instead of running fast for a long time after a stall [s]."""


class Pacer:
    """Tells how many periods of simulated time are due.

    Args:
        period: Length of a period in simulated time [s].
        speed: Simulated over real time; 0 means one period at each call.
    """

    def __init__(self, period: float, speed: float) -> None:
        """Start with the first call."""
        self._period = round(1e9 * period / speed) if speed > 0.0 else 0
        self._next: int | None = None
        self.lost = 0.0
        """Real time given up so far [s]."""

    def due(self, now: int) -> int:
        """Return how many periods are to be simulated at a time of the wall clock [ns]."""
        if not self._period:
            return 1
        if self._next is None:
            self._next = now
        lag = now - self._next
        if lag > _FORGIVEN * 1e9:
            self.lost += lag * 1e-9
            self._next, lag = now, 0
        periods = min(lag // self._period + 1, _MOST_AT_ONCE) if lag >= 0 else 0
        self._next += periods * self._period
        return int(periods)


class Every:
    """Says yes at a rate, on a grid that starts at 0, so that streams of one rate agree.

    Args:
        rate: How often [Hz]; 0 means never.
    """

    def __init__(self, rate: float) -> None:
        """Say yes first at time 0 or after."""
        self._period = round(1e9 / rate) if rate > 0.0 else 0
        self._next = 0

    def due(self, now: int) -> bool:
        """Return whether the time [ns] has reached the next point of the grid."""
        if not self._period or now < self._next:
            return False
        self._next = (now // self._period + 1) * self._period
        return True
