# SPDX-License-Identifier: Apache-2.0
"""How far apart things are, and how joint motion changes that."""

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_model.compiled import kernel
from kata_safety.qp.dynamics_model import DynamicsModel, IntArray, Scratch
from kata_safety.qp.segments import closest

__all__ = ["add_row", "closing", "gap", "inside", "place", "separation", "separation_row", "separations", "sweep"]


@kernel
def place(model: DynamicsModel, scratch: Scratch) -> None:
    """Write the capsules' axes in the base's frame; ``scratch.pose`` must be set."""
    rotation, origin = scratch.pose.rotation, scratch.pose.position
    for c in range(len(model.body)):
        b = model.body[c]
        for k in range(3):
            x, y, z, o = rotation[b, k, 0], rotation[b, k, 1], rotation[b, k, 2], origin[b, k]
            start = o + x * model.start[c, 0] + y * model.start[c, 1] + z * model.start[c, 2]
            end = o + x * model.end[c, 0] + y * model.end[c, 1] + z * model.end[c, 2]
            scratch.ends[c, 0, k], scratch.ends[c, 1, k], scratch.middle[c, k] = start, end, start + end


@kernel
def gap(ends: FloatArray, a: int, b: int, radius: FloatArray, pair: FloatArray) -> float:
    """Return the distance of two capsules [m], negative where they overlap; nearest points go to pair.

    Takes arrays one by one: handing a model to a kernel costs ten times as much as this arithmetic.
    """
    return float(closest(ends, a, b, pair) - radius[a] - radius[b])


@kernel
def inside(
    ends: FloatArray, a: int, radius: FloatArray, normal: FloatArray, offset: FloatArray, m: int, pair: FloatArray
) -> float:
    """Return how far a capsule is inside half-space m [m], negative outside; its outermost point goes to pair."""
    far, height = 0, -np.inf
    for k in range(2):
        h = normal[m, 0] * ends[a, k, 0] + normal[m, 1] * ends[a, k, 1] + normal[m, 2] * ends[a, k, 2]
        if h > height:
            far, height = k, h
    for k in range(3):
        pair[0, k] = ends[a, far, k]
        pair[1, k] = ends[a, far, k] + normal[m, k]  # so that pair[0] − pair[1] points inwards
    return float(offset[m] - height - radius[a])


@kernel
def separations(model: DynamicsModel, scratch: Scratch, out: FloatArray) -> None:
    """Write all separations, shape (m,), [m]: how far from contact, negative inside."""
    ends, radius, pair = scratch.ends, model.radius, scratch.pair
    first, second, clearance, normal, offset = model.first, model.second, model.clearance, model.normal, model.offset
    for m in range(model.gaps):
        out[m] = gap(ends, first[m], second[m], radius, pair) - clearance[m]
    for m in range(model.gaps, len(first)):
        out[m] = inside(ends, first[m], radius, normal, offset, m, pair)


@kernel
def separation(model: DynamicsModel, scratch: Scratch, m: int) -> float:
    """Return one separation [m]; nearest points go to ``scratch.pair``."""
    if m < model.gaps:
        apart = gap(scratch.ends, model.first[m], model.second[m], model.radius, scratch.pair)
        return float(apart - model.clearance[m])
    return inside(scratch.ends, model.first[m], model.radius, model.normal, model.offset, m, scratch.pair)


@kernel
def separation_row(model: DynamicsModel, scratch: Scratch, m: int, row: FloatArray) -> None:
    """Write the gradient of a separation by the joints, shape (n,), [m/rad], at ``scratch.pair``."""
    tree, pose = model.tree, scratch.pose
    first = model.body[model.first[m]]
    second = model.body[model.second[m]] if m < model.gaps else 0
    row[:] = 0.0
    add_row(tree.parent, tree.prismatic, pose.axis, pose.position, scratch.pair, first, second, row)


@kernel
def add_row(
    parent: IntArray,
    prismatic: NDArray[np.bool_],
    axis: FloatArray,
    origin: FloatArray,
    pair: FloatArray,
    first: int,
    second: int,
    row: FloatArray,
) -> None:
    """Write into row how the distance of a pair of points grows with the joints between the bodies that carry them."""
    nx, ny, nz = pair[0, 0] - pair[1, 0], pair[0, 1] - pair[1, 1], pair[0, 2] - pair[1, 2]
    length = np.sqrt(nx * nx + ny * ny + nz * nz)
    if length < 1e-9:  # axes that cross have no direction; the certificate still guards the pair
        return
    nx, ny, nz = nx / length, ny / length, nz / length
    i, k = first, second
    while i != k:  # what moves both bodies moves them together
        side = 0 if i > k else 1
        at = i if side == 0 else k  # parents have lower numbers
        x, y, z = axis[at, 0], axis[at, 1], axis[at, 2]
        if not prismatic[at]:
            rx, ry, rz = pair[side, 0] - origin[at, 0], pair[side, 1] - origin[at, 1], pair[side, 2] - origin[at, 2]
            x, y, z = y * rz - z * ry, z * rx - x * rz, x * ry - y * rx
        rate = nx * x + ny * y + nz * z
        row[at - 1] = rate if side == 0 else -rate
        if side == 0:
            i = parent[at]
        else:
            k = parent[at]


@kernel
def closing(reach: FloatArray, m: int, motion: FloatArray) -> float:
    """Return how much a motion of the joints can change a separation at most, by `DynamicsModel.reach` [m or m/s]."""
    total = 0.0
    for j in range(len(motion)):
        total += reach[m, j] * abs(motion[j])
    return total


@kernel
def sweep(lever: FloatArray, motion: FloatArray, out: FloatArray) -> None:
    """Write how far a motion of the joints can move each capsule at most, by `DynamicsModel.lever`, shape (c,) [m or m/s].

    The sum for two capsules bounds `closing` of their pair, loosely: joints that move both count twice.
    """
    for c in range(len(out)):
        out[c] = 0.0
        for j in range(len(motion)):
            out[c] += lever[c, j] * abs(motion[j])
