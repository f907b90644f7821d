# SPDX-License-Identifier: Apache-2.0
"""Kata's decisions and formulas: no ROS, no torch, no clock, no simulator."""

from kata_model.errors import ClipError, ConfigError, ContractError, DataError, KataError, RobotError
from kata_model.frames import BODIES, HumanFrames
from kata_model.joints import JointCommand, JointLayout, JointState
from kata_model.robot import RobotModel, load_robot
from kata_model.trajectory import Trajectory
from kata_model.verdict import JointFlag, Reason, Status, Verdict

__all__ = [
    "BODIES",
    "ClipError",
    "ConfigError",
    "ContractError",
    "DataError",
    "HumanFrames",
    "JointCommand",
    "JointFlag",
    "JointLayout",
    "JointState",
    "KataError",
    "Reason",
    "RobotError",
    "RobotModel",
    "Status",
    "Trajectory",
    "Verdict",
    "load_robot",
]
