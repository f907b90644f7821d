# SPDX-License-Identifier: Apache-2.0
"""Kata's decisions and formulas: no ROS, no torch, no clock, no simulator."""

from kata_core.errors import ClipError, ConfigError, ContractError, DataError, KataError, RobotError
from kata_core.frames import BODIES, HumanFrames
from kata_core.joints import JointCommand, JointLayout, JointState
from kata_core.robot import RobotModel, load_robot
from kata_core.trajectory import Trajectory
from kata_core.verdict import JointFlag, Reason, Status, Verdict

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
