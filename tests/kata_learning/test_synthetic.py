# SPDX-License-Identifier: Apache-2.0
"""Demonstrations done again: the path against its geometry, and a whole one in simulation."""

import numpy as np
import pytest

from kata_data.dataset.assemble import assemble, episodes_of
from kata_learning.augmentation.demonstrated_skill import DemonstratedSkill, Shown
from kata_learning.augmentation.in_memory_recorder import ActionNoise, InMemoryRecorder, manifest_of
from kata_learning.augmentation.synthetic import synthesize
from kata_model.errors import DataError
from kata_sim import Simulation, run_rollout

RATE = 10.0


def pose(*place, yaw=0.0):
    return np.array([*place, 0.0, 0.0, np.sin(yaw / 2.0), np.cos(yaw / 2.0)])


def pushed() -> Shown:
    """Return a palm that goes to a puck at (0.3, 0, 0) and brings it to a goal at (0.3, 0.2, 0)."""
    approach = np.linspace([0.2, -0.3, 0.1], [0.3, -0.1, 0.0], 11)
    push = np.linspace([0.3, -0.1, 0.0], [0.3, 0.1, 0.0], 11)[1:]
    path = np.concatenate([approach, push])
    puck = np.array([[0.3, max(0.0, y + 0.1), 0.0, 0.0] for _, y, _ in path])
    puck[:11, 1] = 0.0
    goal = np.tile([0.3, 0.2, 0.0, 0.0], (len(path), 1))
    hand = np.column_stack([path, np.tile([0.0, 0.0, 0.0, 1.0], (len(path), 1))])
    return Shown(RATE, {"right_hand": hand}, {"puck": puck, "goal": goal})


def led(replay, objects, start, count=21):
    replay.begin(objects, {"right_hand": start}, 0)
    return np.array([replay.wish(objects, {}, round(i / RATE * 1e9))["right_hand"] for i in range(count)])


def test_in_the_same_scene_the_path_is_the_same():
    shown = pushed()
    path = led(
        DemonstratedSkill(shown, ("puck", "goal")),
        {"puck": pose(0.3, 0.0, 0.0), "goal": pose(0.3, 0.2, 0.0)},
        pose(0.2, -0.3, 0.1),
    )
    np.testing.assert_allclose(path, shown.hands["right_hand"], atol=1e-9)


def test_the_push_begins_behind_the_puck_and_ends_at_the_goal_wherever_they_are():
    """The way is turned by a right angle and half as long again."""
    objects = {"puck": pose(0.1, 0.1, 0.0), "goal": pose(0.4, 0.1, 0.0)}
    path = led(DemonstratedSkill(pushed(), ("puck", "goal")), objects, pose(0.2, -0.3, 0.1))
    np.testing.assert_allclose(path[0, :3], [0.2, -0.3, 0.1], atol=1e-9)
    np.testing.assert_allclose(path[11, :3], [0.02 + 0.01, 0.1, 0.0], atol=0.02)
    np.testing.assert_allclose(path[-1, :3], [0.3, 0.1, 0.0], atol=1e-9)
    np.testing.assert_allclose(path[-1, 3:], pose(0, 0, 0, yaw=-np.pi / 2)[3:], atol=1e-9)
    assert np.linalg.norm(np.diff(path[:, :3], axis=0), axis=1).max() < 0.1


@pytest.mark.slow
def test_a_reach_is_done_again_elsewhere_and_trains_like_a_shown_one(dataset, g1):
    made = synthesize(dataset, g1, 1, seed=3)
    new = episodes_of(made.dataset)[-1]
    assert made.made == 1 <= made.tried
    assert new.entry.split == "train"
    assert "again" in new.entry.bag
    assert len(made.dataset.manifest.episodes) == len(dataset.manifest.episodes) + 1
    assert set(new.sensitivity) == set(dataset.sensitivity)
    reached = new.observation["object_from_frame/goal/right_palm"][-1]
    assert np.linalg.norm(reached) < 0.02


def test_a_task_that_nobody_can_do_again_is_refused(dataset, g1):
    import dataclasses

    other = dataclasses.replace(dataset, manifest=dataclasses.replace(dataset.manifest, task="juggle"))
    with pytest.raises(DataError, match="no replay of 'juggle'"):
        synthesize(other, g1, 1)


def test_what_is_noted_is_what_was_meant_not_the_noise(g1):
    about = manifest_of(g1, "reach", ("joint_position",), g1.description.groups["right_arm"], 50.0)
    still = np.zeros(len(g1.layout))
    from kata_model import JointCommand

    def hold(state, objects):
        return JointCommand(state.stamp, g1.rest, still, still, g1.stiffness, g1.damping)

    simulation = Simulation(g1)
    recorder = InMemoryRecorder(g1, hold, about, ActionNoise(0.05), seed=1)
    rollout = run_rollout(simulation, recorder, seed=0, timeout=0.4)
    simulation.close()
    steps = recorder.steps("still", "hold", success=rollout.success)
    index = g1.layout.indices(about.joint_names)
    np.testing.assert_allclose(steps.action, np.tile(g1.rest[index], (20, 1)), atol=1e-6)
    assert np.abs(steps.observation["joint_position"] - g1.rest[index]).max() > 0.01
    assert len(assemble(about, [steps], None)) == 20
