# SPDX-License-Identifier: Apache-2.0
"""Policies as files: what they promise, and how they are run."""

from kata_core.policy.contract import CONTRACT_KEY, PolicyContract
from kata_core.policy.ensemble import TemporalEnsemble
from kata_core.policy.monitor import Certainty, Judgement, MonitorSpec, PolicyMonitor

__all__ = [
    "CONTRACT_KEY",
    "Certainty",
    "Judgement",
    "MonitorSpec",
    "PolicyContract",
    "PolicyMonitor",
    "TemporalEnsemble",
]
