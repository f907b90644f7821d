# SPDX-License-Identifier: Apache-2.0
"""How good recorded demonstrations are: each by itself, and all of them together."""

from kata_core.grading.collection import Collection, EpisodeTrace, Outlier, compare
from kata_core.grading.config import GradingConfig, load_grading
from kata_core.grading.coverage import Coverage, cover
from kata_core.grading.episode import EpisodeData, EpisodeGrade, grade_episode
from kata_core.grading.finding import GRADES, Finding, Level, is_below, judge, letter
from kata_core.grading.motion import JointTrace, Rest, usable
from kata_core.grading.streams import StreamFigures, StreamTimes, measure_stream

__all__ = [
    "GRADES",
    "Collection",
    "Coverage",
    "EpisodeData",
    "EpisodeGrade",
    "EpisodeTrace",
    "Finding",
    "GradingConfig",
    "JointTrace",
    "Level",
    "Outlier",
    "Rest",
    "StreamFigures",
    "StreamTimes",
    "compare",
    "cover",
    "grade_episode",
    "is_below",
    "judge",
    "letter",
    "load_grading",
    "measure_stream",
    "usable",
]
