# SPDX-License-Identifier: Apache-2.0
"""Observations, contracts and chunk blending."""

import json
from dataclasses import replace

import numpy as np
import pytest

from kata_core import ContractError, RobotModel, load_robot
from kata_core.observation import Observer, TermSpec
from kata_core.policy import PolicyContract, TemporalEnsemble
from kata_core.policy.monitor import Levels, MonitorSpec
from kata_core.policy.onnx_policy import OnnxPolicy

TERMS = (
    "joint_position",
    "joint_velocity",
    "frame_position/right_palm",
    "object_position/goal",
    "object_from_frame/goal/right_palm",
)


@pytest.fixture
def contract(g1: RobotModel) -> PolicyContract:
    joints = g1.description.groups["right_arm"]
    index = g1.layout.indices(joints)
    return PolicyContract(
        robot="g1",
        task="reach",
        joint_names=joints,
        terms=(TermSpec("joint_position", (7,)), TermSpec("object_position/goal", (3,))),
        rate=50.0,
        horizon=16,
        action_kind="joint_position",
        normalisation={"joint_position": {"mean": [0.1] * 7, "std": [1.0 / 3.0] * 7}},
        stiffness=tuple(map(float, g1.stiffness[index])),
        damping=tuple(map(float, g1.damping[index])),
        data_hash="sha256:0",
        commit="0",
    )


def test_terms_hold_what_they_say(g1: RobotModel, state_at) -> None:
    joints = g1.description.groups["right_arm"]
    observer = Observer(g1, TERMS, joints)
    goal, state = np.array([0.3, -0.2, 0.1]), state_at()
    seen = observer.observe(state, {"goal": goal})
    palm = g1.frame_poses(g1.rest, ("right_palm",))[0].translation
    assert [t.name for t in observer.terms] == list(TERMS)
    assert {name: v.shape for name, v in seen.items()} == {t.name: t.shape for t in observer.terms}
    assert seen["joint_position"] == pytest.approx(g1.rest[g1.layout.indices(joints)].astype(np.float32))
    assert seen["frame_position/right_palm"] == pytest.approx(palm, abs=1e-6)
    assert seen["object_from_frame/goal/right_palm"] == pytest.approx(goal - palm, abs=1e-6)


def test_a_missing_object_gives_no_observation(g1: RobotModel, state_at) -> None:
    assert Observer(g1, TERMS, ("right_elbow_joint",)).observe(state_at(), {}) is None


@pytest.mark.parametrize("term", ["nonsense", "frame_position", "object_from_frame/goal", "frame_position/", "frame_position/x"])
def test_unknown_terms_are_refused(g1: RobotModel, term: str) -> None:
    with pytest.raises(ContractError):
        Observer(g1, [term], ("right_elbow_joint",))


def test_a_contract_survives_json_to_the_last_digit(contract: PolicyContract) -> None:
    assert PolicyContract.from_json(contract.to_json()) == contract


def test_a_contract_brings_its_monitor(contract: PolicyContract) -> None:
    monitor = MonitorSpec(np.full(10, 0.1), np.eye(10) / 3.0, Levels(1.0, 1.0 / 0.3, 40), None, 5, 0.1, 0.01)
    again = PolicyContract.from_json(replace(contract, monitor=monitor).to_json())
    assert again.monitor is not None
    assert again.monitor.to_mapping() == monitor.to_mapping()
    assert replace(again, monitor=None) == contract


def test_a_file_of_an_older_kata_is_refused_with_what_to_do(contract: PolicyContract) -> None:
    old = {**json.loads(contract.to_json()), "schema_version": 1}
    del old["monitor"]
    with pytest.raises(ContractError, match=r"old\.onnx: contract has schema version 1, this Kata reads 2 \(export .* again"):
        PolicyContract.from_json(json.dumps(old), where="old.onnx")


def test_a_monitor_that_makes_no_sense_is_refused(contract: PolicyContract) -> None:
    data = json.loads(contract.to_json())
    data["monitor"] = {"mean": [0.0], "whitening": [[1.0, 2.0]]}
    with pytest.raises(ContractError, match="unreadable contract"):
        PolicyContract.from_json(json.dumps(data))


def test_a_fitting_robot_passes(contract: PolicyContract, g1: RobotModel) -> None:
    contract.check(g1, 50.0)


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"joint_names": ("left_claw",)}, "left_claw"),
        ({"robot": "talos"}, "talos"),
        ({"rate": 30.0}, "30.0 Hz"),
        ({"stiffness": (1.0,) * 7}, "stiffness"),
        ({"action_kind": "torque"}, "torque"),
    ],
)
def test_what_does_not_fit_is_refused_and_shown(contract: PolicyContract, g1: RobotModel, change: dict, shown: str) -> None:
    with pytest.raises(ContractError, match=shown):
        replace(contract, **change).check(g1, 50.0)


def test_another_robot_is_shown_with_both_joint_lists(contract: PolicyContract) -> None:
    toy = load_robot("toy")
    with pytest.raises(ContractError, match=r"right_elbow_joint.*" + toy.layout.names[0]):
        contract.check(toy)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"schema_version": 99}', "null"])
def test_unreadable_contracts_are_refused(text: str) -> None:
    with pytest.raises(ContractError):
        PolicyContract.from_json(text)


def test_files_that_are_no_policy_are_refused(tmp_path, g1: RobotModel) -> None:
    broken, other = tmp_path / "broken.onnx", tmp_path / "other.onnx"
    broken.write_bytes(b"this is no graph")
    other.write_bytes(b"x\n")  # begins like a graph
    for path in (broken, other, tmp_path / "missing.onnx"):
        with pytest.raises(ContractError, match=path.name):
            OnnxPolicy.load(path, g1)


def test_agreeing_chunks_blend_to_themselves() -> None:
    ensemble, path = TemporalEnsemble(4, 0.1), np.arange(20.0)[:, None]
    for t in range(10):
        assert ensemble.push(path[t : t + 4]) == pytest.approx(path[t])


def test_blending_has_no_jump_where_chunks_disagree() -> None:
    ensemble = TemporalEnsemble(8, 0.0)
    for _ in range(8):
        before = ensemble.push(np.zeros((8, 1)))
    after = ensemble.push(np.ones((8, 1)))
    assert abs(after - before)[0] == pytest.approx(1 / 8)
    ensemble.clear()
    assert ensemble.push(np.ones((8, 1))) == pytest.approx([1.0])
