# SPDX-License-Identifier: Apache-2.0
"""Every kind of policy as an ONNX graph, with a contract, in float32 and int8."""

import dataclasses
import json

import numpy as np
import onnx
import pytest
import torch
from policy_makers import batch_for, inputs_of, make_policy_of, scaling_for

from kata.cli import main
from kata_data.dataset import load_dataset
from kata_learning.evaluation.choosing import Trial, best_trial
from kata_learning.export.exporting import PARITY_TOLERANCE, Graph, make_graph, make_int8, write_graph
from kata_learning.export.onnx_graph import onnx_answers, parity, to_onnx
from kata_learning.export.recorded import recorded_inputs
from kata_learning.policies import POLICIES, make_policy
from kata_learning.policies.config import DiffusionConfig, DiffusionUnetConfig, VisionConfig
from kata_learning.policies.spec import PolicySpec
from kata_learning.training.run_folder import Run
from kata_model.errors import ContractError
from kata_policy import ObservationHistory, RuntimeConfig
from kata_policy.latency import likely_observations, measure_latency
from kata_policy.observation import CameraSpec, TermSpec
from kata_policy.onnx_policy import OnnxPolicy


@pytest.mark.parametrize("kind", POLICIES)
def test_onnx_computes_what_torch_does_for_any_batch(kind):
    policy = make_policy_of(kind)
    names = [term.name for term in policy.inputs]
    model = to_onnx(policy)
    onnx.checker.check_model(model, full_check=True)
    for size in (1, 5):
        values = inputs_of(policy, batch_for(policy.spec, size, seed=size), seed=size)
        inputs = {name: value.numpy() for name, value in zip(names, values, strict=True)}
        assert parity(model.SerializeToString(), policy, inputs) <= PARITY_TOLERANCE


@pytest.fixture(scope="module")
def looking(pictured) -> tuple[Graph, Run]:
    """Return a policy that looks back, through a camera, and takes noise, exported from a dataset with pictures."""
    dataset = load_dataset(pictured)
    about = dataset.manifest
    terms = tuple(TermSpec(name, shape) for name, shape in about.terms.items())
    height, width, _ = about.cameras["head"]
    spec = PolicySpec(terms, about.joint_names, 6, about.rate, 2, (CameraSpec("head", height, width),))
    eyes = VisionConfig(width=4, stages=2, feature=8)
    torch.manual_seed(0)
    policy = make_policy(
        "diffusion_unet",
        spec,
        DiffusionUnetConfig(width=16, levels=2, embedding=16, diffusion=DiffusionConfig(steps=3, temperature=1.0), vision=eyes),
        scaling_for(spec),
    )
    run = Run(policy.eval(), pictured, about.hash, "test")
    return make_graph(run, dataset), run


@pytest.fixture(scope="module")
def looking_file(looking, tmp_path_factory):
    path = tmp_path_factory.mktemp("looking") / "policy.onnx"
    write_graph(looking[0], path)
    return path


def test_a_file_answers_as_torch_does_on_what_was_recorded(looking, looking_file):
    graph, run = looking
    dataset, policy = load_dataset(run.data), OnnxPolicy.open(looking_file)
    policy.reset(3)
    noise = torch.from_numpy(np.random.default_rng(3).standard_normal((1, *run.network.noise[0].shape), dtype=np.float32))
    recorded = recorded_inputs(dataset, run.network, np.array([4, 9]))
    for row in range(2):
        seen = {name: values[row] for name, values in recorded.items() if name != "noise"}
        with torch.no_grad():
            ours = run.network(*(torch.from_numpy(value)[None] for value in seen.values()), noise)[0].numpy()
        np.testing.assert_allclose(policy.act(seen), ours, atol=PARITY_TOLERANCE)
    assert graph.difference <= PARITY_TOLERANCE


def test_the_same_seed_gives_the_same_chunk_and_another_seed_another(looking_file):
    policy = OnnxPolicy.open(looking_file)
    seen = likely_observations(policy.contract, 1, np.random.default_rng(0))[0]
    first, again = policy.act(seen), policy.act(seen)
    policy.reset(1)
    other = policy.act(seen)
    policy.reset(0)
    assert np.array_equal(first, again)
    assert np.array_equal(first, policy.act(seen))
    assert np.abs(first - other).max() > 1e-3


def test_history_stacked_at_run_time_is_what_training_saw(looking):
    _, run = looking
    dataset, history = load_dataset(run.data), ObservationHistory(2)
    names = [term.name for term in run.network.spec.terms]
    trained = recorded_inputs(dataset, run.network, np.arange(4))
    for step in range(4):
        stacked = history.push({name: np.asarray(dataset.observation[name][step]) for name in names})
        assert all(np.array_equal(stacked[name], trained[name][step]) for name in names)


def test_a_wrong_shape_is_refused_with_both(looking_file):
    policy = OnnxPolicy.open(looking_file)
    seen = likely_observations(policy.contract, 1, np.random.default_rng(0))[0]
    with pytest.raises(ContractError, match=r"camera.head has shape \(2, 8, 8, 3\), the policy takes \(2, 48, 64, 3\)"):
        policy.act({**seen, "camera.head": np.zeros((2, 8, 8, 3), np.uint8)})


def test_a_provider_that_is_not_there_is_refused(looking_file):
    with pytest.raises(ContractError, match=r"has no CUDAExecutionProvider, it has .*CPU"):
        OnnxPolicy.open(looking_file, RuntimeConfig("cuda"))


@pytest.mark.parametrize("method", ["dynamic", "static"])
def test_int8_is_smaller_and_says_how_far_it_is_off(run, saved, tmp_path, method):
    dataset = load_dataset(saved)
    graph = make_graph(run, dataset)
    smaller = make_int8(graph, run, dataset, method)
    cost = smaller.contract.quantisation
    assert cost.method == method
    assert 0.0 < cost.error_mean <= cost.error_max < 0.1
    assert graph.contract.quantisation is None
    write_graph(smaller, tmp_path / "int8.onnx")
    policy, recorded = OnnxPolicy.open(tmp_path / "int8.onnx"), recorded_inputs(dataset, run.network, np.array([3]))
    expected = onnx_answers(graph.model.SerializeToString(), recorded)[0]
    assert np.abs(policy.act({name: values[0] for name, values in recorded.items()}) - expected).max() < 0.1


def test_int8_is_taken_only_where_it_succeeds_no_less_often():
    full, slow, worse = Trial("float32", 18, 20, 50e-6), Trial("static", 19, 20, 60e-6), Trial("dynamic", 17, 20, 20e-6)
    assert best_trial([full, slow, worse]) is full
    assert best_trial([full, slow, dataclasses.replace(worse, successes=18)]).name == "dynamic"


def test_latency_counts_what_it_says(looking_file):
    latency = measure_latency(OnnxPolicy.open(looking_file), 5)
    assert latency.count == 5
    assert 0.0 < latency.p50 <= latency.p99


def test_info_prints_the_contract(looking_file, capsys):
    assert main(["policy", "info", str(looking_file)]) == 0
    text = capsys.readouterr().out
    for part in ("diffusion_unet, float32", "head 64×48 rgb", "2 observations", "noise (6×6)", "50 Hz"):
        assert part in text
    assert main(["policy", "info", str(looking_file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["contract"]["history"] == 2


def test_bench_prints_both_percentiles(looking_file, capsys):
    assert main(["policy", "bench", str(looking_file), "--count", "3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["p50"] <= found["p99"]
    assert main(["policy", "bench", str(looking_file), "--count", "0"]) == 2
