# SPDX-License-Identifier: Apache-2.0
"""A policy's monitor knows the policy's own attempts, and holds what it promises of them."""

import numpy as np

from kata_data.dataset import load_dataset
from kata_learning.export.exporting import make_graph, with_monitor, write_graph
from kata_learning.export.monitoring import MonitorConfig, make_monitor
from kata_learning.export.rehearsal import Rehearsal, rehearse
from kata_policy.calibration import sustained
from kata_policy.monitor import distance
from kata_policy.onnx_policy import OnnxPolicy
from kata_sim.tasks.reach import ReachTask

STRAYING = 0.06
"""How far a policy's arm strays from the demonstrated posture, on its own way [rad]."""


def attempts(dataset, run, count, seed):
    """Return imagined attempts: demonstrated ones in which all joints stray smoothly, all numbers following."""
    rng = np.random.default_rng(seed)
    terms = [term.name for term in run.network.spec.terms]
    rows = np.concatenate([np.array(dataset.observation[name], float) for name in terms], axis=1)
    found = []
    for _ in range(count):
        own = rows[dataset.episode == rng.integers(dataset.episode.max() + 1)].copy()
        own[:, :7] += STRAYING * rng.normal(size=7) * np.sin(np.linspace(0.0, np.pi, len(own)))[:, None]
        chunks = own[:, None, :7] + np.linspace(0.0, 0.1, 20)[:, None] + rng.normal(0.0, 1e-3, (len(own), 20, 7))
        found.append(Rehearsal(own, chunks))
    return found


def held(spec, found):
    return np.mean([sustained(distance(one.seen, spec.mean, spec.whitening), spec.steps) > spec.distance.hold for one in found])


def test_a_policy_that_strays_a_little_as_always_is_not_held_and_what_is_foreign_is(saved, run):
    dataset = load_dataset(saved)
    known, new = attempts(dataset, run, 100, 0), attempts(dataset, run, 200, 1)
    spec = make_monitor(dataset, run.network, MonitorConfig(), known)
    assert spec.attempts == 100
    assert held(spec, new) <= 0.02
    foreign = [Rehearsal(one.seen + 1.0 * (np.arange(13) == 8), one.answers) for one in new]
    assert held(spec, foreign) >= 0.95


def test_attempts_are_watched_and_repeat_themselves(saved, run, g1, tmp_path, monkeypatch):
    monkeypatch.setattr(ReachTask, "timeout", 0.5)
    dataset = load_dataset(saved)
    graph = make_graph(run, dataset)
    write_graph(graph, tmp_path / "policy.onnx")
    one, two = (rehearse(tmp_path / "policy.onnx", g1, "reach", 2) for _ in range(2))
    assert not np.array_equal(one[0].seen, one[1].seen)
    for a, b in zip(one, two, strict=True):
        assert np.array_equal(a.seen, b.seen)
        assert np.array_equal(a.answers, b.answers)
        assert a.seen.shape == (len(a.answers), 13)
        assert a.answers.shape[1:] == (run.network.spec.horizon, 7)
    write_graph(with_monitor(graph, run, dataset, MonitorConfig(attempts=3)), tmp_path / "wary.onnx")
    spec = OnnxPolicy.load(tmp_path / "wary.onnx", g1).contract.monitor
    assert (spec.attempts, spec.distance.episodes) == (3, 3)


def test_a_task_that_is_not_simulated_leaves_the_demonstrations_and_a_warning(saved, run, caplog):
    dataset = load_dataset(saved)
    graph = make_graph(run, dataset)
    object.__setattr__(graph.contract, "task", "fold a towel")
    with caplog.at_level("WARNING"):
        spec = with_monitor(graph, run, dataset, MonitorConfig()).contract.monitor
    assert (spec.attempts, spec.distance.episodes) == (0, len(dataset.manifest.episodes))
    assert "knows demonstrations alone" in caplog.text
