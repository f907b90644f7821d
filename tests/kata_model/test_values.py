# SPDX-License-Identifier: Apache-2.0
"""Small values and rules: joints, parameters, trajectories, episodes, minimum jerk, robots."""

from dataclasses import FrozenInstanceError, dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kata_data.recording.episode import EpisodeMachine, EpisodePhase
from kata_model import ConfigError, DataError, JointLayout, RobotError, RobotModel, Trajectory, load_robot
from kata_model.arrays import frozen
from kata_model.config.params import from_mapping, param
from kata_model.kinematics.minimum_jerk import minimum_jerk


@settings(derandomize=True)
@given(st.permutations(["a", "b", "c", "d"]))
def test_foreign_order_is_brought_into_layout_order(names: list[str]) -> None:
    order = JointLayout(("a", "b", "c", "d")).order_of([*names, "foreign"])
    assert order is not None and [[*names, "foreign"][i] for i in order] == ["a", "b", "c", "d"]


@pytest.mark.parametrize("names", [["a", "b"], ["a", "b", "c", "d", "d"], []])
def test_missing_or_repeated_joints_have_no_order(names: list[str]) -> None:
    assert JointLayout(("a", "b", "c", "d")).order_of(names) is None


def test_arrays_are_copied_and_read_only(state_at) -> None:
    state = state_at()
    with pytest.raises(ValueError, match="read-only"):
        state.position[0] = 1.0
    with pytest.raises(FrozenInstanceError):
        state.stamp = 1


def test_arrays_that_nobody_can_write_are_shared_and_views_of_others_are_not() -> None:
    mine = np.arange(3.0)
    first = frozen("values", mine, (3,))
    assert first is not mine and frozen("values", first, (3,)) is first
    window = mine[:]
    window.setflags(write=False)
    assert not np.shares_memory(frozen("values", window, (3,)), mine)


@dataclass(frozen=True)
class _Config:
    speed: float = param(1.0, unit="m/s", low=0.0, high=2.0, doc="Speed.")
    mode: str = param("a", choices=("a", "b"), doc="Mode.")


def test_departures_are_applied() -> None:
    assert from_mapping(_Config, {"speed": 2, "mode": "b"}) == _Config(2, "b")


@pytest.mark.parametrize("values", [{"sped": 1.0}, {"speed": 3.0}, {"speed": float("nan")}, {"mode": "c"}, {"speed": "1"}])
def test_bad_parameters_are_refused(values: dict) -> None:
    with pytest.raises(ConfigError):
        from_mapping(_Config, values)


def trajectory(frames: int = 3) -> Trajectory:
    turn = np.tile([0.0, 0.0, 0.0, 1.0], (frames, 1))
    stamp = np.arange(frames) / 30.0
    return Trajectory(("a", "b"), np.ones((frames, 2)), np.zeros((frames, 3)), turn, stamp, np.ones((frames, 2), dtype=bool))


def test_a_trajectory_survives_its_file(tmp_path) -> None:
    trajectory().save(tmp_path / "t.npz")
    loaded = Trajectory.load(tmp_path / "t.npz")
    assert loaded.joint_names == ("a", "b") and np.array_equal(loaded.joint_position, trajectory().joint_position)
    assert [p.name for p in tmp_path.iterdir()] == ["t.npz"]


def test_a_cut_trajectory_is_refused(tmp_path) -> None:
    trajectory(500).save(tmp_path / "t.npz")
    data = (tmp_path / "t.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(data[: len(data) // 2])
    for name in ("cut.npz", "missing.npz"):
        with pytest.raises(DataError, match=name):
            Trajectory.load(tmp_path / name)


def test_episodes_are_refused_out_of_turn() -> None:
    machine = EpisodeMachine()
    assert "no episode" in machine.save() and "no episode" in machine.discard()
    assert machine.start("reach") == "" and "is running" in machine.start("again")
    assert machine.save() == "" and machine.phase is EpisodePhase.IDLE
    assert machine.start("reach") == "" and machine.discard() == ""
    assert (machine.saved, machine.discarded) == (1, 1)


def test_minimum_jerk_starts_and_ends_at_rest() -> None:
    start, end = np.zeros(3), np.array([1.0, 2.0, 3.0])
    path = np.array([minimum_jerk(start, end, 2.0, t) for t in np.linspace(-0.1, 2.1, 221)])
    assert path[0] == pytest.approx(start) and path[-1] == pytest.approx(end)
    speed = np.linalg.norm(np.diff(path, axis=0), axis=1) / 0.01
    assert speed.max() == pytest.approx(1.875 * np.linalg.norm(end) / 2.0, rel=1e-2)
    assert speed[:12].max() < 0.01 and speed[-12:].max() < 0.01


def test_the_reference_robot_has_29_limited_joints(g1: RobotModel) -> None:
    assert len(g1.layout) == 29 and (g1.lower < g1.upper).all()
    assert (g1.lower <= g1.rest).all() and (g1.rest <= g1.upper).all()


def test_an_unknown_robot_is_named() -> None:
    with pytest.raises(RobotError, match="no robot 'c3po'"):
        load_robot("c3po")


def test_a_urdf_without_limits_is_refused(tmp_path) -> None:
    (tmp_path / "robot.urdf").write_text(
        '<robot name="r"><link name="a"/><link name="b"><inertial><mass value="1"/><inertia ixx="1" iyy="1" izz="1" '
        'ixy="0" ixz="0" iyz="0"/></inertial></link><joint name="j" type="revolute"><parent link="a"/><child link="b"/>'
        '<axis xyz="0 0 1"/><limit lower="-1" upper="1" velocity="0" effort="0"/></joint></robot>'
    )
    (tmp_path / "robot.yaml").write_text(
        'name: r\nurdf: robot.urdf\nbase_link: a\nbase_height: 0.0\ngroups: {}\ngains: {".*": [1, 1]}\n'
    )
    with pytest.raises(RobotError, match="joint j has no velocity or effort limit"):
        load_robot(tmp_path)
