# SPDX-License-Identifier: Apache-2.0
"""What the filter is told beside joint state and target."""

from dataclasses import dataclass

from kata_core.safety.balance import BaseState

__all__ = ["NOTHING", "Senses"]


@dataclass(frozen=True, slots=True)
class Senses:
    """What else is known at a tick.

    Attributes:
        alarms: Causes that last, names from `Reason` that the table of stops knows.
        base: How a floating base stands; None where the base is held.
    """

    alarms: tuple[str, ...] = ()
    base: BaseState | None = None


NOTHING = Senses()
