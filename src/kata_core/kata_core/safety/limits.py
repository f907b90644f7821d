# SPDX-License-Identifier: Apache-2.0
"""Position, velocity and acceleration limits that stay satisfiable for ever.

A joint at distance d from its limit, moving towards it at v, is *admissible* if it can stop before the
limit by braking with acceleration a in ticks of T. `braking_velocity` gives the largest such v exactly,
so that from an admissible state there always is an admissible next one (docs/safety.md has the proof).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kata_core.arrays import FloatArray
from kata_core.robot import RobotModel
from kata_core.safety.config import SafetyConfig
from kata_core.verdict import JointFlag

__all__ = ["JointLimits", "LimitedStep", "braking_velocity"]

TOLERANCE = 1e-9
"""Velocity difference below which a limit is not said to have acted [rad/s]."""


FAR = 1e3
"""More room than any joint has [rad]; keeps absurd but finite goals from overflowing."""


class LimitedStep(NamedTuple):
    """One tick of motion within limits.

    Attributes:
        position: Shape (n,), [rad].
        velocity: Shape (n,), [rad/s].
        flags: `JointFlag` bits of the limits that acted, shape (n,), uint8.
    """

    position: FloatArray
    velocity: FloatArray
    flags: NDArray[np.uint8]


def braking_velocity(distance: FloatArray, acceleration: float, period: float) -> FloatArray:
    """Return the largest velocity from which braking in ticks ends within a distance.

    Moving at v for one tick, then slowing by a T each tick, covers a T² (K + 1)(K / 2 + f) with
    v / (a T) = K + f, K whole and 0 ≤ f < 1; this is that expression's inverse.

    Args:
        distance: Room left, shape (n,), [rad]; negative counts as none, and all beyond `FAR` as that.
        acceleration: Braking acceleration a [rad/s²].
        period: Tick T [s].

    Returns:
        Shape (n,), [rad/s], not negative.
    """
    unit = acceleration * period
    room = np.clip(distance, 0.0, FAR) / (unit * period)
    whole = np.floor((np.sqrt(1.0 + 8.0 * room) - 1.0) / 2.0)
    part = (room - whole * (whole + 1.0) / 2.0) / (whole + 1.0)
    velocity: FloatArray = unit * (whole + np.clip(part, 0.0, 1.0))
    return velocity


@dataclass(frozen=True)
class JointLimits:
    """Limits of all joints, and the step that obeys them.

    Attributes:
        lower: Shape (n,), [rad].
        upper: Shape (n,), [rad].
        velocity: Shape (n,), [rad/s].
        acceleration: [rad/s²].
        period: Tick [s].
    """

    lower: FloatArray
    upper: FloatArray
    velocity: FloatArray
    acceleration: float
    period: float

    @classmethod
    def of(cls, robot: RobotModel, config: SafetyConfig) -> "JointLimits":
        """Return the robot's own limits, narrowed by a config; a margin never inverts a range."""
        margin = np.minimum(config.position_margin, 0.25 * (robot.upper - robot.lower))
        velocity = np.minimum(robot.max_velocity * config.velocity_scale, config.max_velocity)
        return cls(robot.lower + margin, robot.upper - margin, velocity, config.max_acceleration, 1.0 / config.rate)

    def step(self, position: FloatArray, velocity: FloatArray, goal: FloatArray, velocity_cap: float = np.inf) -> LimitedStep:
        """Move one tick towards a goal: nearest admissible, or brake where nothing is.

        A joint outside its limits is led back in, at no more than the velocity cap. For one state, the
        step to a step's own position is that step.

        Args:
            position: Commanded position now, shape (n,), [rad], finite.
            velocity: Commanded velocity now, shape (n,), [rad/s], finite.
            goal: Wanted position, shape (n,), [rad], finite.
            velocity_cap: Further limit for all joints [rad/s].
        """
        wanted = (np.clip(goal, -FAR, FAR) - position) / self.period
        cap = np.minimum(self.velocity, velocity_cap)
        up = self._towards(self.upper - position)
        down = -self._towards(position - self.lower)
        bounded = np.clip(np.clip(wanted, -cap, cap), down, up)
        change = self.acceleration * self.period
        chosen = np.clip(bounded, velocity - change, velocity + change)
        flags = (
            JointFlag.POSITION * ((wanted > up + TOLERANCE) | (wanted < down - TOLERANCE))
            + JointFlag.VELOCITY * (np.abs(wanted) > cap + TOLERANCE)
            + JointFlag.ACCELERATION * (np.abs(bounded - velocity) > change + TOLERANCE)
        )
        return LimitedStep(position + chosen * self.period, chosen, flags.astype(np.uint8))

    def _towards(self, distance: FloatArray) -> FloatArray:
        """Return the bound on velocity towards a limit; negative (away from it) where it is passed."""
        stoppable = braking_velocity(np.abs(distance), self.acceleration, self.period)
        bound: FloatArray = np.where(distance >= 0.0, stoppable, -np.minimum(stoppable, self.velocity))
        return bound
