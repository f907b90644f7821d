# SPDX-License-Identifier: Apache-2.0
"""What broken sensors tell a safety filter, with fresh stamps: encoders, and the motion of a floating base."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from kata_model import JointState, RobotModel
from kata_model.base_motion import BaseMotion

__all__ = ["BASE_FAULTS", "Liar", "broken_base"]

Lie = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""What becomes of position [rad] and velocity [rad/s] of some joints."""

BASE_FAULTS = ("no_base", "nan_base", "frozen_base", "thrown_base", "tilted_base", "running_base")


class Liar:
    """Encoders that are honest most of the time."""

    def __init__(self, robot: RobotModel, rng: np.random.Generator) -> None:
        """Begin honestly."""
        self.robot, self.rng, self.kind, self.left = robot, rng, "", 0

    def tell(self, state: JointState) -> JointState:
        """Return what is measured of a true state, a few dozen to a few hundred ticks of one kind at a time."""
        self.left -= 1
        if self.left <= 0:
            self._choose(state)
        if not self.kind:
            return state
        position, velocity, joints = np.array(state.position), np.array(state.velocity), self.joints
        position[joints], velocity[joints] = self._lies()[self.kind](position[joints], velocity[joints])
        stamps = np.full(len(position), state.stamp)
        stamps[joints] -= round(self.age) if self.kind == "old" else 0
        return JointState(state.stamp, position, velocity, state.effort, stamps)

    def _lies(self) -> dict[str, Lie]:
        kept, offset, rng, n = self.kept[self.joints], self.offset[self.joints], self.rng, len(self.joints)
        return {
            "frozen": lambda p, v: (kept, 0.0 * v),
            "half_frozen": lambda p, v: (kept, v),
            "biased": lambda p, v: (p + offset, v),
            "swapped": lambda p, v: (p[::-1], v[::-1]),
            "flipped": lambda p, v: (2.0 * kept - p, -v),
            "jumping": lambda p, v: (p + offset * rng.integers(-1, 2, n), v),
            "noisy": lambda p, v: (p + rng.normal(0.0, 0.1, n), v),
            "racing": lambda p, v: (p, rng.normal(0.0, 50.0, n)),
            "beyond": lambda p, v: (rng.choice([np.nan, np.inf, -1e300, 50.0], n), v),
            "old": lambda p, v: (p, v),
        }

    def _choose(self, state: JointState) -> None:
        rng, n = self.rng, len(state.position)
        self.joints = rng.permutation(n)[: int(rng.choice([1, 2, 3, n], p=[0.5, 0.3, 0.15, 0.05]))]
        self.kept, self.offset, self.age = np.array(state.position), rng.normal(0.0, 0.5, n), rng.uniform(0.0, 0.3e9)
        self.kind = str(rng.choice(list(self._lies()))) if not self.kind and rng.random() < 0.4 else ""
        self.left = int(rng.integers(20, 400))


def broken_base(base: BaseMotion, fault: str, held: BaseMotion | None, rng: np.random.Generator) -> BaseMotion | None:
    """Return what `odom` tells of the base, or what a fault makes of it; held is the last one that was told."""
    match fault:
        case "no_base":
            return None
        case "nan_base":
            return replace(base, position=base.position * np.nan)
        case "frozen_base" if held is not None:
            return replace(held, stamp=base.stamp)
        case "thrown_base":
            return replace(base, position=base.position + rng.normal(0.0, 2.0, 3))
        case "tilted_base":
            return replace(base, orientation_xyzw=rng.normal(0.0, 1.0, 4))
        case "running_base":
            return replace(base, linear_velocity=rng.normal(0.0, 5.0, 3), angular_velocity=rng.normal(0.0, 20.0, 3))
    return base
