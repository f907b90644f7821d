# SPDX-License-Identifier: Apache-2.0
"""Variations of demonstrations: some make more episodes before training, others change each batch while it runs."""

from kata_learning.augmentation.config import AugmentConfig

__all__ = ["AugmentConfig"]
