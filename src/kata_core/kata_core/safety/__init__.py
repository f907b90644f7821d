# SPDX-License-Identifier: Apache-2.0
"""The gate between what someone wants and what the robot is told."""

from kata_core.safety.config import SafetyConfig
from kata_core.safety.filter import SafetyFilter
from kata_core.safety.intake import Received
from kata_core.safety.limits import JointLimits, LimitedStep

__all__ = ["JointLimits", "LimitedStep", "Received", "SafetyConfig", "SafetyFilter"]
