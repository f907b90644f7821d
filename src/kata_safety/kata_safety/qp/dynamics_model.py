# SPDX-License-Identifier: Apache-2.0
"""Collision and dynamics model: a robot's masses and capsules as plain arrays, as the kernels of the safety filter see it.

Kernels take `DynamicsModel`, which never changes, and write into `Scratch`, which is made once: a tick allocates nothing.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_model.kinematics.tree import Pose, Tree, make_tree, new_pose
from kata_model.robot import RobotModel
from kata_safety.qp.drives import rotor_inertia
from kata_safety.qp.shapes import Shapes

__all__ = ["DynamicsModel", "IntArray", "Scratch", "make_dynamics_model", "new_scratch"]

IntArray = NDArray[np.int64]


class DynamicsModel(NamedTuple):
    """What never changes; n joints, c capsules, g gaps, h half-spaces, m = g + h separations.

    Attributes:
        tree: Kinematics.
        mass: By body, shape (n + 1,), [kg].
        centre: Centre of mass in the body's frame, shape (n + 1, 3), [m].
        inertia: About the centre of mass, body's axes, shape (n + 1, 3, 3), [kg·m²].
        armature: Rotor inertia at the joints, shape (n,), [kg·m²].
        body: Body of each capsule, shape (c,).
        start: Ends of the capsules' axes in the body's frame, shape (c, 3), [m].
        end: Other ends.
        radius: Shape (c,), [m].
        first: First capsule of each separation, shape (m,).
        second: Second capsule of each gap; that of a half-space is its own first, shape (m,).
        clearance: Distance that counts as contact, shape (m,), [m]; 0 for half-spaces.
        normal: Of the half-spaces, rows g to m, shape (m, 3).
        offset: Of the half-spaces, shape (m,), [m].
        gaps: Number g of gaps.
        border: Whether a separation bounds the workspace, shape (m,).
        reach: How far a joint's unit motion can move the two parts of a separation against each other,
            at most, in any posture, shape (m, n), [m/rad].
        extent: Half length plus radius of each capsule, shape (c,), [m].
        lever: How far a joint's unit motion can move each capsule, at most, in any posture, shape (c, n), [m/rad].
    """

    tree: Tree
    mass: FloatArray
    centre: FloatArray
    inertia: FloatArray
    armature: FloatArray
    body: IntArray
    start: FloatArray
    end: FloatArray
    radius: FloatArray
    first: IntArray
    second: IntArray
    clearance: FloatArray
    normal: FloatArray
    offset: FloatArray
    gaps: int
    border: NDArray[np.bool_]
    reach: FloatArray
    extent: FloatArray
    lever: FloatArray


class Scratch(NamedTuple):
    """Room for the kernels' results; shapes as in `DynamicsModel`.

    Attributes:
        pose: Of all bodies.
        ends: Capsule axes in the base's frame, shape (c, 2, 3), [m].
        middle: Twice their middles, shape (c, 3), [m].
        omega: Angular velocities, shape (n + 1, 3).
        alpha: Angular accelerations, shape (n + 1, 3).
        linear: Accelerations of the bodies' origins, shape (n + 1, 3).
        force: Shape (n + 1, 3), [N].
        moment: Shape (n + 1, 3), [N·m].
        effort: Shape (n,), [N·m].
        pair: Nearest points of one gap, shape (2, 3), [m].
        sweep: How far capsules can move, shape (c,), [m] or [m/s].
        composite: Mass, first moment and inertia of a body and all that it carries, shape (n + 1, 10).
    """

    pose: Pose
    ends: FloatArray
    middle: FloatArray
    omega: FloatArray
    alpha: FloatArray
    linear: FloatArray
    force: FloatArray
    moment: FloatArray
    effort: FloatArray
    pair: FloatArray
    sweep: FloatArray
    composite: FloatArray


def make_dynamics_model(robot: RobotModel, shapes: Shapes) -> DynamicsModel:
    """Return a robot with shapes as arrays."""
    tree, inertias = make_tree(robot.pinocchio), list(robot.pinocchio.inertias)
    first = [g.first for g in shapes.gaps] + [h.capsule for h in shapes.halves]
    second = [g.second for g in shapes.gaps] + [h.capsule for h in shapes.halves]
    gaps, halves = len(shapes.gaps), len(shapes.halves)
    body = np.array([c.body for c in shapes.capsules], dtype=np.int64)
    start = np.array([c.start for c in shapes.capsules]).reshape(-1, 3)
    end = np.array([c.end for c in shapes.capsules]).reshape(-1, 3)
    radius = np.array([c.radius for c in shapes.capsules], dtype=float)
    half = np.arange(gaps + halves) >= gaps
    lever = _levers(robot, tree, body, np.maximum(_length(start), _length(end)))
    return DynamicsModel(
        tree=tree,
        mass=np.array([i.mass for i in inertias]),
        centre=np.array([i.lever for i in inertias]),
        inertia=np.array([i.inertia for i in inertias]),
        armature=rotor_inertia(robot),
        body=body,
        start=start,
        end=end,
        radius=radius,
        first=np.array(first, dtype=np.int64),
        second=np.array(second, dtype=np.int64),
        clearance=np.array([g.clearance for g in shapes.gaps] + [0.0] * halves),
        normal=np.array([np.zeros(3)] * gaps + [h.normal for h in shapes.halves]).reshape(-1, 3),
        offset=np.array([0.0] * gaps + [h.offset for h in shapes.halves]),
        gaps=gaps,
        border=np.array([g.border for g in shapes.gaps] + [True] * halves, dtype=bool),
        reach=_reaches(lever, first, second, half),
        extent=0.5 * _length(end - start) + radius,
        lever=lever,
    )


def new_scratch(model: DynamicsModel) -> Scratch:
    """Return room for the results of a model's kernels."""
    bodies, capsules, pose = len(model.mass), len(model.body), new_pose(model.tree)
    pose.rotation[0] = np.eye(3)
    return Scratch(
        pose=pose,
        ends=np.zeros((capsules, 2, 3)),
        middle=np.zeros((capsules, 3)),
        omega=np.zeros((bodies, 3)),
        alpha=np.zeros((bodies, 3)),
        linear=np.zeros((bodies, 3)),
        force=np.zeros((bodies, 3)),
        moment=np.zeros((bodies, 3)),
        effort=np.zeros(bodies - 1),
        pair=np.zeros((2, 3)),
        sweep=np.zeros(capsules),
        composite=np.zeros((bodies, 10)),
    )


def _levers(robot: RobotModel, tree: Tree, body: IntArray, extent: FloatArray) -> FloatArray:
    """Return `DynamicsModel.lever`: lengths of the chains from joint to capsule, which no posture exceeds."""
    travel = np.maximum(np.abs(robot.lower), np.abs(robot.upper))
    lever = np.zeros((len(body), len(robot.layout)))
    for row, (b, e) in enumerate(zip(body, extent, strict=True)):
        for joint, length in _chain(tree, travel, int(b), float(e)).items():
            lever[row, joint - 1] = length
    return lever


def _reaches(lever: FloatArray, first: list[int], second: list[int], half: NDArray[np.bool_]) -> FloatArray:
    """Return `DynamicsModel.reach`; a joint of both capsules moves them together."""
    one, other = lever[first], np.where(half[:, None], 0.0, lever[second])
    reach: FloatArray = np.where((one > 0.0) & (other > 0.0), 0.0, one + other)
    return reach


def _chain(tree: Tree, travel: FloatArray, body: int, extent: float) -> dict[int, float]:
    """Return by joint how far from its axis any point of a capsule on a body can be."""
    found: dict[int, float] = {}
    length = extent
    while body > 0:
        if tree.prismatic[body]:
            found[body], length = 1.0, length + float(travel[body - 1])
        else:
            found[body] = length
        length += float(np.linalg.norm(tree.translation[body]))
        body = int(tree.parent[body])
    return found


def _length(vectors: FloatArray) -> Any:
    return np.linalg.norm(vectors, axis=1)
