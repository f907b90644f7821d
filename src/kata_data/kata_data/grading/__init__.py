# SPDX-License-Identifier: Apache-2.0
"""How good recorded demonstrations are: each by itself, and all of them together."""

from kata_data.grading.collection import Collection, EpisodeTrace, Outlier, compare
from kata_data.grading.config import GradingConfig, load_grading
from kata_data.grading.coverage import Coverage, cover
from kata_data.grading.episode import EpisodeData, EpisodeGrade, grade_episode
from kata_data.grading.finding import GRADES, Finding, Level, is_below, judge, letter
from kata_data.grading.motion import JointTrace, Rest, usable
from kata_data.grading.streams import StreamFigures, StreamTimes, measure_stream

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
