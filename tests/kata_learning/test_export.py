# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import onnx
import pytest
import torch

from kata_data.dataset import load_dataset
from kata_learning.export import exporting
from kata_learning.export.exporting import PARITY_TOLERANCE, export_policy
from kata_learning.export.monitoring import MonitorConfig, make_monitor
from kata_learning.export.onnx_graph import parity
from kata_model import load_robot
from kata_model.errors import ContractError, DataError
from kata_policy.monitor import distance
from kata_policy.onnx_policy import OnnxPolicy


def test_onnx_computes_what_torch_does(policy_path, run, saved, g1):
    policy, dataset = OnnxPolicy.load(policy_path, g1), load_dataset(saved)
    for step in (0, 20, 100):
        observation = {name: np.array(values[step]) for name, values in dataset.observation.items()}
        with torch.no_grad():
            ours = run.network(*(torch.from_numpy(value)[None] for value in observation.values()))[0].numpy()
        np.testing.assert_allclose(policy.act(observation), ours, atol=PARITY_TOLERANCE)


def test_the_file_says_what_it_needs(policy_path, saved, g1):
    contract, about = OnnxPolicy.load(policy_path, g1, 50.0).contract, load_dataset(saved).manifest
    assert contract.joint_names == about.joint_names
    assert {term.name: term.shape for term in contract.terms} == dict(about.terms)
    assert contract.data_hash == about.hash
    assert contract.normalisation["joint_position"]["mean"] == list(about.statistics["joint_position"].mean)
    assert (contract.robot, contract.task, contract.rate) == ("g1", "reach", 50.0)


def test_the_file_brings_a_monitor_that_knows_its_demonstrations(policy_path, saved, g1):
    contract, dataset = OnnxPolicy.load(policy_path, g1).contract, load_dataset(saved)
    spec = contract.monitor
    seen = np.concatenate([np.array(dataset.observation[term.name], float) for term in contract.terms], axis=1)
    far = distance(seen, spec.mean, spec.whitening)
    assert spec.distance.episodes == len(dataset.manifest.episodes)
    assert np.mean(far <= spec.distance.hold) > 0.95
    moved = seen.copy()
    moved[:, 7:10] += [0.0, 2.0, 0.0]  # the goal, as seen from the palm; five short demonstrations make wide levels
    assert (distance(moved, spec.mean, spec.whitening) > spec.distance.hold).all()
    assert 0.0 < spec.disagreement.warning <= spec.disagreement.hold < 0.5


def test_too_few_demonstrations_are_refused(saved, run):
    dataset = load_dataset(saved)
    two = np.flatnonzero(dataset.episode < 2)
    few = dataclasses.replace(
        dataset,
        observation={name: values[two] for name, values in dataset.observation.items()},
        action=dataset.action[two],
        episode=dataset.episode[two],
        tick=dataset.tick[two],
    )
    with pytest.raises(DataError, match="2 episodes cannot calibrate"):
        make_monitor(few, run.network, MonitorConfig())


def test_inputs_carry_the_terms_names_and_a_free_batch(policy_path):
    graph = onnx.load(policy_path).graph
    assert [i.name for i in graph.input] == ["joint_position", "object_from_frame/goal/right_palm", "frame_position/right_palm"]
    assert all(i.type.tensor_type.shape.dim[0].dim_param for i in graph.input)


def test_another_robot_or_rate_is_refused(policy_path, g1):
    with pytest.raises(ContractError, match="toy"):
        OnnxPolicy.load(policy_path, load_robot("toy"))
    with pytest.raises(ContractError, match="30"):
        OnnxPolicy.load(policy_path, g1, 30.0)


def test_a_file_that_differs_from_torch_is_not_written(run, saved, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "parity", lambda *_: 2e-5)
    with pytest.raises(ContractError, match="differs from torch"):
        export_policy(run, load_dataset(saved), tmp_path / "policy.onnx", MonitorConfig(attempts=0))
    assert list(tmp_path.iterdir()) == []


def test_parity_notices_a_changed_weight(policy_path, run, saved):
    model = onnx.load(policy_path)
    weight = next(t for t in model.graph.initializer if len(t.dims) == 2)
    values = onnx.numpy_helper.to_array(weight).copy()
    values[0, 0] += 1.0
    weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
    observations = {name: np.array(v[:50]) for name, v in load_dataset(saved).observation.items()}
    assert parity(model.SerializeToString(), run.network, observations) > PARITY_TOLERANCE


def test_another_dataset_is_refused(run, saved, tmp_path):
    with pytest.raises(DataError, match="not the run's"):
        export_policy(dataclasses.replace(run, data_hash="0" * 64), load_dataset(saved), tmp_path / "policy.onnx")


def test_a_cut_policy_is_refused(policy_path, g1, tmp_path):
    (tmp_path / "policy.onnx").write_bytes(policy_path.read_bytes()[:5000])
    with pytest.raises(ContractError, match="ONNX"):
        OnnxPolicy.load(tmp_path / "policy.onnx", g1)
