# SPDX-License-Identifier: Apache-2.0
"""A robot's capsules with the distances that they have at rest."""

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.collision.capsules import CapsuleArrays, CapsuleSet, capsule_arrays
from kata_model.kinematics.tree import forward, make_tree, new_pose
from kata_model.robot import RobotModel
from kata_retarget.solver.repulsion import new_nearness, pair_gap, place_capsules

__all__ = ["gaps", "watched_capsules"]


def watched_capsules(robot: RobotModel, found: CapsuleSet) -> CapsuleArrays:
    """Return capsules and pairs; what overlaps at rest may do so always, so that rest is never refused."""
    tight = capsule_arrays(robot, found)
    return tight._replace(slack=np.maximum(0.0, -gaps(robot, tight, robot.rest)))


def gaps(robot: RobotModel, capsules: CapsuleArrays, position: FloatArray) -> FloatArray:
    """Return the gap of each pair at joint positions of shape (n,), [rad]; shape (p,), [m]."""
    tree = make_tree(robot.pinocchio)
    pose, near = new_pose(tree), new_nearness(len(capsules.body))
    pose.rotation[0] = np.eye(3)
    forward(tree, np.asarray(position, dtype=float), pose)
    place_capsules(capsules, pose, near)
    return np.array([pair_gap(capsules, near, p) for p in range(len(capsules.pair))])
