# SPDX-License-Identifier: Apache-2.0
"""The reach task's goals and criterion, and the scripted expert that proves it can be done."""

from dataclasses import dataclass, field
from itertools import product

import numpy as np
import pytest

from kata_model import RobotError, RobotModel
from kata_sim import GoalBox, ReachExpert, Simulation, load_sim_data, run_rollout
from kata_sim.tasks.reach import ReachTask

MS = 1_000_000
BOX = GoalBox("palm", np.array([0.2, -0.3, 0.0]), np.array([0.4, -0.1, 0.2]))


@dataclass
class Palm:
    """A world in which the palm is wherever it is put."""

    at: np.ndarray = field(default_factory=lambda: np.zeros(3))

    def frame_position(self, frame: str) -> np.ndarray:
        return self.at

    def place(self, body: str, pose: np.ndarray) -> None:
        assert body == "goal" and pose.shape == (7,)


@pytest.fixture
def task() -> ReachTask:
    task = ReachTask(BOX)
    task.reset(np.random.default_rng(0), Palm(), 0)
    return task


def test_success_needs_half_a_second_near_the_goal(task: ReachTask) -> None:
    near = task.goal + np.array([0.0199, 0.0, 0.0])
    task.update(Palm(near), 100 * MS)
    task.update(Palm(near), 599 * MS)
    assert not task.state(Palm(), 599 * MS).success
    task.update(Palm(near), 600 * MS)
    assert task.state(Palm(), 600 * MS).success


def test_leaving_the_goal_starts_the_wait_anew(task: ReachTask) -> None:
    task.update(Palm(task.goal), 0)
    task.update(Palm(task.goal + np.array([0.0, 0.0201, 0.0])), 300 * MS)
    task.update(Palm(task.goal), 302 * MS)
    task.update(Palm(task.goal), 600 * MS)
    assert not task.state(Palm(), 600 * MS).success


def test_nan_is_far(task: ReachTask) -> None:
    task.update(Palm(task.goal), 0)
    task.update(Palm(np.full(3, np.nan)), 300 * MS)
    task.update(Palm(task.goal), 600 * MS)
    assert not task.state(Palm(), 600 * MS).success


def test_success_is_latched_until_a_reset(task: ReachTask) -> None:
    task.update(Palm(task.goal), 0)
    task.update(Palm(task.goal), 500 * MS)
    task.update(Palm(np.zeros(3)), 502 * MS)
    assert task.state(Palm(), 502 * MS).success
    task.reset(np.random.default_rng(1), Palm(), 600 * MS)
    assert not task.state(Palm(), 700 * MS).success
    assert task.state(Palm(), 700 * MS).elapsed == pytest.approx(0.1)


def test_goals_lie_in_the_box_and_away_from_the_palm(task: ReachTask) -> None:
    rng, palm = np.random.default_rng(2), np.array([0.3, -0.2, 0.1])
    for _ in range(200):
        task.reset(rng, Palm(palm), 0)
        assert (task.goal >= BOX.low).all()
        assert (task.goal <= BOX.high).all()
        assert np.linalg.norm(task.goal - palm) >= 0.08


def test_a_box_too_small_for_the_distance_still_gives_a_goal() -> None:
    task = ReachTask(GoalBox("palm", np.zeros(3), np.full(3, 0.01)))
    task.reset(np.random.default_rng(0), Palm(), 0)
    assert (task.goal <= 0.01).all()


def test_the_expert_reaches_every_goal(simulation: Simulation, g1: RobotModel) -> None:
    rollouts = [run_rollout(simulation, ReachExpert(g1, "right_palm"), seed=seed, rate=50.0, timeout=4.0) for seed in range(5)]
    assert [rollout.success for rollout in rollouts] == [True] * 5
    assert all(0.5 < rollout.elapsed < 3.0 for rollout in rollouts)


def test_the_corners_of_the_box_are_reached_without_contact(simulation: Simulation, g1: RobotModel) -> None:
    box = load_sim_data(g1.description).tasks.reach
    assert box is not None
    for corner in product(*zip(box.low, box.high, strict=True)):
        expert, goal = ReachExpert(g1, box.frame), {"goal": np.array([*corner, 0, 0, 0, 1])}
        run_rollout(simulation, lambda state, _, act=expert, goal=goal: act(state, goal), seed=0, rate=50.0, timeout=2.0)
        assert np.linalg.norm(simulation.frame_position(box.frame) - corner) < 0.01, corner
        assert simulation.data.ncon == 0, corner


def test_a_rollout_without_motion_fails_at_the_timeout(simulation: Simulation, g1: RobotModel) -> None:
    rollout = run_rollout(simulation, lambda state, objects: None, seed=0, rate=100.0, timeout=0.3)
    assert not rollout.success
    assert rollout.elapsed == pytest.approx(0.3)
    assert rollout.measured.shape == (30, len(g1.layout))
    assert np.isnan(rollout.commanded).all()


def test_a_rate_that_does_not_divide_physics_is_refused(simulation: Simulation) -> None:
    with pytest.raises(ValueError, match="does not divide"):
        run_rollout(simulation, lambda state, objects: None, seed=0, rate=60.0)


def test_an_expert_needs_a_hand(g1: RobotModel) -> None:
    with pytest.raises(RobotError, match="no hand"):
        ReachExpert(g1, "left_toe")
