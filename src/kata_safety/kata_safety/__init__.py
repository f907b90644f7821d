# SPDX-License-Identifier: Apache-2.0
"""The gate between what someone wants and what the robot is told."""

from kata_safety.button import StopButtons
from kata_safety.config import SafetyConfig
from kata_safety.decision import Decider
from kata_safety.filter import SafetyFilter
from kata_safety.inputs import NOTHING, FilterInputs, Received, SafetyInputs
from kata_safety.last_resort import LastResort
from kata_safety.limits import JointLimits, LimitedStep
from kata_safety.qp.motion import DesiredVelocity
from kata_safety.qp.qp_filter import QPFilter
from kata_safety.qp.shapes import Shapes, load_shapes
from kata_safety.stability_monitor import UNKNOWN_BASE, StabilityMonitor
from kata_safety.state import FilterState
from kata_safety.stops.stability import BaseState
from kata_safety.stops.stop_table import StopCategory, StopTable
from kata_safety.stops.watchdog import Alternation, LoopMonitor, Watchdog

__all__ = [
    "NOTHING",
    "UNKNOWN_BASE",
    "Alternation",
    "BaseState",
    "Decider",
    "DesiredVelocity",
    "FilterInputs",
    "FilterState",
    "JointLimits",
    "LastResort",
    "LimitedStep",
    "LoopMonitor",
    "QPFilter",
    "Received",
    "SafetyConfig",
    "SafetyFilter",
    "SafetyInputs",
    "Shapes",
    "StabilityMonitor",
    "StopButtons",
    "StopCategory",
    "StopTable",
    "Watchdog",
    "load_shapes",
]
