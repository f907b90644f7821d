# SPDX-License-Identifier: Apache-2.0
"""The monitor that a policy's file brings along: statistics and levels of what is ordinary for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from kata_data.dataset import Dataset
from kata_learning.export.onnx_graph import answers
from kata_learning.export.recorded import recorded_inputs
from kata_learning.export.rehearsal import Rehearsal
from kata_learning.policies.interface import Policy
from kata_model.arrays import FloatArray
from kata_model.config.params import param
from kata_policy import ExecutionConfig, MonitorSpec
from kata_policy.calibration import LEAST_EPISODES, disagreement_scores, distance_scores, make_levels, sustained, whiten
from kata_policy.glance import glance
from kata_policy.monitor import Stillness

__all__ = ["MonitorConfig", "make_monitor"]

_T = TypeVar("_T", bound=np.generic)

_FLOOR = 1e-2
"""Smallest standard deviation of an observation that is believed [rad, m …]: a constant in the data may move on the robot."""


@dataclass(frozen=True)
class MonitorConfig:
    """How a policy's monitor is calibrated."""

    warning_rate: float = param(0.05, low=0.001, high=0.5, doc="Share of ordinary attempts that may be warned of.")
    hold_rate: float = param(0.01, low=0.0001, high=0.5, doc="Share of ordinary attempts that may be held.")
    sustain: float = param(0.1, unit="s", low=0.0, high=5.0, doc="Time for which a score must be beyond a level, or back.")
    attempts: int = param(
        100,
        low=0,
        high=10_000,
        doc="Attempts in simulation to calibrate on; 0: demonstrations alone, which warns too often.",
    )


def make_monitor(
    dataset: Dataset,
    network: Policy,
    config: MonitorConfig,
    rehearsals: Sequence[Rehearsal] = (),
    execution: ExecutionConfig | None = None,
) -> MonitorSpec:
    """Return the monitor of a policy.

    What is ordinary is what demonstrations and the policy's own attempts show, also those that fail: the monitor tells where a
    policy was never seen, not whether it succeeds. Levels are calibrated on the attempts, each held out of the statistics
    in turn; without any, on the demonstrations. What is promised is shared out evenly between the scores.

    Args:
        dataset: What the policy was trained on.
        network: The policy, in evaluation mode.
        config: How often it may be wrong.
        rehearsals: Its attempts.
        execution: How the policy's chunks will be carried out: it is judged once every `replan` steps.

    Raises:
        DataError: There are too few episodes.
    """
    replan = (execution or ExecutionConfig()).replan
    steps = max(1, round(config.sustain * dataset.manifest.rate / replan))
    shown = [rows[::replan] for rows in _shown(dataset, network)]
    episodes = [*shown, *(rehearsal.seen for rehearsal in rehearsals)]
    scores = {"distance": distance_scores(episodes, steps, _FLOOR)[len(shown) if rehearsals else 0 :]}
    if network.spec.horizon > 1:
        plans = [rehearsal.answers for rehearsal in rehearsals] or _recorded_answers(dataset, network, replan)
        scores["disagreement"] = disagreement_scores(plans, steps, replan)
    if network.spec.cameras:
        scores["stillness"] = _stillness_scores(dataset, network, steps, replan)
    rates = config.warning_rate, min(config.hold_rate, config.warning_rate)
    levels = {name: make_levels(values, *(rate / len(scores) for rate in rates)) for name, values in scores.items()}
    return MonitorSpec(
        *whiten(np.concatenate(episodes), _FLOOR),
        distance=levels["distance"],
        disagreement=levels.get("disagreement"),
        stillness=levels.get("stillness"),
        steps=steps,
        warning_rate=rates[0],
        hold_rate=rates[1],
        gap=replan,
        attempts=len(rehearsals),
    )


def _shown(dataset: Dataset, network: Policy) -> list[FloatArray]:
    """Return the observations of each episode as `flatten` would, shape (T, d)."""
    parts = [np.asarray(dataset.observation[term.name], dtype=float).reshape(len(dataset), -1) for term in network.spec.terms]
    if network.spec.cameras:
        inputs = recorded_inputs(dataset, network, np.arange(len(dataset)))
        pictures = (inputs[camera.input] for camera in network.spec.cameras)
        parts += [np.array([glance(one) for one in (seen[:, -1] if network.spec.window else seen)]) for seen in pictures]
    return _by_episode(np.concatenate(parts, axis=1), dataset.episode)


def _recorded_answers(dataset: Dataset, network: Policy, replan: int) -> list[FloatArray]:
    """Return what the policy answers to episodes that it was not trained on, or to all where those are too few."""
    steps = dataset.steps("validation")
    enough = len(np.unique(dataset.episode[steps])) >= LEAST_EPISODES
    chosen = steps if enough else np.arange(len(dataset))
    chunks = answers(network, recorded_inputs(dataset, network, chosen, same_noise=True)).astype(float)
    return [plans[::replan] for plans in _by_episode(chunks, dataset.episode[chosen])]


def _stillness_scores(dataset: Dataset, network: Policy, steps: int, replan: int) -> FloatArray:
    """Return each episode's sustained stillness [rad], shape (E,): pictures came as often as the robot's cameras send them."""
    cameras, found = [camera.input for camera in network.spec.cameras], []
    for rows in _by_episode(np.arange(len(dataset)), dataset.episode):
        inputs = recorded_inputs(dataset, network, rows[::replan])
        present = {name: values[:, -1] if network.spec.window else values for name, values in inputs.items()}
        still = Stillness(cameras)
        moments = range(len(rows[::replan]))
        found.append(sustained(np.array([still.note({name: seen[i] for name, seen in present.items()}) for i in moments]), steps))
    return np.array(found)


def _by_episode(rows: NDArray[_T], episode: NDArray[np.int32]) -> list[NDArray[_T]]:
    return [rows[episode == number] for number in np.unique(episode)]
