# SPDX-License-Identifier: Apache-2.0
"""Robots as data: a URDF and a folder of facts about it."""

from kata_model.robot.description import FrameSpec, HandSpec, RobotDescription, load_description
from kata_model.robot.model import RobotModel, build_robot, load_robot
from kata_model.robot.symmetry import MIRROR, Symmetry, find_symmetry, mirrored_name

__all__ = [
    "MIRROR",
    "FrameSpec",
    "HandSpec",
    "RobotDescription",
    "RobotModel",
    "Symmetry",
    "build_robot",
    "find_symmetry",
    "load_description",
    "load_robot",
    "mirrored_name",
]
