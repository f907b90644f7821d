# SPDX-License-Identifier: Apache-2.0
"""A robot's kinematic tree as plain arrays, with poses and Jacobian columns.

Bodies are numbered as in Pinocchio: 0 is the base, i the link behind joint i. The degrees of freedom are the
base's translation (0–2, world axes), its rotation (3–5, a rotation vector in world axes that multiplies from
the left) and the joints (6 + i − 1), d = 6 + n in all.
"""

from typing import Any, NamedTuple

import numpy as np
import pinocchio as pin
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_model.compiled import kernel

__all__ = ["BASE_DOFS", "Pose", "Tree", "angular_columns", "forward", "make_tree", "new_pose", "point_columns", "point_of"]

BASE_DOFS = 6


class Tree(NamedTuple):
    """What never changes: shapes (n + 1, …), row 0 unused except as the base.

    Attributes:
        parent: Body before each joint, shape (n + 1,).
        rotation: Joint frame to parent at zero, shape (n + 1, 3, 3).
        translation: Joint origin in the parent's frame, shape (n + 1, 3), [m].
        axis: Joint axis in the joint's frame, shape (n + 1, 3).
        prismatic: Whether the joint slides, shape (n + 1,).
    """

    parent: NDArray[np.int64]
    rotation: FloatArray
    translation: FloatArray
    axis: FloatArray
    prismatic: NDArray[np.bool_]


class Pose(NamedTuple):
    """Where all bodies are in the world; written by `forward`.

    Attributes:
        rotation: Body to world, shape (n + 1, 3, 3).
        position: Body origins, shape (n + 1, 3), [m].
        axis: Joint axes in the world, shape (n + 1, 3).
    """

    rotation: FloatArray
    position: FloatArray
    axis: FloatArray


def make_tree(model: Any) -> Tree:
    """Return the tree of a fixed-base Pinocchio model of joints with one degree of freedom."""
    count = model.njoints
    axis, prismatic = np.zeros((count, 3)), np.zeros(count, dtype=bool)
    data = model.createData()
    for i in range(1, count):
        column = pin.computeJointJacobian(model, data, pin.neutral(model), i)[:, i - 1]
        prismatic[i] = bool(np.linalg.norm(column[:3]) > 0.5)
        axis[i] = column[:3] if prismatic[i] else column[3:]
    rotation = np.array([placement.rotation for placement in model.jointPlacements])
    translation = np.array([placement.translation for placement in model.jointPlacements])
    return Tree(np.array(list(model.parents), dtype=np.int64), rotation, translation, axis, prismatic)


def new_pose(tree: Tree) -> Pose:
    """Return room for the poses of a tree."""
    count = len(tree.parent)
    return Pose(np.zeros((count, 3, 3)), np.zeros((count, 3)), np.zeros((count, 3)))


@kernel
def forward(tree: Tree, position: FloatArray, pose: Pose) -> None:
    """Compute all body poses from joint positions, shape (n,), [rad]; the base's row of pose must be set."""
    parent, fixed, offset, axis, prismatic = tree.parent, tree.rotation, tree.translation, tree.axis, tree.prismatic
    rotation, origin, turned = pose.rotation, pose.position, pose.axis
    for i in range(1, len(parent)):
        p, x, y, z = parent[i], axis[i, 0], axis[i, 1], axis[i, 2]
        s, c = (0.0, 1.0) if prismatic[i] else (np.sin(position[i - 1]), np.cos(position[i - 1]))
        slide, u = position[i - 1] if prismatic[i] else 0.0, 1.0 - c
        for k in range(3):  # by rows and with scalars: small arrays cost more than the arithmetic
            r0, r1, r2 = rotation[p, k, 0], rotation[p, k, 1], rotation[p, k, 2]
            f0 = r0 * fixed[i, 0, 0] + r1 * fixed[i, 1, 0] + r2 * fixed[i, 2, 0]
            f1 = r0 * fixed[i, 0, 1] + r1 * fixed[i, 1, 1] + r2 * fixed[i, 2, 1]
            f2 = r0 * fixed[i, 0, 2] + r1 * fixed[i, 1, 2] + r2 * fixed[i, 2, 2]
            along = f0 * x + f1 * y + f2 * z
            turned[i, k] = along
            origin[i, k] = origin[p, k] + r0 * offset[i, 0] + r1 * offset[i, 1] + r2 * offset[i, 2] + slide * along
            # A row times Rodrigues' rotation: f cos q + (f · axis) axis (1 − cos q) + f × axis sin q.
            rotation[i, k, 0] = f0 * c + along * x * u + (f1 * z - f2 * y) * s
            rotation[i, k, 1] = f1 * c + along * y * u + (f2 * x - f0 * z) * s
            rotation[i, k, 2] = f2 * c + along * z * u + (f0 * y - f1 * x) * s


@kernel
def point_of(pose: Pose, body: int, offset: FloatArray, out: FloatArray) -> None:
    """Write the world position of a point fixed to a body into out; offset in the body's frame [m]."""
    r = pose.rotation[body]
    for k in range(3):
        out[k] = pose.position[body, k] + r[k, 0] * offset[0] + r[k, 1] * offset[1] + r[k, 2] * offset[2]


@kernel
def point_columns(tree: Tree, pose: Pose, body: int, point: FloatArray, index: NDArray[np.int64], columns: FloatArray) -> int:
    """Write the Jacobian of a point that moves with a body: only the columns that are not zero.

    Args:
        tree: The tree.
        pose: Current poses.
        body: Body that carries the point.
        point: World position of the point [m].
        index: Receives the degrees of freedom in falling order, shape (d,); the last six are the base's.
        columns: Receives the columns [m/rad or m/m], shape (d, 3).

    Returns:
        How many columns were written.
    """
    count, i = 0, body
    while i > 0:
        index[count] = 5 + i
        ax, ay, az = pose.axis[i, 0], pose.axis[i, 1], pose.axis[i, 2]
        if tree.prismatic[i]:
            columns[count, 0], columns[count, 1], columns[count, 2] = ax, ay, az
        else:
            x, y, z = point[0] - pose.position[i, 0], point[1] - pose.position[i, 1], point[2] - pose.position[i, 2]
            columns[count, 0] = ay * z - az * y
            columns[count, 1] = az * x - ax * z
            columns[count, 2] = ax * y - ay * x
        count, i = count + 1, tree.parent[i]
    x, y, z = point[0] - pose.position[0, 0], point[1] - pose.position[0, 1], point[2] - pose.position[0, 2]
    for k in range(6):
        index[count + k] = 5 - k
        for row in range(3):
            columns[count + k, row] = 1.0 if row == 5 - k else 0.0
    columns[count, 0], columns[count, 1] = -y, x
    columns[count + 1, 0], columns[count + 1, 2] = z, -x
    columns[count + 2, 1], columns[count + 2, 2] = -z, y
    return count + 6


@kernel
def angular_columns(tree: Tree, pose: Pose, body: int, index: NDArray[np.int64], columns: FloatArray) -> int:
    """Write the Jacobian of a body's rotation vector in world axes; arguments and result as `point_columns`."""
    count, i = 0, body
    while i > 0:
        index[count] = 5 + i
        for row in range(3):
            columns[count, row] = 0.0 if tree.prismatic[i] else pose.axis[i, row]
        count, i = count + 1, tree.parent[i]
    for k in range(6):
        index[count + k] = 5 - k
        for row in range(3):
            columns[count + k, row] = 1.0 if row == 2 - k else 0.0
    return count + 6
