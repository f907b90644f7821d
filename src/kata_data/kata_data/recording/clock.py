# SPDX-License-Identifier: Apache-2.0
"""How far another machine's clock is ahead of ours, from exchanges of four stamps."""

from collections import deque
from dataclasses import dataclass

__all__ = ["ClockOffset", "Exchange"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and its answer, as in NTP (RFC 5905, section 8).

    Attributes:
        asked: When we asked, by our clock [ns].
        received: When the other got the question, by its clock [ns].
        answered: When it answered, by its clock [ns].
        heard: When the answer came, by our clock [ns].
    """

    asked: int
    received: int
    answered: int
    heard: int

    @property
    def offset(self) -> float:
        """The other's clock minus ours, if both ways take equally long [s]."""
        return 0.5e-9 * ((self.received - self.asked) + (self.answered - self.heard))

    @property
    def delay(self) -> float:
        """Time on the way, both ways [s]; half of it bounds the error of `offset`."""
        return 1e-9 * ((self.heard - self.asked) - (self.answered - self.received))


class ClockOffset:
    """The offset by the quickest of the last exchanges: waiting anywhere makes an exchange slow and its offset wrong."""

    def __init__(self, keep: int = 16) -> None:
        """Remember so many exchanges."""
        self._exchanges: deque[Exchange] = deque(maxlen=keep)

    def note(self, exchange: Exchange) -> bool:
        """Take an exchange into account; one with a negative delay, as when a clock was set meanwhile, is refused."""
        sound = exchange.delay >= 0.0
        if sound:
            self._exchanges.append(exchange)
        return sound

    @property
    def best(self) -> Exchange | None:
        """The quickest exchange, or None without any."""
        return min(self._exchanges, key=lambda e: e.delay, default=None)

    @property
    def offset(self) -> float:
        """The other's clock minus ours [s]; NaN without an exchange."""
        return self.best.offset if self.best else float("nan")

    @property
    def uncertainty(self) -> float:
        """Bound of the error of `offset` [s]; NaN without an exchange."""
        return 0.5 * self.best.delay if self.best else float("nan")
