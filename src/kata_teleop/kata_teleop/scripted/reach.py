# SPDX-License-Identifier: Apache-2.0
"""Reaching by submovements (`kata_teleop.scripted.submovements`) as one of several scripted operators."""

from kata_model.frames import HumanFrames
from kata_teleop.scripted.operator import Poses
from kata_teleop.scripted.submovements import OperatorConfig, ScriptedOperator

__all__ = ["ReachOperator"]

_HAND, _GOAL = "right_hand", "goal"


class ReachOperator:
    """The person who reaches, told of objects and palms like the others."""

    def __init__(self, config: OperatorConfig) -> None:
        """Start with the hand at rest and the clutch open."""
        self._person = ScriptedOperator(config)

    @property
    def engaged(self) -> bool:
        """Whether the clutch is closed."""
        return self._person.engaged

    def missing(self, objects: Poses, palms: Poses) -> str:
        """Return what must be seen and is not, or an empty string."""
        return ", ".join([*([] if _GOAL in objects else [_GOAL]), *([] if _HAND in palms else [f"palm of the {_HAND}"])])

    def engage(self, now: int) -> None:
        """Close the clutch at a time [ns]."""
        self._person.engage(now)

    def disengage(self) -> None:
        """Open the clutch and drop the hand."""
        self._person.disengage()

    def step(self, objects: Poses, palms: Poses, now: int) -> HumanFrames:
        """Return what a tracker sees of the person at a time [ns]; palms by human hand."""
        goal, palm = objects.get(_GOAL), palms.get(_HAND)
        return self._person.step(None if goal is None else goal[:3], None if palm is None else palm[:3], now)
