# SPDX-License-Identifier: Apache-2.0
"""The gate between what someone wants and what the robot is told."""

from kata_core.safety.balance import BaseState
from kata_core.safety.button import StopButtons
from kata_core.safety.config import SafetyConfig
from kata_core.safety.filter import SafetyFilter
from kata_core.safety.guard import Guard, Wish
from kata_core.safety.intake import Received
from kata_core.safety.last_resort import LastResort
from kata_core.safety.limits import JointLimits, LimitedStep
from kata_core.safety.senses import NOTHING, Senses
from kata_core.safety.shapes import Shapes, load_shapes
from kata_core.safety.standing import UNKNOWN_BASE, Standing
from kata_core.safety.stops import StopCategory, StopTable
from kata_core.safety.watchdog import Alternation, LoopMonitor, Watchdog

__all__ = [
    "NOTHING",
    "UNKNOWN_BASE",
    "Alternation",
    "BaseState",
    "Guard",
    "JointLimits",
    "LastResort",
    "LimitedStep",
    "LoopMonitor",
    "Received",
    "SafetyConfig",
    "SafetyFilter",
    "Senses",
    "Shapes",
    "Standing",
    "StopButtons",
    "StopCategory",
    "StopTable",
    "Watchdog",
    "Wish",
    "load_shapes",
]
