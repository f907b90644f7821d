# SPDX-License-Identifier: Apache-2.0
"""Policies: what they all offer (`interface`), one module each, and their names (`registry`); no torch before it is needed."""

from kata_learning.policies.registry import POLICIES, PolicyKind, describe, make_policy, restore

__all__ = ["POLICIES", "PolicyKind", "describe", "make_policy", "restore"]
