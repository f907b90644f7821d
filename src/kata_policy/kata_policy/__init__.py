# SPDX-License-Identifier: Apache-2.0
"""Policies as files: what they promise, and how they are run."""

from kata_policy.contract import CONTRACT_KEY, PolicyContract, Quantisation
from kata_policy.execution import ChunkExecutor, ExecutionConfig
from kata_policy.monitor import Certainty, Judgement, MonitorSpec, PolicyMonitor
from kata_policy.running.history import ObservationHistory
from kata_policy.runtime import RuntimeConfig

__all__ = [
    "CONTRACT_KEY",
    "Certainty",
    "ChunkExecutor",
    "ExecutionConfig",
    "Judgement",
    "MonitorSpec",
    "ObservationHistory",
    "PolicyContract",
    "PolicyMonitor",
    "Quantisation",
    "RuntimeConfig",
]
