# SPDX-License-Identifier: Apache-2.0
"""What the filter is told beside joint state and target."""

from dataclasses import dataclass

from kata_model.base_motion import BaseMotion
from kata_safety.stops.stability import BaseState

__all__ = ["NOTHING", "Senses"]


@dataclass(frozen=True, slots=True)
class Senses:
    """What else is known at a tick.

    Attributes:
        alarms: Causes that last, names from `Reason` that the table of stops knows.
        base: How a floating base stands; None where the base is held.
        motion: Where a floating base is and how it moves; None where that is not known.
    """

    alarms: tuple[str, ...] = ()
    base: BaseState | None = None
    motion: BaseMotion | None = None


NOTHING = Senses()
