# SPDX-License-Identifier: Apache-2.0
"""Stop state machine: what stops the robot, how hard, and whether that may end (stop categories of IEC 60204-1)."""

from kata_safety.config import SafetyConfig
from kata_safety.inputs import FilterInputs
from kata_safety.state import Stop, Stops
from kata_safety.stops.stability import base_faults, stance_of
from kata_safety.stops.stop_table import StopCategory, StopTable

__all__ = ["StopMachine"]


class StopMachine:
    """Keeps the hardest stop until a reset, which is refused while a cause lasts; what it remembers are `Stops`."""

    def __init__(self, table: StopTable, config: SafetyConfig) -> None:
        """Prepare."""
        self._table, self._config = table, config

    def notice(self, stops: Stops, causes: tuple[str, ...], inputs: FilterInputs) -> tuple[Stops, str]:
        """Take the causes that last now; return also the one for which to wait, if none stops the robot."""
        config, base = self._config, inputs.safety.base
        faults = () if base is None else base_faults(base, config.max_tilt, config.fall_margin)
        causes = (*causes, *inputs.safety.alarms, *faults)
        asked = (inputs.asked,) if inputs.asked else ()
        if not (causes or asked):
            return Stops(stops.stop) if stops.present else stops, ""
        stance = stance_of(base, config.min_balance_margin, config.max_tilt)
        present = tuple(c for c in causes if self._table.category(c, stance) < StopCategory.WAIT)
        reason, category = self._table.hardest((*causes, *asked), stance)
        if category is StopCategory.WAIT:
            return Stops(stops.stop, present), reason
        if stops.stop is None or category < stops.stop.category:
            return Stops(Stop(reason, category, inputs.now), present), ""
        return Stops(stops.stop, present), ""

    def escalate(self, stops: Stops, now: int) -> Stops:
        """End a retreat in damping."""
        return stops if stops.stop is None else Stops(Stop(stops.stop.reason, StopCategory.DAMP, now), stops.present)

    def release(self, stops: Stops) -> tuple[Stops, str]:
        """End the stop; return also why not if a cause lasts."""
        if stops.present:
            return stops, f"cause lasts: {', '.join(stops.present)}"
        return Stops(), ""
