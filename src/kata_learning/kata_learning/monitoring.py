# SPDX-License-Identifier: Apache-2.0
"""The monitor that a policy's file brings along: statistics and levels from the demonstrations it was trained on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kata_core.arrays import FloatArray
from kata_core.params import param
from kata_core.policy import ExecutionConfig, MonitorSpec
from kata_core.policy.calibration import (
    LEAST_EPISODES,
    disagreement_scores,
    distance_scores,
    make_levels,
    whiten,
)
from kata_learning.dataset import Dataset
from kata_learning.onnx_graph import answers
from kata_learning.policies.interface import Policy
from kata_learning.recorded import recorded_inputs

__all__ = ["MonitorConfig", "make_monitor"]

_FLOOR = 1e-2
"""Smallest standard deviation of an observation that is believed [rad, m …]: a constant in the data may move on the robot."""


@dataclass(frozen=True)
class MonitorConfig:
    """How a policy's monitor is calibrated."""

    warning_rate: float = param(0.1, low=0.001, high=0.5, doc="Share of rollouts like the demonstrations that may be warned of.")
    hold_rate: float = param(0.01, low=0.0001, high=0.5, doc="Share of such rollouts that may be held.")
    sustain: float = param(0.1, unit="s", low=0.0, high=5.0, doc="Time for which a score must be beyond a level, or back.")


def make_monitor(
    dataset: Dataset, network: Policy, config: MonitorConfig, execution: ExecutionConfig | None = None
) -> MonitorSpec:
    """Return the monitor of a policy.

    The distance is calibrated on all episodes, each held out of the statistics in turn. The disagreement is calibrated on
    the episodes that were held out of training, or on all where those are too few.

    Args:
        dataset: What the policy was trained on.
        network: The policy, in evaluation mode.
        config: How often it may be wrong.
        execution: How the policy's chunks will be carried out: it is judged once every `replan` steps.

    Raises:
        DataError: There are too few episodes.
    """
    seen = observations(dataset, network)
    replan = (execution or ExecutionConfig()).replan
    steps = max(1, round(config.sustain * dataset.manifest.rate / replan))
    rates = config.warning_rate, min(config.hold_rate, config.warning_rate)
    apart = None
    if network.spec.horizon > 1:
        held_out = _held_out(dataset)
        chunks = answers(network, recorded_inputs(dataset, network, held_out, same_noise=True))
        apart = make_levels(disagreement_scores(chunks.astype(float), dataset.episode[held_out], steps, replan), *rates)
    far = make_levels(distance_scores(seen, dataset.episode, steps, _FLOOR), *rates)
    return MonitorSpec(*whiten(seen, _FLOOR), far, apart, steps, *rates, gap=replan)


def observations(dataset: Dataset, network: Policy) -> FloatArray:
    """Return all observations of a dataset, terms joined in the policy's order, shape (T, d)."""
    parts = [np.asarray(dataset.observation[term.name], dtype=float).reshape(len(dataset), -1) for term in network.spec.terms]
    return np.concatenate(parts, axis=1)


def _held_out(dataset: Dataset) -> NDArray[np.intp]:
    """Return the steps of the episodes for validation, or all steps where those are too few."""
    steps = dataset.steps("validation")
    enough = len(np.unique(dataset.episode[steps])) >= LEAST_EPISODES
    return steps if enough else np.arange(len(dataset))
