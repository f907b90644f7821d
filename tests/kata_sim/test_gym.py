# SPDX-License-Identifier: Apache-2.0
"""The Gymnasium environments keep Gymnasium's promises, and experts succeed in them."""

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from kata_model import ConfigError, load_robot
from kata_sim import make_expert
from kata_sim.gym import TaskEnv, TaskEnvConfig, register


@pytest.mark.parametrize(("task", "kind"), [("reach", "state"), ("lift", "state"), ("push", "pixels")])
def test_gymnasium_finds_nothing_wrong(task: str, kind: str) -> None:
    env = TaskEnv(task, TaskEnvConfig(observation=kind, width=64, height=48), render_mode="rgb_array")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*(infinity|unbounded|-inf|inf).*")
        check_env(env, skip_render_check=True)
    picture = env.render()
    assert picture is not None and picture.shape == (48, 64, 3)
    env.close()


def test_an_expert_is_rewarded_once_and_ends_the_episode() -> None:
    register()
    env = gymnasium.make("Kata/Reach-v0")
    inner = env.unwrapped
    assert isinstance(inner, TaskEnv)
    env.reset(seed=4)
    expert, rewards, terminated, truncated = make_expert(load_robot("g1"), "reach"), [], False, False
    while not (terminated or truncated):
        command = expert(inner.simulation.joint_state(), inner.simulation.objects())
        assert command is not None
        _, reward, terminated, truncated, facts = env.step(inner.action_of(command))
        rewards.append(reward)
    assert terminated and facts["success"]
    assert sum(map(float, rewards)) == 1.0 and float(rewards[-1]) == 1.0
    env.close()


def test_doing_nothing_is_cut_off_in_time() -> None:
    env = TaskEnv("reach")
    env.reset(seed=0)
    rest = env.action_of(make_expert(load_robot("g1"), "reach")(env.simulation.joint_state(), env.simulation.objects()))
    steps, truncated = 0, False
    while not truncated and steps < 400:
        _, _, terminated, truncated, _ = env.step(np.asarray(rest))
        assert not terminated
        steps += 1
    assert steps == 300
    env.close()


def test_an_unknown_kind_of_observation_is_refused() -> None:
    with pytest.raises(ConfigError, match="smell"):
        TaskEnv("reach", TaskEnvConfig(observation="smell"))
