# SPDX-License-Identifier: Apache-2.0
"""Whether a robot's motors and the floor can do what a motion asks, and how to mend it where they cannot."""

from kata_retarget.adaptation.adapt import Adaptation, Mend, adapt
from kata_retarget.adaptation.config import AdaptConfig, bounds_of
from kata_retarget.adaptation.demand import Demand
from kata_retarget.adaptation.excess import Excess
from kata_retarget.adaptation.path import MotionPath

__all__ = ["AdaptConfig", "Adaptation", "Demand", "Excess", "Mend", "MotionPath", "adapt", "bounds_of"]
