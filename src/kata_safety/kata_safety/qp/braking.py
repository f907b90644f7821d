# SPDX-License-Identifier: Apache-2.0
"""Viability (Aubin 1991) by braking: the path to rest, tick by tick, and how near it comes to every limit.

Each joint slows by a constant amount a tick until it rests. The path is therefore known beforehand, and what
this kernel finds about it is a certificate: as long as no better command is known to be safe, the next tick of
a certified path is (docs/safety.md, "Recursive feasibility").
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_model.compiled import kernel
from kata_model.kinematics.tree import forward
from kata_safety.qp.dynamics_model import DynamicsModel, IntArray, Scratch
from kata_safety.qp.efforts import inverse_dynamics
from kata_safety.qp.separation import closing, gap, inside, place, sweep

__all__ = ["Allowed", "BrakingPath", "advance", "follow_to_rest", "new_braking_path", "unkept"]

SLACK = 1e-9
"""Rounding that a check forgives [m, N·m]."""

BETWEEN = 0.002
"""How much less than its margin a separation may be between two ticks, by a bound that is loose: asking for the
whole margin there would forbid every motion along an obstacle at the margin [m]."""

LONGEST = 128
"""Ticks of a path that are kept for others to look at; at 250 Hz twice what braking may take."""

CREEP = 1e-6
"""How much parts that are too near may close in a tick by rounding and curvature [m]."""


class Allowed(NamedTuple):
    """What a path must keep.

    Attributes:
        margin: Distance to keep, by separation, shape (m,), [m].
        loose: Separations that braking cannot keep, shape (m,): these must not fall below floor instead.
        floor: Shape (m,), [m].
        effort: Most effort, shape (n,), [N·m].
    """

    margin: FloatArray
    loose: NDArray[np.bool_]
    floor: FloatArray
    effort: FloatArray


class BrakingPath(NamedTuple):
    """How near a path comes to the limits.

    Attributes:
        nearest: Lower bound of each separation over the whole path, between ticks too, shape (m,), [m]; beyond ``near``
            it does not count how far.
        ticks: Least of each separation at the path's ticks, shape (m,), [m]; infinite for those not watched.
        effort: Largest effort of each joint, shape (n,), [N·m].
        first_effort: Effort of the first tick, with sign, shape (n,), [N·m].
        position: Buffers, shape (n,).
        velocity: Buffers, shape (n,).
        acceleration: Buffers, shape (n,).
        before: Buffers: separations when last looked at, shape (m,).
        closing: Buffers: how much they can have changed since, shape (m,).
        watched: Buffers: separations that can come near on this path, first entries, shape (m,).
        course: Position [rad] and velocity [rad/s] of each tick of the path, first entries, shape (`LONGEST`, 2, n).
        length: How many ticks the path has, shape (1,); of more than `LONGEST` the last ones are not in the course.
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
    watched: IntArray
    course: FloatArray
    length: IntArray


def new_braking_path(model: DynamicsModel) -> BrakingPath:
    """Return room for a model's results."""
    n, m = len(model.mass) - 1, len(model.first)
    return BrakingPath(
        nearest=np.zeros(m),
        ticks=np.zeros(m),
        effort=np.zeros(n),
        first_effort=np.zeros(n),
        position=np.zeros(n),
        velocity=np.zeros(n),
        acceleration=np.zeros(n),
        before=np.zeros(m),
        closing=np.zeros(m),
        watched=np.zeros(m, dtype=np.int64),
        course=np.zeros((LONGEST, 2, n)),
        length=np.zeros(1, dtype=np.int64),
    )


@kernel
def follow_to_rest(
    model: DynamicsModel,
    scratch: Scratch,
    path: BrakingPath,
    state: FloatArray,
    start: FloatArray,
    close: IntArray,
    change: FloatArray,
    period: float,
    near: float,
    allowed: Allowed,
) -> bool:
    """Take one step, then brake to rest; write into path how near that comes to every limit.

    Args:
        model: The robot.
        scratch: Buffers.
        path: Receives the results.
        state: Rows position [rad], velocity before the step and velocity of the step [rad/s], shape (3, n).
        start: Separations at that position, shape (m,), [m].
        close: Which of them the path could bring near, any shape.
        change: Change of velocity in a tick of braking, shape (n,), [rad/s].
        period: Tick [s].
        near: Separations that stay beyond this are bounded without a look at the path [m].
        allowed: What is to be kept.

    Returns:
        Whether that is.
    """
    n, ticks = len(change), 0
    for j in range(n):
        path.position[j], path.velocity[j] = state[0, j], state[2, j]
        path.acceleration[j] = (state[2, j] - state[1, j]) / period
        path.effort[j] = 0.0
        ticks = max(ticks, int(np.ceil(abs(state[2, j]) / change[j] - 1e-9)))
    path.length[0] = ticks + 1
    watched = _watch(model, scratch, path, start, close, change, period, near)
    for tick in range(ticks + 1):
        _move(path, tick, period)
        forward(model.tree, path.position, scratch.pose)
        inverse_dynamics(model, scratch, path.velocity, path.acceleration)
        for j in range(n):
            path.effort[j] = max(path.effort[j], abs(scratch.effort[j]))
            if tick == 0:
                path.first_effort[j] = scratch.effort[j]
        if _approached(model.reach, path, watched, period, near):
            place(model, scratch)
            _look(model, scratch.ends, scratch.pair, path, watched, near)
        _slow(path, change, period)
    _rest(model, scratch, path)
    kept = True
    for i in range(watched):
        kept = kept and not _missed(path, path.watched[i], allowed)
    for j in range(n):
        kept = kept and path.effort[j] <= allowed.effort[j] + SLACK
    return kept


@kernel
def _move(path: BrakingPath, tick: int, period: float) -> None:
    """Go on for a tick, and note where that leads."""
    for j in range(len(path.position)):
        path.position[j] += period * path.velocity[j]
        if tick < LONGEST:
            path.course[tick, 0, j], path.course[tick, 1, j] = path.position[j], path.velocity[j]


@kernel
def _slow(path: BrakingPath, change: FloatArray, period: float) -> None:
    """Brake every joint for a tick."""
    for j in range(len(change)):
        v = path.velocity[j]
        slower = max(v - change[j], 0.0) if v > 0.0 else min(v + change[j], 0.0)
        path.velocity[j], path.acceleration[j] = slower, (slower - v) / period


@kernel
def advance(state: FloatArray, bounds: FloatArray, period: float, out: FloatArray) -> bool:
    """Write where the step of a state leads, shape (n,), [rad]; return whether that is within the position limits.

    Arguments as in `follow_to_rest` and `JointLimits.bounds`.
    """
    within = True
    for j in range(len(out)):
        out[j] = state[0, j] + period * state[2, j]
        within = within and bounds[0, j] - SLACK <= out[j] <= bounds[1, j] + SLACK
    return bool(within)


@kernel
def unkept(path: BrakingPath, close: IntArray, allowed: Allowed, border: NDArray[np.bool_]) -> tuple[bool, bool]:
    """Return whether a path failed to keep a separation of the robot's own parts, and one from the workspace's border."""
    collides = leaves = False
    for m in close:
        if _missed(path, m, allowed):
            collides, leaves = collides or not border[m], leaves or border[m]
    return collides, leaves


@kernel
def _missed(path: BrakingPath, m: int, allowed: Allowed) -> bool:
    """Return whether a path fails to keep a separation."""
    if allowed.loose[m]:
        return bool(path.ticks[m] < allowed.floor[m] - CREEP)
    return bool(path.ticks[m] < allowed.margin[m] - SLACK or path.nearest[m] < allowed.margin[m] - BETWEEN)


@kernel
def _watch(
    model: DynamicsModel,
    scratch: Scratch,
    path: BrakingPath,
    start: FloatArray,
    close: IntArray,
    change: FloatArray,
    period: float,
    near: float,
) -> int:
    """List the separations that the path could bring near, by how far it can move them at most; return their number."""
    travel, swept, count = path.first_effort, scratch.sweep, 0  # room that is free until the first tick
    for j in range(len(change)):
        units = abs(path.velocity[j]) / change[j]
        whole = np.floor(units)
        travel[j] = period * change[j] * (whole + 1.0) * (0.5 * whole + (units - whole))
    sweep(model.lever, travel, swept)
    first, second, reach = model.first, model.second, model.reach
    path.nearest[:] = near
    path.ticks[:] = np.inf
    for m in close:
        if start[m] - swept[first[m]] - swept[second[m]] <= near and start[m] - closing(reach, m, travel) <= near:
            path.nearest[m], path.before[m], path.closing[m] = min(start[m], near), start[m], 0.0
            path.watched[count] = m
            count += 1
    return count


@kernel
def _approached(reach: FloatArray, path: BrakingPath, watched: int, period: float, near: float) -> bool:
    """Add a tick's motion to what the watched separations can have changed; return whether one must be looked at.

    As long as the last value − closing is beyond near, none need be.
    """
    approached = False
    for i in range(watched):
        m = path.watched[i]
        path.closing[m] += period * closing(reach, m, path.velocity)
        approached = approached or path.before[m] - path.closing[m] <= near
    return approached


@kernel
def _look(model: DynamicsModel, ends: FloatArray, pair: FloatArray, path: BrakingPath, watched: int, near: float) -> None:
    """Look at the separations that may have come near since they were last looked at.

    A separation changes by no more than ``closing``. So between two looks it is at least half of (both values − closing).
    """
    radius, gaps = model.radius, model.gaps
    first, second, clearance, normal, offset = model.first, model.second, model.clearance, model.normal, model.offset
    nearest, ticks, before, passed = path.nearest, path.ticks, path.before, path.closing
    for i in range(watched):
        m = path.watched[i]
        if before[m] - passed[m] <= near:
            if m < gaps:
                now = gap(ends, first[m], second[m], radius, pair) - clearance[m]
            else:
                now = inside(ends, first[m], radius, normal, offset, m, pair)
            nearest[m] = min(nearest[m], now, 0.5 * (before[m] + now - passed[m]))
            ticks[m] = min(ticks[m], now)
            before[m], passed[m] = now, 0.0


@kernel
def _rest(model: DynamicsModel, scratch: Scratch, path: BrakingPath) -> None:
    """Count the effort that holds the robot where the path ends."""
    for j in range(len(path.velocity)):
        path.velocity[j] = path.acceleration[j] = 0.0
    inverse_dynamics(model, scratch, path.velocity, path.acceleration)
    for j in range(len(path.velocity)):
        path.effort[j] = max(path.effort[j], abs(scratch.effort[j]))
