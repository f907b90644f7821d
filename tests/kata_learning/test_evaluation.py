# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from kata_core import JointState
from kata_core.errors import DataError
from kata_core.policy import Certainty
from kata_core.policy.onnx_policy import OnnxPolicy
from kata_core.safety import SafetyConfig
from kata_learning.evaluation import EvaluationConfig, evaluate_policy
from kata_learning.policy_loop import PolicyLoop


@pytest.fixture
def policy(policy_path, g1):
    return OnnxPolicy.load(policy_path, g1)


def test_the_policy_is_asked_at_its_rate_and_the_filter_at_its_own(policy, g1, monkeypatch):
    asked = []
    monkeypatch.setattr(policy, "act", lambda observation, act=policy.act: (asked.append(1), act(observation))[1])
    loop, still = PolicyLoop(g1, policy, SafetyConfig(), 0.01), np.zeros(len(g1.layout))
    for tick in range(250):
        command = loop(JointState(tick * 4_000_000, g1.rest, still, still), {"goal": np.array([0.3, -0.2, 0.1])})
        assert command is not None
    assert len(asked) == 50
    assert sum(loop.statuses.values()) == 250


def test_a_vanished_object_means_hold(policy, g1):
    loop, still = PolicyLoop(g1, policy, SafetyConfig(), 0.01), np.zeros(len(g1.layout))
    for tick in range(100):
        loop(JointState(tick * 4_000_000, g1.rest, still, still), {"goal": np.array([0.3, -0.2, 0.1])} if tick < 50 else {})
    assert loop.reasons["stale_target"] > 20


def test_a_goal_where_none_was_shown_holds_the_robot_until_it_is_back(policy, g1):
    loop, still, statuses = PolicyLoop(g1, policy, SafetyConfig(), 0.01), np.zeros(len(g1.layout)), []
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
    with pytest.raises(DataError, match="there is: reach"):
        evaluate_policy(policy, g1, "juggle", EvaluationConfig(rollouts=1))
