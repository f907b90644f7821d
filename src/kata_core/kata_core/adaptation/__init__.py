# SPDX-License-Identifier: Apache-2.0
"""Whether a robot's motors and the floor can do what a motion asks, and how to mend it where they cannot."""

from kata_core.adaptation.adapt import Adaptation, Mend, adapt
from kata_core.adaptation.config import AdaptConfig, bounds_of
from kata_core.adaptation.demand import Demand
from kata_core.adaptation.excess import Excess
from kata_core.adaptation.path import MotionPath

__all__ = ["AdaptConfig", "Adaptation", "Demand", "Excess", "Mend", "MotionPath", "adapt", "bounds_of"]
