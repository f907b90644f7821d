# SPDX-License-Identifier: Apache-2.0
"""Scenes and criteria of the lift and push tasks, and the experts that prove that they can be done."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from kata_model import ConfigError, RobotModel
from kata_sim import Simulation, load_sim_data, make_expert, make_task, run_rollout, tasks_of
from kata_sim.tasks import Latch, TaskSpecs
from kata_sim.tasks.specs import parse_tasks

MS = 1_000_000


@pytest.fixture(scope="module")
def scenes(g1: RobotModel) -> Iterator[Callable[[str], Simulation]]:
    """Return a maker of simulations that are built once."""
    made: dict[str, Simulation] = {}

    def make(task: str) -> Simulation:
        simulation = made.setdefault(task, made.get(task) or Simulation(g1, task=task))
        simulation.reset(0)
        return simulation

    yield make
    for simulation in made.values():
        simulation.close()


def lifted(simulation: Simulation, by: float) -> None:
    """Raise the box where it stands, and let it be judged for 1.2 s."""
    place = np.array(simulation.scene.pose("box"))
    place[2] += by
    for _ in range(600):
        simulation.scene.place("box", place)
        simulation.step()


def test_a_latch_needs_an_unbroken_while() -> None:
    latch = Latch(0.5)
    for now, holds in ((0, True), (400, True), (402, False), (404, True), (900, True)):
        latch.note(holds, now * MS)
    assert not latch.met
    latch.note(True, 904 * MS)
    latch.note(False, 906 * MS)
    assert latch.met and latch.elapsed(906 * MS) == pytest.approx(0.906)
    latch.clear(1000 * MS)
    assert not latch.met and latch.elapsed(1500 * MS) == pytest.approx(0.5)


@pytest.mark.parametrize("task", ["lift", "push"])
def test_scenes_come_to_rest_untouched_and_differ_by_seed(scenes: Callable[[str], Simulation], task: str) -> None:
    simulation, places = scenes(task), []
    for seed in range(10):
        simulation.reset(seed)
        before = simulation.objects()
        simulation.step(100)
        for name, pose in simulation.objects().items():
            np.testing.assert_allclose(pose, before[name], atol=2e-3)
        robots = simulation.model.body_rootid == simulation.model.body_rootid[simulation.model.body("torso_link").id]
        touching = [robots[simulation.model.geom_bodyid[list(contact.geom)]].any() for contact in simulation.data.contact]
        assert not any(touching)
        places.append(np.concatenate([pose[:2] for pose in before.values()]))
    assert (np.ptp(places, axis=0) > 0.01).all()


def test_lifting_counts_from_ten_centimetres(scenes: Callable[[str], Simulation]) -> None:
    lifted(simulation := scenes("lift"), 0.09)
    assert not simulation.task_state().success
    lifted(simulation, 0.03)
    assert simulation.task_state().success


def test_a_pushed_puck_must_rest_near_the_goal(scenes: Callable[[str], Simulation]) -> None:
    simulation = scenes("push")
    goal, puck = simulation.objects()["goal"], np.array(simulation.objects()["puck"])
    for off, expected in ((0.05, False), (0.035, True)):
        simulation.scene.place("puck", np.array([goal[0] + off, goal[1], *puck[2:]]))
        simulation.step(150)
        assert simulation.task_state().success is expected


def test_a_sliding_puck_has_not_arrived(scenes: Callable[[str], Simulation]) -> None:
    simulation = scenes("push")
    goal, puck = simulation.objects()["goal"], np.array(simulation.objects()["puck"])
    at = simulation.model.joint("puck").dofadr[0]
    for _ in range(150):
        simulation.scene.place("puck", np.array([*goal[:2], *puck[2:]]))
        simulation.data.qvel[at] = 0.06
        simulation.step()
    assert not simulation.task_state().success


@pytest.mark.parametrize("task", ["lift", "push"])
def test_the_expert_does_it(scenes: Callable[[str], Simulation], g1: RobotModel, task: str) -> None:
    simulation = scenes(task)
    rollouts = [
        run_rollout(simulation, make_expert(g1, task, seed), seed=seed, rate=50.0, timeout=simulation.task.timeout)
        for seed in range(2)
    ]
    assert all(rollout.success for rollout in rollouts)


def test_the_same_seed_gives_the_same_attempt(scenes: Callable[[str], Simulation], g1: RobotModel) -> None:
    first, second = (
        run_rollout(scenes("push"), make_expert(g1, "push", 1), seed=1, rate=50.0, timeout=1.5).measured for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


def test_objects_are_seen_from_a_turned_base(g1: RobotModel) -> None:
    from kata_sim import SimConfig

    simulation = Simulation(g1, SimConfig(base="floating"), task="lift")
    simulation.data.qpos[:7] = [0.3, -0.2, 1.0, np.cos(0.4), 0.0, 0.0, np.sin(0.4)]
    simulation.reset_task(np.random.default_rng(3))
    pose = np.array(simulation.objects()["box"])
    simulation.scene.place("box", pose)
    simulation.reset_task(np.random.default_rng(3))
    np.testing.assert_allclose(simulation.objects()["box"], pose, atol=1e-9)
    spec = load_sim_data(g1.description).tasks.lift
    assert spec is not None
    assert (spec.low <= pose[:2]).all() and (pose[:2] <= spec.high).all()


def test_an_unknown_task_is_refused_with_those_there_are(g1: RobotModel) -> None:
    with pytest.raises(ConfigError, match=r"no task 'juggle'.*reach, lift, push"):
        Simulation(g1, task="juggle")
    assert tasks_of(TaskSpecs()) == () and make_task(TaskSpecs()) is None


def test_scenes_without_a_table_are_refused() -> None:
    with pytest.raises(ValueError, match="need a table"):
        parse_tasks({"lift": {"half_m": [1, 1, 1]}})
