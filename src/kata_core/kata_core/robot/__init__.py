# SPDX-License-Identifier: Apache-2.0
"""Robots as data: a URDF and a folder of facts about it."""

from kata_core.robot.description import FrameSpec, RobotDescription, load_description
from kata_core.robot.model import RobotModel, load_robot

__all__ = ["FrameSpec", "RobotDescription", "RobotModel", "load_description", "load_robot"]
