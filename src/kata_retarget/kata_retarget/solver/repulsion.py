# SPDX-License-Identifier: Apache-2.0
"""Rows that keep capsules apart."""

from typing import NamedTuple

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.collision.capsules import CapsuleArrays
from kata_model.collision.distance import nearest_points
from kata_model.compiled import kernel
from kata_model.kinematics.tree import Pose, Tree
from kata_retarget.solver.inequality import OneSided, add_one_sided

__all__ = ["Nearness", "add_repulsion", "new_nearness", "pair_gap", "place_capsules"]

_WATCH = 0.03  # gap beyond the clearance at which a pair is not watched in this step [m]


class Nearness(NamedTuple):
    """Room for capsules in the world and for one pair.

    Attributes:
        ends: Segment ends in the world, shape (c, 2, 3), [m].
        middle: Segment middles in the world, shape (c, 3), [m].
        point: Nearest points of a pair's axes, shape (2, 3), [m].
        normal: From the first capsule to the second, shape (3,).
    """

    ends: FloatArray
    middle: FloatArray
    point: FloatArray
    normal: FloatArray


def new_nearness(capsules: int) -> Nearness:
    """Return room for so many capsules."""
    return Nearness(np.zeros((capsules, 2, 3)), np.zeros((capsules, 3)), np.zeros((2, 3)), np.zeros(3))


@kernel
def place_capsules(capsules: CapsuleArrays, pose: Pose, near: Nearness) -> None:
    """Write the segments' ends and middles in the world."""
    for c in range(len(capsules.body)):
        body = capsules.body[c]
        for k in range(3):
            for end in range(2):
                value = pose.position[body, k]
                for j in range(3):
                    value += pose.rotation[body, k, j] * capsules.ends[c, end, j]
                near.ends[c, end, k] = value
            near.middle[c, k] = 0.5 * (near.ends[c, 0, k] + near.ends[c, 1, k])


@kernel
def pair_gap(capsules: CapsuleArrays, near: Nearness, pair: int) -> float:
    """Return the gap of a placed pair [m], negative where it overlaps."""
    i, j = capsules.pair[pair, 0], capsules.pair[pair, 1]
    distance = nearest_points(near.ends[i], near.ends[j], near.point[0], near.point[1])
    for k in range(3):
        near.normal[k] = (near.point[1, k] - near.point[0, k]) / max(distance, 1e-9)
    return float(distance - capsules.radius[i] - capsules.radius[j])


@kernel
def add_repulsion(
    tree: Tree, capsules: CapsuleArrays, pose: Pose, clearance: float, weight: float, near: Nearness, rows: OneSided
) -> None:
    """Add a one-sided row for each pair of placed capsules that may come nearer than a clearance in this step.

    The base moves both capsules alike, and so do joints before both: only those between them count.
    """
    within = clearance + _WATCH
    pair, reach, middle = capsules.pair, capsules.reach, near.middle
    for p in range(len(pair)):
        # The balls around the capsules first: nearly all of a thousand pairs end here.
        i, j = pair[p, 0], pair[p, 1]
        far = reach[i] + reach[j] + within
        x, y, z = middle[i, 0] - middle[j, 0], middle[i, 1] - middle[j, 1], middle[i, 2] - middle[j, 2]
        if x * x + y * y + z * z > far * far:
            continue
        gap = pair_gap(capsules, near, p) + capsules.slack[p]
        if gap < within:
            place = add_one_sided(rows, clearance - gap, weight)
            _fill_gap_row(tree, capsules, pose, p, near, rows.row[place])


@kernel
def _fill_gap_row(tree: Tree, capsules: CapsuleArrays, pose: Pose, pair: int, near: Nearness, row: FloatArray) -> None:
    """Write how joints change the gap of a pair."""
    n = near.normal
    for side in range(2):
        sign = 1.0 if side == 1 else -1.0
        point = near.point[side]
        i = capsules.body[capsules.pair[pair, side]]
        while i > 0:
            a = pose.axis[i]
            if tree.prismatic[i]:
                row[5 + i] += sign * (n[0] * a[0] + n[1] * a[1] + n[2] * a[2])
            else:
                x, y, z = point[0] - pose.position[i, 0], point[1] - pose.position[i, 1], point[2] - pose.position[i, 2]
                vx, vy, vz = a[1] * z - a[2] * y, a[2] * x - a[0] * z, a[0] * y - a[1] * x
                row[5 + i] += sign * (n[0] * vx + n[1] * vy + n[2] * vz)
            i = tree.parent[i]
