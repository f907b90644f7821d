# SPDX-License-Identifier: Apache-2.0
"""The latch: what stopped the robot, how hard, and whether that may end."""

from dataclasses import dataclass

from kata_safety.config import SafetyConfig
from kata_safety.senses import Senses
from kata_safety.stops.stability import base_faults, stance_of
from kata_safety.stops.table import StopCategory, StopTable

__all__ = ["Latch", "Stop"]


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop in force.

    Attributes:
        reason: What caused it.
        category: How to stop.
        since: When it began [ns].
    """

    reason: str
    category: StopCategory
    since: int


class Latch:
    """Keeps the hardest stop until a reset, which is refused while a cause lasts."""

    def __init__(self, table: StopTable, config: SafetyConfig) -> None:
        """Start without a stop."""
        self._table, self._config = table, config
        self._asked = ""
        self._present: tuple[str, ...] = ()
        self.stop: Stop | None = None

    def ask(self, reason: str) -> None:
        """Stop at the next tick, for a cause that is over at once, like a service call."""
        self._asked = reason

    @property
    def pending(self) -> bool:
        """Whether a stop was asked for since the last tick."""
        return bool(self._asked)

    def notice(self, causes: tuple[str, ...], senses: Senses, now: int) -> str:
        """Take the causes that last now; return the one for which to wait, if none stops the robot."""
        config, base = self._config, senses.base
        causes = (*causes, *senses.alarms, *base_faults(base, config.max_tilt, config.fall_margin))
        asked = (self._asked,) if self._asked else ()
        if not (causes or asked):
            self._present = ()
            return ""
        stance = stance_of(base, config.min_balance_margin, config.max_tilt)
        self._present = tuple(c for c in causes if self._table.category(c, stance) < StopCategory.WAIT)
        reason, category = self._table.hardest((*causes, *asked), stance)
        self._asked = ""
        if category is StopCategory.WAIT:
            return reason
        if self.stop is None or category < self.stop.category:
            self.stop = Stop(reason, category, now)
        return ""

    def harden(self, now: int) -> None:
        """End a retreat in damping."""
        if self.stop is not None:
            self.stop = Stop(self.stop.reason, StopCategory.DAMP, now)

    def release(self) -> str:
        """End the stop; return why not if a cause lasts."""
        if self._present:
            return f"cause lasts: {', '.join(self._present)}"
        self.stop, self._asked = None, ""
        return ""
