# SPDX-License-Identifier: Apache-2.0
"""How a floating base stands and moves in the world."""

from dataclasses import dataclass

from kata_model.arrays import FloatArray, frozen

__all__ = ["BaseMotion"]

_SHAPES = (("position", 3), ("orientation_xyzw", 4), ("linear_velocity", 3), ("angular_velocity", 3))


@dataclass(frozen=True, slots=True)
class BaseMotion:
    """One estimate or measurement of the base; its world has z up (REP 105: ``odom``).

    Attributes:
        stamp: Time of measurement [ns].
        position: Base in the world, shape (3,), [m].
        orientation_xyzw: Base to world, shape (4,).
        linear_velocity: Of the base's origin against the world, in the base's frame, shape (3,), [m/s].
        angular_velocity: Against the world, in the base's frame, shape (3,), [rad/s].
    """

    stamp: int
    position: FloatArray
    orientation_xyzw: FloatArray
    linear_velocity: FloatArray
    angular_velocity: FloatArray

    def __post_init__(self) -> None:
        """Copy and freeze the arrays."""
        for name, length in _SHAPES:
            object.__setattr__(self, name, frozen(name, getattr(self, name), (length,)))
