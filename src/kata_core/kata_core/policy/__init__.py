# SPDX-License-Identifier: Apache-2.0
"""Policies as files: what they promise, and how they are run."""

from kata_core.policy.contract import CONTRACT_KEY, PolicyContract
from kata_core.policy.ensemble import TemporalEnsemble

__all__ = ["CONTRACT_KEY", "PolicyContract", "TemporalEnsemble"]
