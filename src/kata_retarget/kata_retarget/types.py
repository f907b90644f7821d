# SPDX-License-Identifier: Apache-2.0
"""What every retargeting gives for one sample of human frames."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray, frozen

__all__ = ["Retargeted"]


@dataclass(frozen=True, slots=True)
class Retargeted:
    """A robot posture that stands for a human's.

    Attributes:
        names: The robot's joints, length n, layout order.
        position: Joint positions, shape (n,), [rad], layout order; None if the frames were refused.
        base_position: Base origin in the robot's world (z up, floor at 0), shape (3,), [m].
        base_orientation_xyzw: Base to world, unit quaternion, shape (4,).
        contact: Left and right foot on the floor, shape (2,), bool.
        reasons: Why frames were refused or only partly followed; empty when all is well.
    """

    names: tuple[str, ...]
    position: FloatArray | None
    base_position: FloatArray
    base_orientation_xyzw: FloatArray
    contact: NDArray[np.bool_]
    reasons: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Copy and freeze the arrays."""
        if self.position is not None:
            object.__setattr__(self, "position", frozen("position", self.position, (len(self.names),)))
        object.__setattr__(self, "base_position", frozen("base_position", self.base_position, (3,)))
        object.__setattr__(self, "base_orientation_xyzw", frozen("base_orientation_xyzw", self.base_orientation_xyzw, (4,)))
        contact = np.array(self.contact, dtype=bool)
        contact.setflags(write=False)
        object.__setattr__(self, "contact", contact)

    @property
    def joints(self) -> Mapping[str, float]:
        """Joint positions by name [rad]; empty if the frames were refused."""
        return {} if self.position is None else dict(zip(self.names, self.position.tolist(), strict=True))
