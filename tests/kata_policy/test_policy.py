# SPDX-License-Identifier: Apache-2.0
"""Observations, contracts and chunk blending."""

import json
from dataclasses import replace

import numpy as np
import pytest

from kata_model import ContractError, RobotModel, load_robot
from kata_policy import ExecutionConfig, ObservationHistory, PolicyContract, Quantisation
from kata_policy.monitor import Levels, MonitorSpec
from kata_policy.observation import CameraSpec, Observer, TermSpec
from kata_policy.onnx_policy import OnnxPolicy

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
    with pytest.raises(ContractError, match=r"old\.onnx: contract has schema version 1, this Kata reads 4 \(export .* again"):
        PolicyContract.from_json(json.dumps(old), where="old.onnx")


def test_a_contract_brings_all_that_runs_it(contract: PolicyContract) -> None:
    full = replace(
        contract,
        kind="act",
        history=2,
        cameras=(CameraSpec("head", 96, 128),),
        noise=(TermSpec("noise", (16, 7)),),
        quantisation=Quantisation("dynamic", 1.0 / 300.0, 1e-3, 100),
        execution=ExecutionConfig("receding", replan=8),
    )
    assert PolicyContract.from_json(full.to_json()) == full
    assert full.inputs["joint_position"] == ((2, 7), np.float32)
    assert full.inputs["camera.head"] == ((2, 96, 128, 3), np.uint8)
    assert full.inputs["noise"] == ((16, 7), np.float32)


def test_execution_that_makes_no_sense_is_refused(contract: PolicyContract) -> None:
    data = json.loads(contract.to_json())
    data["execution"]["mode"] = "hope"
    with pytest.raises(ContractError, match="mode is 'hope'"):
        PolicyContract.from_json(json.dumps(data))


@pytest.mark.parametrize(
    ("cameras", "shown"),
    [
        ((), "no camera"),
        ((CameraSpec("wrist", 96, 128),), r"wrist \(128×96 rgb\)"),
        ((CameraSpec("head", 96, 96),), r"head \(96×96 rgb\)"),
        ((CameraSpec("head", 96, 128, "bgr"),), r"head \(128×96 bgr\)"),
    ],
)
def test_another_camera_is_refused_and_both_are_shown(contract: PolicyContract, g1: RobotModel, cameras, shown: str) -> None:
    looking = replace(contract, cameras=(CameraSpec("head", 48, 64),))
    looking.check(g1, 50.0, (CameraSpec("head", 240, 320), CameraSpec("wrist", 8, 8)))
    with pytest.raises(ContractError, match=r"head \(64×48 rgb\), the robot has " + shown):
        looking.check(g1, 50.0, cameras)


def test_another_joint_order_is_refused_and_both_are_shown(contract: PolicyContract, g1: RobotModel) -> None:
    turned = contract.joint_names[::-1]
    with pytest.raises(ContractError, match=f"order.*{turned[0]}.*{turned[-1]}.*robot in the order.*{turned[-1]}.*{turned[0]}"):
        replace(contract, joint_names=turned).check(g1)


def test_history_repeats_the_oldest_until_there_are_enough() -> None:
    history = ObservationHistory(3)
    seen = [history.push({"x": np.array([float(i)])})["x"][:, 0].tolist() for i in range(4)]
    assert seen == [[0.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 2.0], [1.0, 2.0, 3.0]]
    history.clear()
    assert history.push({"x": np.array([9.0])})["x"][:, 0].tolist() == [9.0, 9.0, 9.0]
    assert ObservationHistory(1).push({"x": np.array([9.0])})["x"].shape == (1,)


def test_a_wrench_is_seen_as_it_is_measured(g1: RobotModel, state_at) -> None:
    observer = Observer(g1, ["wrench/left_wrist", "joint_position"], ("right_elbow_joint",))
    assert observer.wrenches == ("left_wrist",)
    assert observer.observe(state_at(), {}) is None
    seen = observer.observe(state_at(), {}, {"left_wrist": np.arange(6.0)})
    assert seen["wrench/left_wrist"].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert observer.jacobian(state_at())["wrench/left_wrist"].shape == (6, 1)


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
