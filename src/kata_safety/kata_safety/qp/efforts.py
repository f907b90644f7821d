# SPDX-License-Identifier: Apache-2.0
"""Inverse dynamics as a kernel: the recursive Newton-Euler algorithm (Luh, Walker & Paul 1980), fixed base."""

from kata_model.arrays import FloatArray
from kata_model.compiled import kernel
from kata_safety.qp.dynamics_model import DynamicsModel, Scratch

__all__ = ["inverse_dynamics"]

GRAVITY = 9.81
"""As in Pinocchio [m/s²]; z points up."""


@kernel
def inverse_dynamics(model: DynamicsModel, scratch: Scratch, velocity: FloatArray, acceleration: FloatArray) -> None:
    """Write the joint efforts of a motion into ``scratch.effort``; ``scratch.pose`` must be set.

    Args:
        model: The robot.
        scratch: Buffers.
        velocity: Shape (n,), [rad/s].
        acceleration: Shape (n,), [rad/s²].
    """
    tree, pose, count = model.tree, scratch.pose, len(model.mass)
    w, dw, acc, f, t = scratch.omega, scratch.alpha, scratch.linear, scratch.force, scratch.moment
    for k in range(3):
        w[0, k] = dw[0, k] = acc[0, k] = f[0, k] = t[0, k] = 0.0
    acc[0, 2] = GRAVITY  # the base accelerates upwards: gravity without a force
    for i in range(1, count):
        _outward(model, scratch, i, velocity[i - 1], acceleration[i - 1])
        _load(model, scratch, i)
    for i in range(count - 1, 0, -1):
        p = tree.parent[i]
        x, y, z = pose.axis[i, 0], pose.axis[i, 1], pose.axis[i, 2]
        along = x * f[i, 0] + y * f[i, 1] + z * f[i, 2] if tree.prismatic[i] else x * t[i, 0] + y * t[i, 1] + z * t[i, 2]
        scratch.effort[i - 1] = along + model.armature[i - 1] * acceleration[i - 1]
        rx, ry, rz = _offset(pose.position, i, p)
        turn = cross(rx, ry, rz, f[i, 0], f[i, 1], f[i, 2])
        for k in range(3):
            f[p, k] += f[i, k]
            t[p, k] += t[i, k] + turn[k]


@kernel
def _outward(model: DynamicsModel, scratch: Scratch, i: int, v: float, a: float) -> None:
    """Carry velocity and acceleration from a body's parent to the body."""
    p, pose = model.tree.parent[i], scratch.pose
    w, dw, acc = scratch.omega, scratch.alpha, scratch.linear
    x, y, z = pose.axis[i, 0], pose.axis[i, 1], pose.axis[i, 2]
    rx, ry, rz = _offset(pose.position, i, p)
    axis = (x, y, z)
    turn = cross(w[p, 0], w[p, 1], w[p, 2], x, y, z)
    moved = _carried(w[p, 0], w[p, 1], w[p, 2], dw[p, 0], dw[p, 1], dw[p, 2], rx, ry, rz)
    for k in range(3):
        w[i, k], dw[i, k], acc[i, k] = w[p, k], dw[p, k], acc[p, k] + moved[k]
        if model.tree.prismatic[i]:
            acc[i, k] += axis[k] * a + 2.0 * turn[k] * v
        else:
            w[i, k] += axis[k] * v
            dw[i, k] += axis[k] * a + turn[k] * v


@kernel
def _load(model: DynamicsModel, scratch: Scratch, i: int) -> None:
    """Write the force and the moment, about its origin, that move a body as it moves."""
    r, c, inertia = scratch.pose.rotation, model.centre, model.inertia
    w, dw, f, t = scratch.omega, scratch.alpha, scratch.force, scratch.moment
    cx = r[i, 0, 0] * c[i, 0] + r[i, 0, 1] * c[i, 1] + r[i, 0, 2] * c[i, 2]
    cy = r[i, 1, 0] * c[i, 0] + r[i, 1, 1] * c[i, 1] + r[i, 1, 2] * c[i, 2]
    cz = r[i, 2, 0] * c[i, 0] + r[i, 2, 1] * c[i, 1] + r[i, 2, 2] * c[i, 2]
    moved = _carried(w[i, 0], w[i, 1], w[i, 2], dw[i, 0], dw[i, 1], dw[i, 2], cx, cy, cz)
    for k in range(3):
        f[i, k] = model.mass[i] * (scratch.linear[i, k] + moved[k])
    # Angular velocity and acceleration in the body's axes, where the inertia is constant.
    u0, u1, u2 = _turned_back(r, i, w[i, 0], w[i, 1], w[i, 2])
    a0, a1, a2 = _turned_back(r, i, dw[i, 0], dw[i, 1], dw[i, 2])
    h0 = inertia[i, 0, 0] * u0 + inertia[i, 0, 1] * u1 + inertia[i, 0, 2] * u2
    h1 = inertia[i, 1, 0] * u0 + inertia[i, 1, 1] * u1 + inertia[i, 1, 2] * u2
    h2 = inertia[i, 2, 0] * u0 + inertia[i, 2, 1] * u1 + inertia[i, 2, 2] * u2
    m0 = inertia[i, 0, 0] * a0 + inertia[i, 0, 1] * a1 + inertia[i, 0, 2] * a2 + u1 * h2 - u2 * h1
    m1 = inertia[i, 1, 0] * a0 + inertia[i, 1, 1] * a1 + inertia[i, 1, 2] * a2 + u2 * h0 - u0 * h2
    m2 = inertia[i, 2, 0] * a0 + inertia[i, 2, 1] * a1 + inertia[i, 2, 2] * a2 + u0 * h1 - u1 * h0
    lever = cross(cx, cy, cz, f[i, 0], f[i, 1], f[i, 2])
    for k in range(3):
        t[i, k] = r[i, k, 0] * m0 + r[i, k, 1] * m1 + r[i, k, 2] * m2 + lever[k]


@kernel
def cross(ax: float, ay: float, az: float, bx: float, by: float, bz: float) -> tuple[float, float, float]:
    """Return a × b by components: tuples of numbers, since small arrays cost more than the arithmetic."""
    return ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx


@kernel
def _offset(points: FloatArray, i: int, p: int) -> tuple[float, float, float]:
    return points[i, 0] - points[p, 0], points[i, 1] - points[p, 1], points[i, 2] - points[p, 2]


@kernel
def _turned_back(r: FloatArray, i: int, x: float, y: float, z: float) -> tuple[float, float, float]:
    return (
        r[i, 0, 0] * x + r[i, 1, 0] * y + r[i, 2, 0] * z,
        r[i, 0, 1] * x + r[i, 1, 1] * y + r[i, 2, 1] * z,
        r[i, 0, 2] * x + r[i, 1, 2] * y + r[i, 2, 2] * z,
    )


@kernel
def _carried(
    wx: float, wy: float, wz: float, ax: float, ay: float, az: float, rx: float, ry: float, rz: float
) -> tuple[float, float, float]:
    """Return α × r + ω × (ω × r), the acceleration of a point that a body carries."""
    x, y, z = cross(wx, wy, wz, rx, ry, rz)
    bx, by, bz = cross(wx, wy, wz, x, y, z)
    cx, cy, cz = cross(ax, ay, az, rx, ry, rz)
    return bx + cx, by + cy, bz + cz
