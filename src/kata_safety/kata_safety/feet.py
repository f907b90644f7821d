# SPDX-License-Identifier: Apache-2.0
"""What the filter asks of a robot that stands on its own feet.

`kata_safety.balance.Footing` is that; it is named here by what it can do, since balance builds on safety, not the other way.
"""

from typing import Protocol

from kata_model.arrays import FloatArray
from kata_model.base_motion import BaseMotion
from kata_model.joints import JointState
from kata_safety.guard.guard import Guard, GuardedStep

__all__ = ["Feet"]


class Feet(Protocol):
    """Keeps a robot on its feet; joint vectors have shape (n,)."""

    @property
    def guard(self) -> Guard:
        """What keeps the commanded motion balanced."""

    @property
    def refuge(self) -> FloatArray:
        """Posture in which the joints may go limp [rad]."""

    @property
    def tracking(self) -> FloatArray:
        """Largest distance of command and measurement that is no fault [rad]."""

    def lead(self, wanted: FloatArray, goal: FloatArray, cap: float) -> FloatArray:
        """Return a wish that the legs can follow, [rad/s]; goal is the posture wished for [rad], cap the legs' limit [rad/s]."""

    def effort(self, step: GuardedStep, measured: JointState | None, base: BaseMotion | None) -> FloatArray:
        """Return the feed-forward efforts with which a step is taken and balance kept [N·m]; None means not known."""

    def arrived(self, tolerance: float) -> bool:
        """Return whether the commanded posture is the refuge's [rad]."""
