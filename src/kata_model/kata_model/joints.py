# SPDX-License-Identifier: Apache-2.0
"""Joint vectors: one order (the layout's), one state, one command."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kata_model.arrays import FloatArray, frozen

__all__ = ["JointCommand", "JointLayout", "JointState"]


@dataclass(frozen=True)
class JointLayout:
    """The order of a robot's joints; every joint vector in Kata has this order.

    Attributes:
        names: Joint names without repetition, length n.
    """

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse repeated names."""
        if len(set(self.names)) != len(self.names):
            raise ValueError(f"joint names repeat: {self.names}")

    def __len__(self) -> int:
        """Return the number of joints."""
        return len(self.names)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.names)}

    def indices(self, names: Iterable[str]) -> list[int]:
        """Return the place of each name; KeyError names the first unknown joint."""
        return [self._index[name] for name in names]

    def order_of(self, names: Sequence[str]) -> list[int] | None:
        """Return the permutation that brings foreign-ordered values into layout order.

        Args:
            names: Joint names of a message.

        Returns:
            Indices p such that values[p] is in layout order, or None if a joint of the layout is
            missing or repeated. Foreign joints are left out.
        """
        if len(set(names)) != len(names):
            return None
        place = {name: i for i, name in enumerate(names)}
        order = [place.get(name, -1) for name in self.names]
        return None if -1 in order else order


@dataclass(frozen=True, slots=True)
class JointState:
    """What the joints were measured to do.

    Attributes:
        stamp: Time of measurement [ns].
        position: Shape (n,), [rad], layout order.
        velocity: Shape (n,), [rad/s].
        effort: Shape (n,), [N·m].
        stamps: When each joint was measured, shape (n,), [ns]; None if all were at `stamp`, else that is the newest message's.
    """

    stamp: int
    position: FloatArray
    velocity: FloatArray
    effort: FloatArray
    stamps: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        """Copy and freeze the arrays."""
        n = len(np.asarray(self.position))
        for name in ("position", "velocity", "effort"):
            object.__setattr__(self, name, frozen(name, getattr(self, name), (n,)))
        if self.stamps is not None:
            stamps = np.array(self.stamps, dtype=np.int64)
            if stamps.shape != (n,):
                raise ValueError(f"stamps has shape {stamps.shape}, expected ({n},)")
            stamps.flags.writeable = False
            object.__setattr__(self, "stamps", stamps)


@dataclass(frozen=True, slots=True)
class JointCommand:
    """What the joints are to do: torque = stiffness (position − q) + damping (velocity − dq) + effort.

    Attributes:
        stamp: Time of the source sample that caused it [ns].
        position: Shape (n,), [rad], layout order.
        velocity: Shape (n,), [rad/s].
        effort: Feed-forward, shape (n,), [N·m].
        stiffness: Shape (n,), [N·m/rad].
        damping: Shape (n,), [N·m·s/rad].
    """

    stamp: int
    position: FloatArray
    velocity: FloatArray
    effort: FloatArray
    stiffness: FloatArray
    damping: FloatArray

    def __post_init__(self) -> None:
        """Copy and freeze the arrays."""
        n = len(np.asarray(self.position))
        for name in ("position", "velocity", "effort", "stiffness", "damping"):
            object.__setattr__(self, name, frozen(name, getattr(self, name), (n,)))

    @classmethod
    def at(cls, stamp: int, position: ArrayLike, stiffness: ArrayLike, damping: ArrayLike) -> "JointCommand":
        """Return a command that rests at a position, shape (n,), [rad]."""
        rest = np.zeros(np.shape(position))
        return cls(stamp, np.asarray(position), rest, rest, np.asarray(stiffness), np.asarray(damping))
