# SPDX-License-Identifier: Apache-2.0
"""Time, control, resets and the inertial sensor of the simulated robot."""

from collections.abc import Callable

import numpy as np
import pytest

from kata_model import JointCommand, RobotModel
from kata_sim import SimConfig, Simulation, SimulationError

Rest = Callable[[np.ndarray], JointCommand]


def test_stands_at_rest_without_a_command(simulation: Simulation, g1: RobotModel) -> None:
    simulation.step(1000)
    np.testing.assert_allclose(simulation.joint_state().position, g1.rest, atol=2e-3)


def test_gravity_compensation_alone_holds_the_arms(simulation: Simulation, g1: RobotModel) -> None:
    none = np.zeros(len(g1.layout))
    for _ in range(250):
        state = simulation.joint_state()
        simulation.command(JointCommand(state.stamp, none, none, g1.gravity_effort(state.position), none, none))
        simulation.step(2)
    arms = g1.layout.indices([*g1.description.groups["left_arm"], *g1.description.groups["right_arm"]])
    np.testing.assert_allclose(simulation.joint_state().position[arms], g1.rest[arms], atol=0.02)


def test_pd_control_reaches_its_target(simulation: Simulation, g1: RobotModel, compensated: Rest) -> None:
    arm = g1.layout.indices(g1.description.groups["right_arm"])
    wanted = np.array(g1.rest)
    wanted[arm] += [-0.3, -0.2, 0.2, 0.3, 0.2, 0.2, -0.2]
    for _ in range(100):
        simulation.command(compensated(wanted))
        simulation.step(5)
    np.testing.assert_allclose(simulation.joint_state().position[arm], wanted[arm], atol=0.02)


def test_effort_stays_within_its_limits(simulation: Simulation, g1: RobotModel) -> None:
    far = g1.rest + 100.0
    simulation.command(JointCommand.at(0, far, g1.stiffness, g1.damping))
    simulation.step(5)
    np.testing.assert_array_equal(np.abs(simulation.joint_state().effort), g1.max_effort)


def test_an_old_command_leaves_damping(simulation: Simulation, g1: RobotModel, compensated: Rest) -> None:
    simulation.command(compensated(np.array(g1.rest)))
    simulation.step(round(0.2 / simulation.config.timestep) + 1)
    assert np.abs(simulation.joint_state().position - g1.rest).max() < 5e-3
    simulation.step(1)
    state = simulation.joint_state()
    simulation.step(1)
    np.testing.assert_allclose(simulation.joint_state().effort, -g1.damping * state.velocity, atol=1e-9)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_command_that_is_not_finite_is_refused(simulation: Simulation, g1: RobotModel, value: float) -> None:
    position = np.array(g1.rest)
    position[3] = value
    assert not simulation.command(JointCommand.at(0, position, g1.stiffness, g1.damping))
    simulation.step(100)
    assert np.isfinite(simulation.joint_state().position).all()


def test_physics_that_diverges_is_said(g1: RobotModel) -> None:
    simulation = Simulation(g1)
    simulation.data.qvel[3] = np.nan
    with pytest.raises(SimulationError, match="diverged"):
        simulation.step(2)
    simulation.reset(0)
    simulation.step(2)


def test_equal_seeds_give_equal_motion_and_goals(g1: RobotModel) -> None:
    noisy = Simulation(g1, SimConfig(rest_noise=0.05))
    runs = []
    for seed in (7, 7, 8):
        noisy.reset(seed)
        noisy.step(50)
        runs.append((noisy.joint_state().position, noisy.objects()["goal"]))
    for first, second in zip(runs[0], runs[1], strict=True):
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(runs[0][0], runs[2][0])
    assert not np.array_equal(runs[0][1], runs[2][1])


def test_time_goes_on_through_a_reset(simulation: Simulation) -> None:
    simulation.step(3)
    before = simulation.time
    simulation.reset(1)
    assert simulation.time == before
    assert simulation.task_state().elapsed == 0.0
    simulation.step(5)
    assert simulation.time == before + 10_000_000
    assert simulation.joint_state().stamp == simulation.time


def test_a_task_reset_leaves_the_robot_where_it_is(simulation: Simulation) -> None:
    simulation.step(20)
    position, goal = simulation.joint_state().position, simulation.objects()["goal"]
    simulation.reset_task(np.random.default_rng(5))
    np.testing.assert_array_equal(simulation.joint_state().position, position)
    assert not np.array_equal(simulation.objects()["goal"], goal)


def test_the_imu_feels_gravity_and_stands_upright(simulation: Simulation) -> None:
    simulation.step(500)
    sample = simulation.imu()
    np.testing.assert_allclose(sample.linear_acceleration, [0.0, 0.0, 9.81], atol=0.01)
    np.testing.assert_allclose(sample.angular_velocity, 0.0, atol=0.01)
    np.testing.assert_allclose(np.abs(sample.orientation_xyzw), [0.0, 0.0, 0.0, 1.0], atol=1e-3)


def test_a_limp_robot_in_the_air_feels_no_gravity(floating: Simulation, g1: RobotModel) -> None:
    floating.reset(0)
    floating.data.qpos[2] = 3.0
    none = np.zeros(len(g1.layout))
    floating.command(JointCommand.at(0, none, none, none))
    floating.step(2)
    assert np.linalg.norm(floating.imu().linear_acceleration) < 0.5


def test_a_free_base_hangs_until_it_is_commanded(floating: Simulation, compensated: Rest) -> None:
    floating.reset(0)
    before = floating.base()
    floating.step(500)
    assert floating.base().position == pytest.approx(before.position, abs=1e-9)
    floating.command(compensated(np.array(floating.joint_state().position)))
    floating.step(50)
    assert not np.array_equal(floating.base().position, before.position)


def test_a_push_gives_the_base_its_impulse(floating: Simulation, compensated: Rest) -> None:
    floating.reset(0)
    floating.command(compensated(np.array(floating.joint_state().position)))
    floating.step(10)
    before = floating.base()
    floating.push(np.array([8.0, 0.0, 0.0]))
    floating.step(50)
    after = floating.base()
    assert floating.floating and after.stamp - before.stamp == 100_000_000
    assert after.linear_velocity[0] - before.linear_velocity[0] > 0.1
    assert np.linalg.norm(after.orientation_xyzw) == pytest.approx(1.0)
    moved = after.position - before.position
    assert 0.0 < moved[0] < 0.1
