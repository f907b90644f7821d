# SPDX-License-Identifier: Apache-2.0
"""Where a robot's palms are, for a person who watches them."""

import pinocchio as pin

from kata_model.arrays import FloatArray
from kata_model.robot import RobotModel

__all__ = ["palms_of"]


def palms_of(robot: RobotModel, position: FloatArray) -> dict[str, FloatArray]:
    """Return the palms' poses in the base's frame by human hand, shape (7,), for joint positions of shape (n,), [rad]."""
    hands = robot.description.hands
    poses = robot.frame_poses(position, tuple(spec.frame for spec in hands.values()))
    return {hand: pin.SE3ToXYZQUAT(pose) for hand, pose in zip(hands, poses, strict=True)}
