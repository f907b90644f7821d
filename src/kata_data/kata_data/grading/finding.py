# SPDX-License-Identifier: Apache-2.0
"""What a measure found, and the letter that findings make together."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

__all__ = ["GRADES", "Finding", "Level", "is_below", "judge", "letter"]

GRADES = "ABCDF"
"""From the best to the worst."""


class Level(IntEnum):
    """How grave a finding is."""

    GOOD = 0
    WARNING = 1
    FAILURE = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """What one measure found.

    Attributes:
        measure: Name, e.g. ``idle``.
        level: How grave it is.
        value: The figure that was judged, in the unit of its thresholds.
        text: In words, with the figure.
    """

    measure: str
    level: Level
    value: float
    text: str


def judge(measure: str, value: float, warn: float, fail: float, text: str) -> Finding:
    """Judge a figure that is better the smaller it is; NaN is a failure."""
    if value < warn:
        return Finding(measure, Level.GOOD, value, text)
    return Finding(measure, Level.WARNING if value < fail else Level.FAILURE, value, text)


def letter(findings: Iterable[Finding]) -> str:
    """Return the grade: A nothing to mend, B one warning, C several, D one failure, F more failures."""
    levels = [finding.level for finding in findings]
    failures, warnings = levels.count(Level.FAILURE), levels.count(Level.WARNING)
    if failures:
        return "D" if failures == 1 else "F"
    return "ABC"[min(warnings, 2)]


def is_below(grade: str, bar: str) -> bool:
    """Return whether a grade is worse than another."""
    return GRADES.index(grade) > GRADES.index(bar)
