# SPDX-License-Identifier: Apache-2.0
"""Walking experts from elsewhere, and students that are cloned from them; optional, nothing else needs it."""

from kata_learning.walk.expert import Network, load_expert
from kata_learning.walk.gait import Gait, GaitFacts
from kata_learning.walk.student import Labels, StudentConfig, collect_labels, survival, train_student

__all__ = [
    "Gait",
    "GaitFacts",
    "Labels",
    "Network",
    "StudentConfig",
    "collect_labels",
    "load_expert",
    "survival",
    "train_student",
]
