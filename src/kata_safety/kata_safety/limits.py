# SPDX-License-Identifier: Apache-2.0
"""Position, velocity and acceleration limits that stay satisfiable for ever.

A joint at distance d from its limit, moving towards it at v, is *admissible* if it can stop before the
limit by braking with acceleration a in ticks of T. `braking_velocity` gives the largest such v exactly,
so that from an admissible state there always is an admissible next one (docs/safety.md has the proof).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pinocchio as pin
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_model.compiled import kernel
from kata_model.robot import RobotModel
from kata_model.verdict import JointFlag
from kata_safety.config import SafetyConfig
from kata_safety.qp.drives import position_margins, rotor_inertia

__all__ = ["Box", "JointLimits", "LimitedStep", "braking_acceleration", "braking_velocity", "fill_box", "stoppable"]

TOLERANCE = 1e-9
"""Velocity difference below which a limit is not said to have acted [rad/s]."""


_TOGETHER = 1.3
"""Exponent of the norm by which loads add: 1 is their sum, 2 as if they were independent."""

RESERVE = 0.85
"""Share of the effort limits that braking in a typical posture may take; the rest is for postures that are not."""

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


def braking_velocity(distance: FloatArray, acceleration: FloatArray | float, period: float) -> FloatArray:
    """Return the largest velocity from which braking in ticks ends within a distance.

    Moving at v for one tick, then slowing by a T each tick, covers a T² (K + 1)(K / 2 + f) with
    v / (a T) = K + f, K whole and 0 ≤ f < 1; this is that expression's inverse.

    Args:
        distance: Room left, shape (n,), [rad]; negative counts as none, and all beyond `FAR` as that.
        acceleration: Braking acceleration a, one or shape (n,), [rad/s²].
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


_POSITION, _VELOCITY, _ACCELERATION = int(JointFlag.POSITION), int(JointFlag.VELOCITY), int(JointFlag.ACCELERATION)


class Box(NamedTuple):
    """Velocities that a tick may choose from.

    Attributes:
        low: Shape (n,), [rad/s].
        high: Shape (n,), [rad/s], not below low.
        flags: `JointFlag` bits of the limits that a wanted velocity exceeds, shape (n,), uint8.
    """

    low: FloatArray
    high: FloatArray
    flags: NDArray[np.uint8]


@dataclass(frozen=True)
class JointLimits:
    """Limits of all joints, and the step that obeys them.

    Attributes:
        lower: Shape (n,), [rad].
        upper: Shape (n,), [rad].
        velocity: Shape (n,), [rad/s].
        acceleration: One or shape (n,), [rad/s²].
        period: Tick [s].
    """

    lower: FloatArray
    upper: FloatArray
    velocity: FloatArray
    acceleration: FloatArray | float
    period: float

    @classmethod
    def of(cls, robot: RobotModel, config: SafetyConfig) -> "JointLimits":
        """Return the robot's own limits, narrowed by a config; a margin never inverts a range."""
        margin = np.minimum(position_margins(robot, config.position_margin), 0.25 * (robot.upper - robot.lower))
        velocity = np.minimum(robot.max_velocity * config.velocity_scale, config.max_velocity)
        acceleration = braking_acceleration(robot, config.max_acceleration, config.effort_scale)
        velocity = np.minimum(velocity, acceleration * config.max_braking_time)
        return cls(robot.lower + margin, robot.upper - margin, velocity, acceleration, 1.0 / config.rate)

    @cached_property
    def change(self) -> FloatArray:
        """Return the largest change of velocity in a tick, shape (n,), [rad/s]."""
        return np.asarray(self.acceleration * self.period) * np.ones(len(self.lower))

    @cached_property
    def bounds(self) -> FloatArray:
        """Return rows lower, upper [rad], velocity and its change in a tick [rad/s], shape (4, n)."""
        return np.stack((self.lower, self.upper, self.velocity * np.ones(len(self.lower)), self.change))

    def box(self, position: FloatArray, velocity: FloatArray, wanted: FloatArray, velocity_cap: float = np.inf) -> Box:
        """Return which velocities obey every limit for now and leave room to brake.

        Where limits disagree, as after a push, acceleration has the last word, then position, then velocity.
        A joint outside its limits is led back in, at no more than its velocity limit.

        Args:
            position: Commanded position now, shape (n,), [rad], finite.
            velocity: Commanded velocity now, shape (n,), [rad/s], finite.
            wanted: Wanted velocity, shape (n,), [rad/s], finite; only flags depend on it.
            velocity_cap: Further limit for all joints [rad/s].
        """
        low, high, flags = np.empty_like(position), np.empty_like(position), np.zeros(len(position), dtype=np.uint8)
        fill_box(np.stack((position, velocity, wanted)), self.bounds, self.period, float(velocity_cap), low, high, flags)
        return Box(low, high, flags)

    def step(self, position: FloatArray, velocity: FloatArray, goal: FloatArray, velocity_cap: float = np.inf) -> LimitedStep:
        """Move one tick towards a goal under these limits alone: nearest admissible, or brake where nothing is.

        For one state, the step to a step's own position is that step. Arguments as in `box`; goal is the
        wanted position, shape (n,), [rad], finite.
        """
        wanted = self.velocity_to(position, goal)
        box = self.box(position, velocity, wanted, velocity_cap)
        chosen = np.clip(wanted, box.low, box.high)
        return LimitedStep(position + chosen * self.period, chosen, box.flags)

    def velocity_to(self, position: FloatArray, goal: FloatArray) -> FloatArray:
        """Return the velocity that reaches a goal in one tick, shape (n,), [rad/s]."""
        velocity: FloatArray = (np.clip(goal, -FAR, FAR) - position) / self.period
        return velocity


@kernel
def fill_box(
    motion: FloatArray, bounds: FloatArray, period: float, cap: float, low: FloatArray, high: FloatArray, flags: NDArray[np.uint8]
) -> None:
    """Write `JointLimits.box`: rows of motion are position, velocity, wanted; of bounds lower, upper, velocity, change."""
    for j in range(len(low)):
        position, velocity, wanted, most, change = motion[0, j], motion[1, j], motion[2, j], min(bounds[2, j], cap), bounds[3, j]
        up = _towards(bounds[1, j] - position, change, period, bounds[2, j])
        down = -_towards(position - bounds[0, j], change, period, bounds[2, j])
        slowest, fastest = min(max(-most, down), up), min(max(most, down), up)
        low[j] = min(max(slowest, velocity - change), velocity + change)
        high[j] = min(max(fastest, velocity - change), velocity + change)
        bounded = min(max(wanted, slowest), fastest)
        if wanted > up + TOLERANCE or wanted < down - TOLERANCE:
            flags[j] |= _POSITION
        if abs(wanted) > most + TOLERANCE:
            flags[j] |= _VELOCITY
        if abs(bounded - velocity) > change + TOLERANCE:
            flags[j] |= _ACCELERATION


@kernel
def _towards(distance: float, change: float, period: float, most: float) -> float:
    """Return the bound on velocity towards a limit; negative (away from it) where it is passed."""
    bound = stoppable(abs(distance), change, period)
    return bound if distance >= 0.0 else -min(bound, most)


@kernel
def stoppable(distance: float, change: float, period: float) -> float:
    """Return `braking_velocity` of one joint; change is its velocity's in a tick [rad/s]."""
    room = min(distance, FAR) / (change * period)
    whole = np.floor((np.sqrt(1.0 + 8.0 * room) - 1.0) / 2.0)
    part = (room - whole * (whole + 1.0) / 2.0) / (whole + 1.0)
    return float(change * (whole + min(max(part, 0.0), 1.0)))


def braking_acceleration(robot: RobotModel, most: float, effort_scale: float) -> FloatArray:
    """Return for each joint an acceleration that its motors can usually bear, shape (n,), [rad/s²].

    All joints may brake at once, and each loads the others. The accelerations are lowered, those that load a
    motor most first, until in typical postures these loads fit beside the weight: nearly their sum, as if all
    signs were adverse. That makes a good brake, not a guarantee: the guarantee is the filter's check of every braking path.
    With more, each such check would fail as soon as several joints move, and the motion would stutter.

    Args:
        robot: The robot.
        most: Largest acceleration [rad/s²].
        effort_scale: Share of the effort limits that is used.
    """
    inertia, weight = _typical_loads(robot)
    most_effort = RESERVE * effort_scale * robot.max_effort
    budget = np.maximum(most_effort - weight, 0.3 * most_effort)
    acceleration = np.full(len(robot.layout), most)
    for _ in range(1000):
        load = inertia * acceleration
        excess = (load**_TOGETHER).sum(axis=1) ** (1.0 / _TOGETHER) / budget
        worst = int(np.argmax(excess))
        if excess[worst] <= 1.0:
            break
        acceleration *= excess[worst] ** -(load[worst] / load[worst].max())
    return acceleration


def _typical_loads(robot: RobotModel) -> tuple[FloatArray, FloatArray]:
    """Return root-mean-square inertia, shape (n, n), and weight, shape (n,), over postures half-way to the limits."""
    rng, model = np.random.default_rng(0), robot.pinocchio
    data, inertias, weights = model.createData(), [], []
    for _ in range(64):
        position = robot.rest + 0.5 * (rng.uniform(robot.lower, robot.upper) - robot.rest)
        upper = np.triu(pin.crba(model, data, position))
        inertias.append(upper + np.triu(upper, 1).T)
        weights.append(pin.computeGeneralizedGravity(model, data, position).copy())
    typical = np.sqrt(np.mean(np.square(inertias), axis=0)) + np.diag(rotor_inertia(robot))
    return typical, np.sqrt(np.mean(np.square(weights), axis=0))
