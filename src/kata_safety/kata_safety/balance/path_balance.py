# SPDX-License-Identifier: Apache-2.0
"""How well a braking path keeps its balance, and what it takes of the legs: kernels, as there are many ticks to look at."""

from typing import NamedTuple

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.compiled import kernel
from kata_model.kinematics.tree import forward
from kata_safety.balance.floating_body import FloatingBody
from kata_safety.qp.buffers import Buffers
from kata_safety.qp.dynamics_model import DynamicsModel, Scratch
from kata_safety.qp.efforts import cross
from kata_safety.qp.handle import Handle
from kata_safety.stops.stability import GRAVITY

__all__ = ["Ground", "ground_of", "legs_on_path", "room_on_path", "seen_from_sole"]

_LOWEST = 0.1
"""Height of the centre of mass below which it is taken to be that high, as a pendulum of no length has no period [m]."""


class Ground(NamedTuple):
    """The first sole, from which balance is seen, and what a robot stands on.

    Attributes:
        body: Body that carries the sole.
        rotation: Sole to body, shape (3, 3).
        middle: The sole's middle in the body's frame, shape (3,), [m].
        edges: Unit normals of the soles' outline, inwards, in the sole's axes, shape (k, 2).
        start: Distance of each edge from the sole's middle along its normal, shape (k,), [m].
        seen: Buffers, shape (7,).
    """

    body: int
    rotation: FloatArray
    middle: FloatArray
    edges: FloatArray
    start: FloatArray
    seen: FloatArray


def ground_of(body: FloatingBody, edges: FloatArray, start: FloatArray) -> Ground:
    """Return the ground of a robot whose soles have an outline; arguments as in `Ground`."""
    frame = body.model.frames[body.feet[0].frame]
    place = frame.placement  # body numbers here leave out the joint of the free base
    return Ground(int(frame.parentJoint) - 1, np.array(place.rotation), np.array(place.translation), edges, start, np.zeros(7))


@kernel
def room_on_path(handle: Handle[Buffers], ground: Ground, ticks: int, looks: int, out: FloatArray) -> None:
    """Write how far inside each edge the capture point stays on the path, and the least cosine of the base's tilt.

    Args:
        handle: The QP filter's buffers; its path has just been followed.
        ground: Outline of k edges.
        ticks: Ticks of the path, at least 1.
        looks: How many of them are looked at at most, evenly.
        out: Shape (k + 1,), [m] and cosine.
    """
    buffers = handle.parts
    seen, edges, start = ground.seen, ground.edges, ground.start
    out[:] = np.inf
    count = min(ticks, looks)
    for k in range(count):
        tick = int(np.rint(k * (ticks - 1) / max(count - 1, 1)))
        seen_from_sole(buffers.model, buffers.scratch, ground, buffers.path.course[tick, 0], buffers.path.course[tick, 1], seen)
        fall = np.sqrt(max(seen[2], _LOWEST) / GRAVITY)
        x, y = seen[0] + fall * seen[3], seen[1] + fall * seen[4]
        for e in range(len(edges)):
            out[e] = min(out[e], edges[e, 0] * x + edges[e, 1] * y - start[e])
        out[len(edges)] = min(out[len(edges)], seen[6])


@kernel
def seen_from_sole(
    model: DynamicsModel, scratch: Scratch, ground: Ground, position: FloatArray, velocity: FloatArray, out: FloatArray
) -> None:
    """Write place [m] and velocity [m/s] of the centre of mass in the first sole's axes, and the cosine of the base's tilt.

    Args:
        model: The robot.
        scratch: Buffers.
        ground: The sole; its outline is not looked at.
        position: Shape (n,), [rad].
        velocity: Shape (n,), [rad/s].
        out: Shape (7,).
    """
    forward(model.tree, position, scratch.pose)
    _speeds(model, scratch, velocity)
    r, origin, w, v, s = scratch.pose.rotation, scratch.pose.position, scratch.omega, scratch.linear, ground.body
    total = mx = my = mz = sx = sy = sz = 0.0
    for i in range(len(model.mass)):
        m = model.mass[i]
        cx, cy, cz = _turned(r, i, model.centre[i, 0], model.centre[i, 1], model.centre[i, 2])
        ux, uy, uz = cross(w[i, 0], w[i, 1], w[i, 2], cx, cy, cz)
        total += m
        mx, my, mz = mx + m * (origin[i, 0] + cx), my + m * (origin[i, 1] + cy), mz + m * (origin[i, 2] + cz)
        sx, sy, sz = sx + m * (v[i, 0] + ux), sy + m * (v[i, 1] + uy), sz + m * (v[i, 2] + uz)
    px, py, pz = mx / total - origin[s, 0], my / total - origin[s, 1], mz / total - origin[s, 2]
    tx, ty, tz = cross(w[s, 0], w[s, 1], w[s, 2], px, py, pz)
    qx, qy, qz = sx / total - v[s, 0] - tx, sy / total - v[s, 1] - ty, sz / total - v[s, 2] - tz
    for k in range(3):  # by the columns of the rotation from sole to base
        x, y, z = _turned(r, s, ground.rotation[0, k], ground.rotation[1, k], ground.rotation[2, k])
        out[k] = x * px + y * py + z * pz - ground.rotation[0, k] * ground.middle[0]
        out[k] -= ground.rotation[1, k] * ground.middle[1] + ground.rotation[2, k] * ground.middle[2]
        out[3 + k] = x * qx + y * qy + z * qz
        out[6] = z


@kernel
def _speeds(model: DynamicsModel, scratch: Scratch, velocity: FloatArray) -> None:
    """Write the bodies' angular velocities and those of their origins, ``scratch.pose`` being set."""
    parent, prismatic, axis, origin = model.tree.parent, model.tree.prismatic, scratch.pose.axis, scratch.pose.position
    w, v = scratch.omega, scratch.linear
    w[0, :] = v[0, :] = 0.0
    for i in range(1, len(parent)):
        p, speed = parent[i], velocity[i - 1]
        rx, ry, rz = origin[i, 0] - origin[p, 0], origin[i, 1] - origin[p, 1], origin[i, 2] - origin[p, 2]
        x, y, z = cross(w[p, 0], w[p, 1], w[p, 2], rx, ry, rz)
        slide, turn = (speed, 0.0) if prismatic[i] else (0.0, speed)
        v[i, 0] = v[p, 0] + x + axis[i, 0] * slide
        v[i, 1] = v[p, 1] + y + axis[i, 1] * slide
        v[i, 2] = v[p, 2] + z + axis[i, 2] * slide
        for k in range(3):
            w[i, k] = w[p, k] + axis[i, k] * turn


@kernel
def _turned(r: FloatArray, i: int, x: float, y: float, z: float) -> tuple[float, float, float]:
    return (
        r[i, 0, 0] * x + r[i, 0, 1] * y + r[i, 0, 2] * z,
        r[i, 1, 0] * x + r[i, 1, 1] * y + r[i, 1, 2] * z,
        r[i, 2, 0] * x + r[i, 2, 1] * y + r[i, 2, 2] * z,
    )


@kernel
def legs_on_path(
    handle: Handle[Buffers], before: FloatArray, slope: FloatArray, offset: FloatArray, ticks: int, out: FloatArray
) -> None:
    """Write the largest efforts of some joints on the path, shape (l,), [N·m].

    Args:
        handle: The QP filter's buffers; its path has just been followed.
        before: Velocity before its first tick, shape (n,), [rad/s].
        slope: Efforts by all joints' accelerations, shape (l, n), [kg·m²].
        offset: Efforts at none, shape (l,), [N·m].
        ticks: Ticks of the path.
        out: Receives the efforts.
    """
    buffers = handle.parts
    course, period = buffers.path.course, buffers.period
    out[:] = 0.0
    for tick in range(ticks):
        for k in range(len(out)):
            effort = offset[k]
            for j in range(len(before)):
                last = before[j] if tick == 0 else course[tick - 1, 1, j]
                effort += slope[k, j] * (course[tick, 1, j] - last) / period
            out[k] = max(out[k], abs(effort))
