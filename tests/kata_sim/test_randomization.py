# SPDX-License-Identifier: Apache-2.0
"""Domain randomisation: seeded, bounded, from the built model each time, and off by default."""

import numpy as np
import pytest

from kata_model import JointCommand, RobotModel
from kata_sim import Randomization, Simulation

ALL = Randomization(
    mass=0.2,
    friction=0.3,
    delay=0.04,
    position_noise=0.01,
    velocity_noise=0.1,
    light=0.3,
    camera_shift=0.02,
    camera_turn=0.05,
)


@pytest.fixture(scope="module")
def varied(g1: RobotModel) -> Simulation:
    return Simulation(g1, task="push", randomization=ALL)


def numbers(simulation: Simulation) -> list[np.ndarray]:
    model = simulation.model
    fields = (model.body_mass, model.geom_friction[:, 0], model.light_diffuse, model.cam_pos, model.cam_quat)
    return [np.array(field) for field in fields]


def test_equal_seeds_give_equal_worlds_and_others_do_not(varied: Simulation) -> None:
    seen = []
    for seed in (3, 4, 3):
        varied.reset(seed)
        seen.append([*numbers(varied), varied.joint_state().position])
    for first, other, again in zip(*seen, strict=True):
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, other)


def test_changes_stay_within_their_bounds(varied: Simulation, g1: RobotModel) -> None:
    plain = Simulation(g1, task="push")
    for seed in range(20):
        varied.reset(seed)
        mass, friction, light, place, turn = (new for new in numbers(varied))
        base = numbers(plain)
        np.testing.assert_array_less(np.abs(mass - base[0]), 0.2001 * base[0] + 1e-12)
        np.testing.assert_array_less(np.abs(friction - base[1]), 0.3001 * base[1] + 1e-12)
        np.testing.assert_array_less(np.abs(light - base[2]), 0.3001 * base[2] + 1e-12)
        assert np.abs(place - base[3]).max() <= 0.02
        assert (2.0 * np.arccos(np.clip(np.abs((turn * base[4]).sum(axis=1)), 0.0, 1.0)) <= 0.05 * np.sqrt(3.0) + 1e-6).all()


def test_a_measurement_is_noisy_but_says_the_same_twice(varied: Simulation) -> None:
    varied.reset(0)
    first, again = varied.joint_state(), varied.joint_state()
    assert first is again
    true = varied.data.qpos[varied._qpos]
    assert 0.001 < np.std(first.position - true) < 0.05


def test_commands_come_late(g1: RobotModel) -> None:
    late = Simulation(g1, task="reach", randomization=Randomization(delay=0.1))
    late.reset(1)
    limp = JointCommand.at(0, g1.rest, np.zeros(len(g1.rest)), np.zeros(len(g1.rest)))
    late.command(limp)
    assert late._random is not None
    steps = late._random.delay // 2_000_000
    late.step(int(steps))
    assert late.standing
    late.step(2)
    assert not late.standing


def test_nothing_differs_by_default(g1: RobotModel) -> None:
    plain, none = Simulation(g1, task="push"), Simulation(g1, task="push", randomization=Randomization())
    for one, other in zip(numbers(plain), numbers(none), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(plain.joint_state().position, none.joint_state().position)
