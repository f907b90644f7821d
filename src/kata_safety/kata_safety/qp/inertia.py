# SPDX-License-Identifier: Apache-2.0
"""The joint-space inertia matrix as a kernel: composite rigid bodies (Walker & Orin 1982), fixed base."""

from kata_model.arrays import FloatArray
from kata_model.compiled import kernel
from kata_safety.qp.dynamics_model import DynamicsModel, Scratch
from kata_safety.qp.efforts import cross

__all__ = ["inertia_matrix"]


@kernel
def inertia_matrix(model: DynamicsModel, scratch: Scratch, out: FloatArray) -> None:
    """Write M(q), rotor inertia included, shape (n, n), [kg·m²]; ``scratch.pose`` must be set.

    Everything is about the base's origin in the base's axes, so that a subtree's bodies simply add up.
    """
    parent, prismatic, mass = model.tree.parent, model.tree.prismatic, model.mass
    axis, origin, composite = scratch.pose.axis, scratch.pose.position, scratch.composite
    out[:] = 0.0
    for i in range(len(mass)):
        _alone(mass, model.centre, model.inertia, scratch.pose.rotation, origin, i, composite)
    for i in range(len(mass) - 1, 0, -1):
        p = parent[i]
        ax, ay, az = axis[i, 0], axis[i, 1], axis[i, 2]
        ox, oy, oz = cross(origin[i, 0], origin[i, 1], origin[i, 2], ax, ay, az)
        m, sx, sy, sz = composite[i, 0], composite[i, 1], composite[i, 2], composite[i, 3]
        if prismatic[i]:  # momentum of the subtree at unit speed of the joint
            hx, hy, hz = m * ax, m * ay, m * az
            lx, ly, lz = cross(sx, sy, sz, ax, ay, az)
        else:
            hx, hy, hz = cross(ax, ay, az, sx, sy, sz)
            hx, hy, hz = hx + m * ox, hy + m * oy, hz + m * oz
            lx, ly, lz = cross(sx, sy, sz, ox, oy, oz)
            lx += composite[i, 4] * ax + composite[i, 5] * ay + composite[i, 6] * az
            ly += composite[i, 5] * ax + composite[i, 7] * ay + composite[i, 8] * az
            lz += composite[i, 6] * ax + composite[i, 8] * ay + composite[i, 9] * az
        j = i
        while j > 0:
            value = axis[j, 0] * hx + axis[j, 1] * hy + axis[j, 2] * hz
            if not prismatic[j]:
                tx, ty, tz = cross(origin[j, 0], origin[j, 1], origin[j, 2], hx, hy, hz)
                value = axis[j, 0] * (lx - tx) + axis[j, 1] * (ly - ty) + axis[j, 2] * (lz - tz)
            out[i - 1, j - 1] = out[j - 1, i - 1] = value
            j = parent[j]
        out[i - 1, i - 1] += model.armature[i - 1]
        for k in range(10):
            composite[p, k] += composite[i, k]


@kernel
def _alone(
    mass: FloatArray,
    centre: FloatArray,
    inertia: FloatArray,
    rotation: FloatArray,
    origin: FloatArray,
    i: int,
    composite: FloatArray,
) -> None:
    """Write a body's mass, first moment and inertia (xx, xy, xz, yy, yz, zz) about the base's origin."""
    m, at = mass[i], 4
    composite[i, 0], square = m, 0.0
    for k in range(3):
        r = rotation[i, k, 0] * centre[i, 0] + rotation[i, k, 1] * centre[i, 1] + rotation[i, k, 2] * centre[i, 2]
        composite[i, 1 + k] = m * (origin[i, k] + r)
        square += (origin[i, k] + r) * (origin[i, k] + r)
    for k in range(3):
        for e in range(k, 3):
            value = m * square if k == e else 0.0
            if m > 0.0:
                value -= composite[i, 1 + k] * composite[i, 1 + e] / m
            for a in range(3):
                for b in range(3):
                    value += rotation[i, k, a] * inertia[i, a, b] * rotation[i, e, b]
            composite[i, at] = value
            at += 1
