# SPDX-License-Identifier: Apache-2.0
"""A posture to rest in: upright on straight legs, arms down and a little away from the body, elbows bent."""

import numpy as np
import pinocchio as pin

from kata_model.arrays import FloatArray
from kata_model.robot import RobotModel
from kata_retarget.drafting.landmarks import Limb

__all__ = ["rest_posture"]

_AWAY, _BEND = 0.2, 0.8  # upper arm from the vertical, forearm from the upper arm [rad]
_ITERATIONS, _STEP = 300, 0.2
_PULL = 1e-3  # towards zero, against the twist that two directions leave free


def rest_posture(robot: RobotModel, arms: dict[int, Limb]) -> FloatArray:
    """Return joint positions, shape (n,), [rad].

    Args:
        robot: The robot; its own rest is not looked at.
        arms: Left arm under 1, right arm under -1.
    """
    position = robot.clamp(np.zeros(len(robot.layout)))
    for side, arm in arms.items():
        upper = np.array([0.0, side * np.sin(_AWAY), -np.cos(_AWAY)])
        fore = np.array([np.sin(_BEND), 0.0, -np.cos(_BEND)])
        _point(robot, arm, upper, fore, position)
    return position


def _point(robot: RobotModel, arm: Limb, upper: FloatArray, fore: FloatArray, position: FloatArray) -> None:
    """Turn an arm, in place, so that its two halves point in two directions (damped least squares)."""
    joints, neutral = _between(robot, arm), position.copy()
    for _ in range(_ITERATIONS):
        miss, jacobian = _halves(robot, arm, upper, fore, position)
        jacobian = jacobian[:, joints]
        gram = jacobian.T @ jacobian + _PULL * np.eye(len(joints))
        step = np.linalg.solve(gram, jacobian.T @ miss + _PULL * (neutral - position)[joints])
        position[joints] += np.clip(step, -_STEP, _STEP)
        position[:] = robot.clamp(position)


def _halves(
    robot: RobotModel, arm: Limb, upper: FloatArray, fore: FloatArray, position: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return how far elbow and wrist are from where they should be, shape (6,), [m], and their Jacobian, shape (6, n)."""
    model, data = robot.pinocchio, robot.pinocchio.createData()
    pin.computeJointJacobians(model, data, position)
    pin.updateFramePlacements(model, data)
    shoulder = data.oMf[robot.frame_id(arm.start.frame)].act(arm.start.offset)
    elbow, wrist = data.oMi[arm.hinge].translation, data.oMi[arm.end].translation
    first, second = (pin.getJointJacobian(model, data, i, pin.LOCAL_WORLD_ALIGNED)[:3] for i in (arm.hinge, arm.end))
    misses = [
        near + np.linalg.norm(far - near) * way - far for near, far, way in ((shoulder, elbow, upper), (elbow, wrist, fore))
    ]
    return np.concatenate(misses), np.concatenate([first, second - first])


def _between(robot: RobotModel, arm: Limb) -> list[int]:
    """Return the columns of an arm's joints from the trunk to the elbow."""
    columns, joint, first = [], arm.hinge, int(robot.pinocchio.frames[robot.frame_id(arm.start.frame)].parentJoint)
    while joint not in (0, first):
        columns.append(joint - 1)
        joint = int(robot.pinocchio.parents[joint])
    return columns[::-1]
