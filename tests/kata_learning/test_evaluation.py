# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from kata.cli import main
from kata_learning.evaluation.evaluation import EvaluationConfig, evaluate_file, evaluate_policy
from kata_learning.evaluation.policy_loop import PolicyLoop
from kata_model import JointState
from kata_model.errors import ConfigError
from kata_policy import Certainty
from kata_policy.onnx_policy import OnnxPolicy
from kata_safety import SafetyConfig


@pytest.fixture
def policy(policy_path, g1):
    return OnnxPolicy.load(policy_path, g1)


def test_the_policy_is_asked_at_its_rate_and_the_filter_at_its_own(policy, g1, monkeypatch):
    asked = []
    monkeypatch.setattr(policy, "act", lambda observation, act=policy.act: (asked.append(1), act(observation))[1])
    loop, still = PolicyLoop(g1, policy, SafetyConfig()), np.zeros(len(g1.layout))
    for tick in range(250):
        command = loop(JointState(tick * 4_000_000, g1.rest, still, still), {"goal": np.array([0.3, -0.2, 0.1])})
        assert command is not None
    assert len(asked) == 50
    assert sum(loop.statuses.values()) == 250


@pytest.mark.parametrize("delay", [1, 3])
def test_inference_that_takes_time_shifts_nothing(policy, g1, delay):
    """The same plan for the same instants, asked `delay` steps ahead: what differs is only how old the observation is."""
    still, goal = np.zeros(len(g1.layout)), {"goal": np.array([0.3, -0.2, 0.1])}
    commands = []
    for loop in (PolicyLoop(g1, policy, SafetyConfig()), PolicyLoop(g1, policy, SafetyConfig(), delay=delay)):
        for tick in range(250):
            command = loop(JointState(tick * 4_000_000, g1.rest, still, still), goal)
        assert loop.late == 0
        commands.append(command.position)
    assert commands[1] == pytest.approx(commands[0], abs=0.05)


def test_a_vanished_object_means_hold(policy, g1):
    loop, still = PolicyLoop(g1, policy, SafetyConfig()), np.zeros(len(g1.layout))
    for tick in range(100):
        loop(JointState(tick * 4_000_000, g1.rest, still, still), {"goal": np.array([0.3, -0.2, 0.1])} if tick < 50 else {})
    assert loop.reasons["stale_target"] > 20


def test_a_goal_where_none_was_shown_holds_the_robot_until_it_is_back(policy, g1):
    loop, still, statuses = PolicyLoop(g1, policy, SafetyConfig()), np.zeros(len(g1.layout)), []
    for tick in range(250):
        goal = np.array([0.3, -0.2, 0.1 if tick < 60 or tick > 160 else 5.0])
        loop(JointState(tick * 4_000_000, g1.rest, still, still), {"goal": goal})
        statuses.append(loop.reasons["unsure_policy"])
    assert statuses[60] == 0
    assert statuses[160] >= 70, "held within 0.12 s"
    assert statuses[-1] == statuses[190], "followed again within 0.12 s"
    assert 20 <= loop.certainties[Certainty.UNSURE] <= 30


@pytest.mark.slow
def test_evaluating_twice_gives_the_same(policy, g1):
    config = EvaluationConfig(rollouts=2, timeout=1.5)
    first, second = (evaluate_policy(policy, g1, "reach", config) for _ in range(2))
    assert first == second
    assert first.numbers()["rollouts"] == 2


def test_an_unknown_task_is_refused(policy, g1):
    with pytest.raises(ConfigError, match="there is: reach"):
        evaluate_policy(policy, g1, "juggle", EvaluationConfig(rollouts=1))


@pytest.mark.slow
def test_several_at_a_time_are_the_same_bit_for_bit(policy_path, policy, g1):
    config = EvaluationConfig(rollouts=3, timeout=1.0)
    assert evaluate_file(policy_path, g1, "reach", config, jobs=2) == evaluate_policy(policy, g1, "reach", config)


def test_a_task_without_what_the_policy_observes_is_refused_in_one_line(policy_path, capsys):
    assert main(["evaluate", str(policy_path), "--task", "lift", "--rollouts", "1"]) == 2
    said = capsys.readouterr().err.strip()
    assert "observes goal; lift shows box" in said
    assert len(said.splitlines()) == 1
