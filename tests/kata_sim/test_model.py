# SPDX-License-Identifier: Apache-2.0
"""The MuJoCo model is the robot that Pinocchio knows."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import mujoco
import numpy as np
import pinocchio as pin
import pytest

from kata_model import JointCommand, RobotError, RobotModel, load_robot
from kata_model.robot import load_description
from kata_sim import GoalBox, Simulation, load_sim_data

Rest = Callable[[np.ndarray], JointCommand]


def test_the_mass_is_pinocchios(simulation: Simulation, g1: RobotModel) -> None:
    whole = pin.buildModelFromUrdf(str(g1.description.urdf), pin.JointModelFreeFlyer())
    assert simulation.model.body_mass.sum() == pytest.approx(pin.computeTotalMass(whole), abs=1e-9)


def test_forward_kinematics_is_pinocchios(simulation: Simulation, g1: RobotModel) -> None:
    rng = np.random.default_rng(0)
    frames = tuple(g1.description.frames)
    joints = [simulation.model.joint(name).qposadr[0] for name in g1.layout.names]
    for _ in range(20):
        position = rng.uniform(g1.lower, g1.upper)
        simulation.data.qpos[joints] = position
        mujoco.mj_kinematics(simulation.model, simulation.data)
        for frame, pose in zip(frames, g1.frame_poses(position, frames), strict=True):
            np.testing.assert_allclose(simulation.frame_position(frame), pose.translation, atol=1e-6)
            rotation = simulation.data.site(frame).xmat.reshape(3, 3)
            np.testing.assert_allclose(rotation, pose.rotation, atol=1e-6)


def test_a_floating_base_moves_its_frames_along(floating: Simulation, g1: RobotModel) -> None:
    floating.data.qpos[:7] = [1.0, -2.0, 3.0, *np.array([0.5, -0.5, 0.5, 0.5])]
    mujoco.mj_kinematics(floating.model, floating.data)
    position = floating.joint_state().position
    (pose,) = g1.frame_poses(position, ("right_palm",))
    np.testing.assert_allclose(floating.frame_position("right_palm"), pose.translation, atol=1e-6)


def test_gravity_is_pinocchios(simulation: Simulation, g1: RobotModel) -> None:
    position = np.random.default_rng(1).uniform(0.5 * g1.lower, 0.5 * g1.upper)
    simulation.data.qpos[:] = position
    simulation.data.qvel[:] = 0.0
    mujoco.mj_forward(simulation.model, simulation.data)
    np.testing.assert_allclose(simulation.data.qfrc_bias, g1.gravity_effort(position), atol=1e-6)


def test_actuators_are_the_layouts_joints(simulation: Simulation, g1: RobotModel) -> None:
    model = simulation.model
    names = [model.joint(model.actuator(i).trnid[0]).name for i in range(model.nu)]
    assert names == list(g1.layout.names)
    np.testing.assert_array_equal(model.actuator_ctrlrange[:, 1], g1.max_effort)


def test_nothing_touches_at_rest(simulation: Simulation) -> None:
    assert simulation.data.ncon == 0


def test_joint_limits_hold_against_a_strong_pull(simulation: Simulation, g1: RobotModel, compensated: Rest) -> None:
    elbow = g1.layout.indices(["right_elbow_joint"])
    wanted = np.array(g1.rest)
    wanted[elbow] = g1.upper[elbow] + 1.0
    for _ in range(100):
        simulation.command(compensated(wanted))
        simulation.step(10)
    assert simulation.joint_state().position[elbow] == pytest.approx(g1.upper[elbow], abs=0.03)


def test_a_robot_without_simulation_data_has_no_camera_imu_or_task() -> None:
    toy = Simulation(load_robot("toy"))
    toy.step(10)
    assert toy.facts.camera is None
    assert toy.facts.imu_link is None
    assert toy.task_state().task == ""


def test_simulation_data_names_what_is_wrong(tmp_path: Path) -> None:
    description = load_description("toy")
    (tmp_path / "sim.yaml").write_text("camera: {lens: 3}")
    with pytest.raises(RobotError, match=r"sim\.yaml.*lacks the key 'link'"):
        load_sim_data(_moved(description, tmp_path))
    (tmp_path / "sim.yaml").write_text("kamera: {}")
    with pytest.raises(RobotError, match="unknown keys"):
        load_sim_data(_moved(description, tmp_path))


def test_an_empty_goal_box_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        GoalBox("palm", np.ones(3), np.zeros(3))


def _moved(description: object, folder: Path) -> object:
    return dataclasses.replace(description, folder=folder)
