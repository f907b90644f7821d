# SPDX-License-Identifier: Apache-2.0
"""The engage contract: how anybody and anything comes to move the robot, and how that ends."""

from kata_model.tie import Tie
from kata_teleop.engage.config import Cause, EngageConfig, Phase
from kata_teleop.engage.driver import Driven, Driver
from kata_teleop.engage.gamepad import LAYOUTS, GamepadConfig, GamepadPilot, Intent, JointWish, Twist
from kata_teleop.engage.hands import EngageStatus, HandSource, HandStatus
from kata_teleop.engage.heartbeat import Heartbeat
from kata_teleop.engage.jog import JointJog
from kata_teleop.engage.leader import JointLink, LeaderArm, LeaderConfig, parse_joint_map
from kata_teleop.engage.link import LinkMonitor
from kata_teleop.engage.machine import EngageMachine
from kata_teleop.engage.sample import HandSample, HandsSample

__all__ = [
    "LAYOUTS",
    "Cause",
    "Driven",
    "Driver",
    "EngageConfig",
    "EngageMachine",
    "EngageStatus",
    "GamepadConfig",
    "GamepadPilot",
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
    "Tie",
    "Twist",
    "parse_joint_map",
]
