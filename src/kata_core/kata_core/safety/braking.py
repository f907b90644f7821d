# SPDX-License-Identifier: Apache-2.0
"""What happens if the robot brakes: the path to rest, tick by tick, and how near it comes to every limit.

Each joint slows by a constant amount a tick until it rests. The path is therefore known beforehand, and what
this kernel finds about it is a certificate: as long as no better command is known to be safe, the next tick of
a certified path is (docs/safety.md, "Recursive feasibility").
"""

from typing import NamedTuple

import numpy as np

from kata_core.arrays import FloatArray
from kata_core.compiled import kernel
from kata_core.retarget.tree import forward
from kata_core.safety.efforts import inverse_dynamics
from kata_core.safety.plant import IntArray, Plant, Scratch
from kata_core.safety.separation import gap, inside, place

__all__ = ["BrakingPath", "follow_to_rest", "new_braking_path"]


class BrakingPath(NamedTuple):
    """How near a path comes to the limits.

    Attributes:
        nearest: Lower bound of each separation over the whole path, between ticks too, shape (m,), [m].
        ticks: Least of each separation at the path's ticks, shape (m,), [m].
        effort: Largest effort of each joint, shape (n,), [N·m].
        first_effort: Effort of the first tick, with sign, shape (n,), [N·m].
        position: Room, shape (n,).
        velocity: Room, shape (n,).
        acceleration: Room, shape (n,).
        before: Room: separations when last looked at, shape (m,).
        closing: Room: how much they can have changed since, shape (m,).
        watched: Room: whether a separation can come near on this path, shape (m,).
    """

    nearest: FloatArray
    ticks: FloatArray
    effort: FloatArray
    first_effort: FloatArray
    position: FloatArray
    velocity: FloatArray
    acceleration: FloatArray
    before: FloatArray
    closing: FloatArray
    watched: FloatArray


def new_braking_path(plant: Plant) -> BrakingPath:
    """Return room for a path's results."""
    n, m = len(plant.mass) - 1, len(plant.first)
    return BrakingPath(np.zeros(m), np.zeros(m), *(np.zeros(n) for _ in range(5)), *(np.zeros(m) for _ in range(3)))


@kernel
def follow_to_rest(
    plant: Plant,
    scratch: Scratch,
    path: BrakingPath,
    state: FloatArray,
    start: FloatArray,
    change: FloatArray,
    period: float,
    near: float,
) -> int:
    """Take one step, then brake to rest; write into path how near that comes to every limit.

    Args:
        plant: The robot.
        scratch: Room.
        path: Receives the results.
        state: Rows position [rad], velocity before the step and velocity of the step [rad/s], shape (3, n).
        start: Separations at that position, shape (m,), [m].
        change: Change of velocity in a tick of braking, shape (n,), [rad/s].
        period: Tick [s].
        near: Separations that stay beyond this are bounded without a look at the path [m].

    Returns:
        Number of ticks until rest.
    """
    n, ticks = len(change), 0
    for j in range(n):
        path.position[j], path.velocity[j] = state[0, j], state[2, j]
        path.acceleration[j] = (state[2, j] - state[1, j]) / period
        path.effort[j] = 0.0
        ticks = max(ticks, int(np.ceil(abs(state[2, j]) / change[j] - 1e-9)))
    _watch(plant, path, start, change, period, near)
    for tick in range(ticks + 1):
        for j in range(n):
            path.position[j] += period * path.velocity[j]
        forward(plant.tree, path.position, scratch.pose)
        inverse_dynamics(plant, scratch, path.velocity, path.acceleration)
        for j in range(n):
            path.effort[j] = max(path.effort[j], abs(scratch.effort[j]))
            if tick == 0:
                path.first_effort[j] = scratch.effort[j]
        place(plant, scratch)
        _advance(plant, scratch, path, period, near)
        for j in range(n):
            v = path.velocity[j]
            slower = max(v - change[j], 0.0) if v > 0.0 else min(v + change[j], 0.0)
            path.velocity[j], path.acceleration[j] = slower, (slower - v) / period
    _rest(plant, scratch, path)
    return ticks


@kernel
def _watch(plant: Plant, path: BrakingPath, start: FloatArray, change: FloatArray, period: float, near: float) -> None:
    """Bound the separations that the path cannot bring near by how far it can move them at most."""
    travel = path.first_effort  # free until the first tick
    for j in range(len(change)):
        units = abs(path.velocity[j]) / change[j]
        whole = np.floor(units)
        travel[j] = period * change[j] * (whole + 1.0) * (0.5 * whole + (units - whole))
    joints, reach, spread, furthest = plant.joints, plant.reach, plant.spread, travel.max()
    for m in range(len(start)):
        least = start[m] - spread[m] * furthest
        if least <= near:
            least = start[m] - _closing(joints, reach, m, travel)
        path.watched[m] = 0.0 if least > near else 1.0
        path.nearest[m] = least if least > near else min(start[m], near)
        path.ticks[m], path.before[m], path.closing[m] = least if least > near else np.inf, start[m], 0.0


@kernel
def _advance(plant: Plant, scratch: Scratch, path: BrakingPath, period: float, near: float) -> None:
    """Look at the separations that may have come near since they were last looked at.

    A separation changes by no more than ``closing``. So between two looks it is at least half of (both values −
    closing), and as long as the last value − closing is beyond near, no look is needed.
    """
    ends, radius, pair, gaps = scratch.ends, plant.radius, scratch.pair, plant.gaps
    first, second, clearance, normal, offset = plant.first, plant.second, plant.clearance, plant.normal, plant.offset
    joints, reach, velocity = plant.joints, plant.reach, path.velocity
    nearest, ticks, before, closing, watched = path.nearest, path.ticks, path.before, path.closing, path.watched
    for m in range(len(first)):
        if watched[m] > 0.0:
            closing[m] += period * _closing(joints, reach, m, velocity)
            if before[m] - closing[m] <= near:
                if m < gaps:
                    now = gap(ends, first[m], second[m], radius, pair) - clearance[m]
                else:
                    now = inside(ends, first[m], radius, normal, offset, m, pair)
                nearest[m] = min(nearest[m], now, 0.5 * (before[m] + now - closing[m]))
                ticks[m] = min(ticks[m], now)
                before[m], closing[m] = now, 0.0


@kernel
def _closing(joints: IntArray, reach: FloatArray, m: int, motion: FloatArray) -> float:
    """Return how much a motion of the joints can change a separation at most, by `Plant.reach`."""
    total = 0.0
    for k in range(joints.shape[1]):
        j = joints[m, k]
        if j < 0:
            break
        total += reach[m, j] * abs(motion[j])
    return total


@kernel
def _rest(plant: Plant, scratch: Scratch, path: BrakingPath) -> None:
    """Count the effort that holds the robot where the path ends."""
    for j in range(len(path.velocity)):
        path.velocity[j] = path.acceleration[j] = 0.0
    inverse_dynamics(plant, scratch, path.velocity, path.acceleration)
    for j in range(len(path.velocity)):
        path.effort[j] = max(path.effort[j], abs(scratch.effort[j]))
