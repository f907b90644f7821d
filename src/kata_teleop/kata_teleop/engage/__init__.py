# SPDX-License-Identifier: Apache-2.0
"""The engage contract: how anybody and anything comes to move the robot, and how that ends."""

from kata_model.clutch_offset import ClutchOffset
from kata_teleop.engage.config import Cause, EngageConfig, Phase
from kata_teleop.engage.gamepad import LAYOUTS, GamepadConfig, GamepadReader, Intent, JointJog, JointWish, Twist
from kata_teleop.engage.hands import EngageStatus, HandSource, HandStatus
from kata_teleop.engage.leader import JointLink, LeaderArm, LeaderConfig, parse_joint_map
from kata_teleop.engage.link import Heartbeat, LinkMonitor
from kata_teleop.engage.machine import EngageMachine
from kata_teleop.engage.sample import HandSample, HandsSample
from kata_teleop.engage.teleop_session import TeleopOutput, TeleopSession

__all__ = [
    "LAYOUTS",
    "Cause",
    "ClutchOffset",
    "EngageConfig",
    "EngageMachine",
    "EngageStatus",
    "GamepadConfig",
    "GamepadReader",
    "HandSample",
    "HandSource",
    "HandStatus",
    "HandsSample",
    "Heartbeat",
    "Intent",
    "JointJog",
    "JointLink",
    "JointWish",
    "LeaderArm",
    "LeaderConfig",
    "LinkMonitor",
    "Phase",
    "TeleopOutput",
    "TeleopSession",
    "Twist",
    "parse_joint_map",
]
