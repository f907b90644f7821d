# SPDX-License-Identifier: Apache-2.0
"""The safety layer offline: what of a motion breaks a limit, how near the rest is, what the filter would change."""

from kata_safety.check.motion import Motion
from kata_safety.check.passage import Passage, pass_motion, pass_recorded
from kata_safety.check.usage import KINDS, Usage, UsageMeter
from kata_safety.check.violations import Violation, find_violations

__all__ = ["KINDS", "Motion", "Passage", "Usage", "UsageMeter", "Violation", "find_violations", "pass_motion", "pass_recorded"]
