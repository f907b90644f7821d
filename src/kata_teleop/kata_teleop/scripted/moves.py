# SPDX-License-Identifier: Apache-2.0
"""Smooth movements of a palm from rest to rest."""

from dataclasses import dataclass

import numpy as np
import pinocchio as pin

from kata_model.arrays import FloatArray
from kata_model.kinematics.minimum_jerk import minimum_jerk

__all__ = ["Move", "pace", "turned"]


@dataclass(frozen=True, slots=True)
class Move:
    """A minimum-jerk movement between two poses, shape (7,) each: position [m] and xyzw quaternion.

    Attributes:
        start: From where.
        end: To where.
        begins: When [ns].
        duration: How long [s].
    """

    start: FloatArray
    end: FloatArray
    begins: int
    duration: float

    def at(self, now: int) -> FloatArray:
        """Return the pose at a time [ns]."""
        share = float(minimum_jerk(0.0, 1.0, self.duration, (now - self.begins) * 1e-9))
        place = self.start[:3] + share * (self.end[:3] - self.start[:3])
        turn = pin.Quaternion(self.start[3:].copy()).slerp(share, pin.Quaternion(self.end[3:].copy()))
        return np.concatenate([place, turn.coeffs()])

    def over(self, now: int) -> bool:
        """Return whether the movement has ended at a time [ns]."""
        return (now - self.begins) * 1e-9 >= self.duration


def turned(position: FloatArray, yaw: float) -> FloatArray:
    """Return the pose, shape (7,), at a position [m], turned about the vertical by a yaw [rad]."""
    return np.array([*position, 0.0, 0.0, np.sin(yaw / 2.0), np.cos(yaw / 2.0)])


def pace(rng: np.random.Generator, mean: float, spread: float) -> float:
    """Draw a duration about a mean [s], never under a third of it; spread is the relative standard deviation."""
    return mean * max(1.0 + float(rng.normal(0.0, spread)), 1.0 / 3.0)
