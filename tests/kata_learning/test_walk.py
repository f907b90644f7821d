# SPDX-License-Identifier: Apache-2.0
"""Walking students: what an expert's file must say, what it is shown, and what cloning makes of it; the expert is made here."""

import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from kata_learning.walk import Gait, GaitFacts, StudentConfig, collect_labels, load_expert, survival, train_student
from kata_learning.walk.gait import ACTIONS, OBSERVATION, STANCE_HEIGHT
from kata_model import load_robot
from kata_model.errors import ConfigError, DataError
from kata_sim import WalkConfig, WalkScene

RATE = 50.0
STILL = WalkConfig(forward=0.0, sideways=0.0, turn=0.0)


@pytest.fixture(scope="module")
def robot():
    return load_robot("g1")


@pytest.fixture(scope="module")
def facts(robot):
    """Return what an expert's file would say: the joints in another order than the robot's, stiff legs."""
    names = tuple(reversed(robot.layout.names))
    index = robot.layout.indices(names)
    return GaitFacts(names, robot.stiffness[index], robot.damping[index])


@pytest.fixture(scope="module")
def expert():
    """Return a person who leans against the way that the robot falls: enough to be cloned, too little to walk."""
    matrix = np.random.default_rng(0).normal(0.0, 0.05, (ACTIONS, OBSERVATION)).astype(np.float32)
    return lambda observation: np.tanh(matrix @ observation)


def write_expert(path, names, shape=(OBSERVATION, ACTIONS), gains=None):
    weights = numpy_helper.from_array(np.zeros(shape, np.float32), "weights")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["obs", "weights"], ["action"])],
        "expert",
        [helper.make_tensor_value_info("obs", TensorProto.FLOAT, [1, shape[0]])],
        [helper.make_tensor_value_info("action", TensorProto.FLOAT, [1, shape[1]])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    gains = [1.0] * len(names) if gains is None else gains
    helper.set_model_props(model, {"dof_names": json.dumps(names), "kp": json.dumps(gains), "kd": json.dumps(gains)})
    onnx.save(model, path)
    return path


def test_an_expert_s_file_says_joints_and_gains(robot, tmp_path):
    act, facts = load_expert(write_expert(tmp_path / "expert.onnx", list(robot.layout.names)))
    assert facts.joint_names == robot.layout.names
    np.testing.assert_array_equal(act(np.ones(OBSERVATION, np.float32)), np.zeros(ACTIONS))


@pytest.mark.parametrize("make", ["no file", "no model", "other shape", "gains too few", "no metadata"])
def test_what_is_no_expert_is_refused_in_one_line(robot, tmp_path, make):
    path, names = tmp_path / "expert.onnx", list(robot.layout.names)
    if make == "no model":
        path.write_bytes(b"not a network")
    elif make == "other shape":
        write_expert(path, names, shape=(99, ACTIONS))
    elif make == "gains too few":
        write_expert(path, names, gains=[1.0])
    elif make == "no metadata":
        model = onnx.load(write_expert(path, names))
        del model.metadata_props[:]
        onnx.save(model, path)
    with pytest.raises(DataError) as found:
        load_expert(path)
    assert str(path) in str(found.value) and "\n" not in str(found.value)


def test_other_joints_are_named(robot, facts):
    with pytest.raises(ConfigError, match="tail_joint"):
        Gait(robot.layout, replace(facts, joint_names=("tail_joint", *facts.joint_names[1:])), RATE)


def test_actions_and_observations_go_by_the_joints_names(robot, facts):
    gait, scene = Gait(robot.layout, facts, RATE), WalkScene(robot, STILL)
    stride = scene.reset(0, gait.posture, STANCE_HEIGHT)
    action = np.zeros(ACTIONS, np.float32)
    action[facts.joint_names.index("left_knee_joint")] = 1.0
    command = gait.act(action, 7)
    moved = command.position - gait.posture
    assert command.stamp == 7
    assert moved[robot.layout.names.index("left_knee_joint")] == pytest.approx(0.25) and np.count_nonzero(moved) == 1
    np.testing.assert_array_equal(command.stiffness, robot.stiffness)
    bent = gait.posture.copy()
    bent[robot.layout.names.index("right_elbow_joint")] += 0.1
    seen = gait.observe(replace(stride, joints=replace(stride.joints, position=bent)))
    assert seen.shape == (OBSERVATION,) and seen.dtype == np.float32
    np.testing.assert_array_equal(seen[:ACTIONS], action)
    offsets = seen[ACTIONS + 3 + 1 + 2 + 2 :][: len(facts.joint_names)]
    assert offsets[facts.joint_names.index("right_elbow_joint")] == pytest.approx(0.1, abs=1e-6)
    assert np.count_nonzero(np.abs(offsets) > 1e-6) == 1


def test_a_gait_lasts_a_second_and_feet_take_turns(robot, facts):
    gait, scene = Gait(robot.layout, facts, RATE), WalkScene(robot, STILL)
    stride = scene.reset(0, gait.posture, STANCE_HEIGHT)
    walking = replace(stride, command=np.array([0.5, 0.0, 0.0]))
    at = ACTIONS + 6  # after the last action, turn and command: the cosines of both feet's phases
    cosines = np.array([gait.observe(walking)[at : at + 2] for _ in range(round(RATE))])
    np.testing.assert_allclose(cosines[:, 0], -cosines[:, 1], atol=1e-5)
    np.testing.assert_allclose(cosines[-1], [1.0, -1.0], atol=1e-5)
    assert (np.sign(cosines[:, 0]) < 0).sum() == pytest.approx(RATE / 2, abs=1)
    np.testing.assert_allclose(gait.observe(stride)[at : at + 2], -1.0, atol=1e-6)  # told to stand, both feet are down


def test_the_scene_senses_gravity_pushes_and_falls(robot, facts):
    gait = Gait(robot.layout, facts, RATE)
    pushed, calm = (WalkScene(robot, replace(STILL, push=push, push_every=0.5)) for push in (60.0, 0.0))
    for scene in (pushed, calm):
        stride = scene.reset(3, gait.posture, STANCE_HEIGHT)
        np.testing.assert_allclose(stride.gravity, [0.0, 0.0, -1.0], atol=1e-9)
        assert not scene.fallen
    lasted = []
    for scene in (pushed, calm):
        steps = 0
        while not scene.fallen:
            stride = scene.step(gait.act(np.zeros(ACTIONS, np.float32), stride.joints.stamp))
            steps += 1
        lasted.append(steps)
    assert 25 < lasted[0] < lasted[1], "a posture that is only held falls by itself, and sooner when it is pushed"


def test_labels_are_the_expert_s_own_whatever_is_carried_out(robot, facts, expert):
    config = StudentConfig(labels=120, seconds=1.0, seed=5)
    clean, again = (collect_labels(robot, expert, facts, STILL, config) for _ in range(2))
    noisy = collect_labels(robot, expert, facts, STILL, replace(config, noise=1.0))
    np.testing.assert_array_equal(clean.observation, again.observation)
    assert clean.observation.shape == (120, OBSERVATION) and clean.action.shape == (120, ACTIONS)
    for labels in (clean, noisy):
        np.testing.assert_allclose(labels.action, [expert(row) for row in labels.observation], atol=1e-6)
    assert np.abs(noisy.observation[1] - clean.observation[1]).max() > 0.1, "noise shows in what comes next"
    spread = [labels.observation[:, ACTIONS + 8 :].std(axis=0).mean() for labels in (clean, noisy)]
    assert spread[1] > spread[0], "a disturbed expert shows more of the world"


def test_a_student_learns_its_labels_and_equal_seeds_equal_students(robot, facts, expert):
    labels = collect_labels(robot, expert, facts, STILL, StudentConfig(labels=300, seconds=1.0, noise=0.5))
    config = StudentConfig(epochs=80, hidden=32, batch=50)
    (student, loss), (twin, _) = train_student(labels, config), train_student(labels, config)
    untaught = float(np.mean((labels.action - labels.action.mean(0)) ** 2))
    assert loss < 0.1 * untaught, (loss, untaught)
    row = labels.observation[37]
    np.testing.assert_array_equal(student(row), twin(row))
    np.testing.assert_allclose(student(row), labels.action[37], atol=0.3)


def test_survival_is_the_time_to_the_fall_and_follows_from_the_seed(robot, facts):
    stands = lambda _: np.zeros(ACTIONS, np.float32)  # noqa: E731
    walked = []
    calm = survival(robot, stands, facts, STILL, (1, 2), walked.append, seconds=0.4)
    np.testing.assert_array_equal(calm, [0.4, 0.4])
    assert walked == calm.tolist()
    hard = replace(STILL, push=80.0, push_every=0.5)
    fell = survival(robot, stands, facts, hard, (1, 2), seconds=3.0)
    assert (fell < 2.0).all() and (fell > 0.5).all()
    np.testing.assert_array_equal(fell, survival(robot, stands, facts, hard, (1, 2), seconds=3.0))
