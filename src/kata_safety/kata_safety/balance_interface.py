# SPDX-License-Identifier: Apache-2.0
"""The balance interface: what the filter asks of a robot that stands on its own feet.

`kata_safety.balance.BalanceController` is that. It is named here by what it can do: balance builds on the filter's parts.
"""

from typing import Protocol

from kata_model.arrays import FloatArray
from kata_model.base_motion import BaseMotion
from kata_model.joints import JointState
from kata_safety.qp.motion import Commanded, FilteredStep
from kata_safety.qp.qp_filter import QPFilter
from kata_safety.state import BalanceMemory

__all__ = ["BalanceInterface"]


class BalanceInterface(Protocol):
    """Keeps a robot on its feet; joint vectors have shape (n,)."""

    @property
    def qp_filter(self) -> QPFilter:
        """What keeps the commanded motion balanced."""

    @property
    def safe_posture(self) -> FloatArray:
        """Posture in which the joints may go limp [rad]."""

    @property
    def tracking(self) -> FloatArray:
        """Largest distance of command and measurement that is no fault [rad]."""

    def lead(self, at: Commanded, wanted: FloatArray, goal: FloatArray, cap: float) -> FloatArray:
        """Return a velocity that the legs can follow, [rad/s]; goal is the desired posture [rad], cap the legs' limit [rad/s]."""

    def effort(
        self, memory: BalanceMemory, step: FilteredStep, measured: JointState | None, base: BaseMotion | None
    ) -> tuple[FloatArray, BalanceMemory]:
        """Return the efforts with which a step is taken and balance kept [N·m], and what to remember; None means not known."""

    def arrived(self, at: Commanded, tolerance: float) -> bool:
        """Return whether the commanded posture is the safe one, within a tolerance [rad]."""
