# SPDX-License-Identifier: Apache-2.0
"""Spans of a motion in which a limit is broken."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kata_model.arrays import FloatArray
from kata_safety.check.motion import Motion
from kata_safety.check.usage import KINDS, Usage

__all__ = ["Violation", "find_violations"]

_ROUNDING = 1e-6
"""Share beyond a limit that is rounding, not a violation."""

_JOIN = 0.1
"""Spans closer than this are one [s]."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A joint beyond one limit for a while.

    Attributes:
        kind: Which limit, one of `KINDS`.
        joint: Name of the joint; in a collision, of each that moves the parts.
        begin: First sample beyond it [s].
        end: Last sample beyond it [s].
        worst: When the share was largest [s].
        share: The largest share of the limit.
    """

    kind: str
    joint: str
    begin: float
    end: float
    worst: float
    share: float


def find_violations(motion: Motion, usage: Usage, names: Sequence[str]) -> list[Violation]:
    """Return all violations, the gravest first.

    Args:
        motion: What was measured.
        usage: The measurement.
        names: Names of the joints.
    """
    found = [
        violation
        for kind in KINDS
        for joint in np.flatnonzero((usage.share[kind] > 1.0 + _ROUNDING).any(axis=0)).tolist()
        for violation in _spans(kind, names[joint], motion.seconds, usage.share[kind][:, joint])
    ]
    return sorted(found, key=lambda violation: -violation.share)


def _spans(kind: str, joint: str, seconds: FloatArray, share: FloatArray) -> list[Violation]:
    beyond = np.flatnonzero(share > 1.0 + _ROUNDING)
    breaks = np.flatnonzero(np.diff(seconds[beyond]) > _JOIN) + 1
    spans = []
    for rows in np.split(beyond, breaks):
        worst = rows[share[rows].argmax()]
        begin, end, at = (float(seconds[row]) for row in (rows[0], rows[-1], worst))
        spans.append(Violation(kind, joint, begin, end, at, float(share[worst])))
    return spans
