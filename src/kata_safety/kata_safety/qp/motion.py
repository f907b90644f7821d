# SPDX-License-Identifier: Apache-2.0
"""What the QP filter takes and gives, and what else may be asked of it."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_safety.limits import JointLimits
from kata_safety.qp.buffers import Buffers
from kata_safety.qp.handle import Handle

__all__ = ["Commanded", "Constraints", "ConstraintsTick", "DesiredVelocity", "FilteredStep"]


class Commanded(NamedTuple):
    """The commanded motion, read-only arrays of shape (n,).

    Attributes:
        position: [rad].
        velocity: [rad/s].
        proven: Whether it has a certificate: braking from here keeps every limit.
        ceiling: Efforts asked of it [N·m]; without a certificate, those of braking.
        stance: Posture in which it began [rad]; a robot on its feet keeps its soles where that has them.
    """

    position: FloatArray
    velocity: FloatArray
    proven: bool
    ceiling: FloatArray
    stance: FloatArray


class DesiredVelocity(NamedTuple):
    """What is wanted of a tick.

    Attributes:
        velocity: Shape (n,), [rad/s], finite.
        cap: Velocity limit of all joints beside their own [rad/s].
    """

    velocity: FloatArray
    cap: float = np.inf


class FilteredStep(NamedTuple):
    """What is admitted.

    Attributes:
        position: Shape (n,), [rad].
        velocity: Shape (n,), [rad/s].
        effort: Efforts of this motion, shape (n,), [N·m].
        flags: `JointFlag` bits of the limits that acted, shape (n,), uint8.
        reasons: Names from `Reason` that flags do not tell.
    """

    position: FloatArray
    velocity: FloatArray
    effort: FloatArray
    flags: NDArray[np.uint8]
    reasons: tuple[str, ...]


class ConstraintsTick(Protocol):
    """What is asked of one tick beside the limits of joints and distances."""

    def append_rows(self, used: int) -> int:
        """Append rows to the quadratic program after those used already; return how many there are in all."""

    def keeps_path(self) -> bool:
        """Return whether the path just followed keeps what is asked."""

    def relax(self) -> bool:
        """Ask no more than braking can give, whose path was just followed; return whether that is everything."""

    def told(self, step: FilteredStep) -> FilteredStep:
        """Return a step with the efforts that it takes here, and with what acted on it."""


class Constraints(Protocol):
    """What is asked of a commanded motion beside the limits of joints and distances, as parts of the QP filter."""

    @property
    def rows(self) -> int:
        """Rows of the quadratic program at most."""

    @property
    def count(self) -> int:
        """How many inequalities each tick keeps."""

    @property
    def cost(self) -> FloatArray:
        """What a change of each joint's desired velocity costs, shape (n,)."""

    def limits(self, limits: JointLimits) -> JointLimits:
        """Return limits of joints, narrowed."""

    def effort(self, most: FloatArray) -> FloatArray:
        """Return the efforts that joints may take, infinite where these constraints bound them, shape (n,), [N·m]."""

    def begin(self, at: Commanded, buffers: Buffers, handle: Handle[Buffers]) -> ConstraintsTick:
        """Begin a tick; rows, path and desired velocity are in the buffers."""
