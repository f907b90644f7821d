# SPDX-License-Identifier: Apache-2.0
"""Robots as data: a URDF and a folder of facts about it."""

from kata_core.robot.description import FrameSpec, HandSpec, RobotDescription, load_description
from kata_core.robot.model import RobotModel, build_robot, load_robot

__all__ = ["FrameSpec", "HandSpec", "RobotDescription", "RobotModel", "build_robot", "load_description", "load_robot"]
