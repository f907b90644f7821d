# SPDX-License-Identifier: Apache-2.0
"""The engage contract: how anybody and anything comes to move the robot, and how that ends."""

from kata_core.engage.config import Cause, EngageConfig, Phase
from kata_core.engage.driver import Driven, Driver
from kata_core.engage.gamepad import LAYOUTS, GamepadConfig, GamepadPilot, Intent, JointWish, Twist
from kata_core.engage.hands import EngageStatus, HandSource, HandStatus
from kata_core.engage.heartbeat import Heartbeat
from kata_core.engage.jog import JointJog
from kata_core.engage.leader import JointLink, LeaderArm, LeaderConfig, parse_joint_map
from kata_core.engage.link import LinkMonitor
from kata_core.engage.machine import EngageMachine
from kata_core.engage.sample import HandSample, HandsSample
from kata_core.engage.tie import Tie

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
