# SPDX-License-Identifier: Apache-2.0
"""How much a client may send."""

__all__ = ["Allowance", "Patience"]


class Allowance:
    """A token bucket: a rate over time, and a burst at once."""

    def __init__(self, rate: float, burst: float) -> None:
        """Set up.

        Args:
            rate: Allowed in the long run [1/s].
            burst: Allowed at once.
        """
        self._rate, self._burst, self._left = rate, burst, burst
        self._last: int | None = None

    def take(self, now: int) -> bool:
        """Return whether one more is allowed at a time [ns]."""
        if self._last is not None:
            self._left = min(self._burst, self._left + max(0, now - self._last) * 1e-9 * self._rate)
        self._last = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


class Patience:
    """Says when what was refused again and again has lasted too long."""

    def __init__(self, limit: float) -> None:
        """Set up.

        Args:
            limit: How long refusals may go on, pauses under a second included [s].
        """
        self._limit = round(limit * 1e9)
        self._first = self._last = -(10**12)

    def ends(self, now: int) -> bool:
        """Note a refusal at a time [ns]; return whether it was one too many."""
        if now - self._last > 1_000_000_000:
            self._first = now
        self._last = now
        return now - self._first >= self._limit
