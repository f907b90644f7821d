# SPDX-License-Identifier: Apache-2.0
"""Adaptation to a robot's dynamics, on motions of which physics tells what must come out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kata_model import RobotModel, Trajectory, load_robot
from kata_model.robot.retarget_table import load_table
from kata_retarget.adaptation import AdaptConfig, MotionPath, adapt, bounds_of
from kata_retarget.adaptation.demand import measure
from kata_retarget.adaptation.path import follow
from kata_retarget.adaptation.plant import make_plant
from kata_retarget.adaptation.slowing import smooth_below

FPS = 60.0
UPRIGHT = (0.0, 0.0, 0.0, 1.0)


@pytest.fixture(scope="module")
def toy() -> RobotModel:
    return load_robot("toy")


def still(robot: RobotModel, seconds: float, height: float = 0.0) -> dict[str, np.ndarray]:
    """Return the arrays of a trajectory at rest, feet in contact."""
    count = round(seconds * FPS) + 1
    return {
        "joint_position": np.tile(robot.rest, (count, 1)),
        "base_position": np.tile([0.0, 0.0, height], (count, 1)),
        "base_orientation_xyzw": np.tile(UPRIGHT, (count, 1)),
        "stamp": np.arange(count) / FPS,
        "contact": np.ones((count, 2), dtype=bool),
    }


def swing(robot: RobotModel, joint: str, amplitude: float, hertz: float, seconds: float = 4.0) -> Trajectory:
    """Return a motion in which one joint swings about rest under a window, from rest to rest."""
    arrays = still(robot, seconds)
    t = arrays["stamp"]
    window = np.sin(np.pi * t / t[-1]) ** 2
    arrays["joint_position"][:, robot.layout.names.index(joint)] += amplitude * window * np.sin(2 * np.pi * hertz * t)
    return Trajectory(robot.layout.names, **arrays)


def peak(adaptation, robot: RobotModel, config: AdaptConfig) -> float:
    return float((np.abs(adaptation.after.effort) / bounds_of(robot, config).effort).max())


def test_a_feasible_motion_comes_back_untouched(toy: RobotModel) -> None:
    slow = swing(toy, "elbow", 0.3, 0.5)
    adaptation = adapt(toy, slow)
    assert adaptation.trajectory is slow
    assert adaptation.mends == ()
    assert adaptation.duration_factor == 1.0


@pytest.mark.parametrize("scale", [0.02, 0.04, 0.08])
def test_a_swing_too_fast_for_the_motor_is_slowed_until_it_fits(toy: RobotModel, scale: float) -> None:
    fast = swing(toy, "elbow", 0.3, 4.0)
    held = np.abs(adapt(toy, fast).before.held).max(axis=0)
    # so much effort that holding is easy and swinging is not
    full = bounds_of(toy, AdaptConfig()).effort
    scale += 0.9 * float((held / full).max())
    config = AdaptConfig(effort_scale=scale, velocity_scale=1.0, max_acceleration=1000.0, max_velocity=100.0)
    adaptation = adapt(toy, fast, config=config)
    before = (np.abs(adaptation.before.effort) / bounds_of(toy, config).effort).max()
    assert before > 1.1
    assert 0.97 < peak(adaptation, toy, config) <= 1.005
    assert adaptation.feasible
    assert adaptation.duration_factor > 1.0
    assert all("slowed" in str(mend) for mend in adaptation.mends)


def test_slowing_follows_the_same_way_smoothly_and_forwards(toy: RobotModel) -> None:
    fast = swing(toy, "elbow", 0.9, 3.0)
    adaptation = adapt(toy, fast, config=AdaptConfig(max_velocity=5.0))
    assert adaptation.feasible
    assert (np.diff(adaptation.time) > 0.0).all()
    assert adaptation.time[0] == fast.stamp[0]
    assert adaptation.time[-1] == pytest.approx(fast.stamp[-1], abs=1e-12)
    np.testing.assert_allclose(np.diff(adaptation.trajectory.stamp), 1.0 / FPS, rtol=1e-9)
    way = MotionPath(fast).at(adaptation.time).value[:, : len(toy.layout)]
    np.testing.assert_allclose(adaptation.trajectory.joint_position, way, atol=1e-12)
    assert adaptation.speed.max() <= 1.0
    assert adaptation.speed.min() >= AdaptConfig().min_speed
    assert np.abs(np.diff(adaptation.speed)).max() < 0.1
    assert np.abs(adaptation.after.velocity).max() <= 5.0 * 1.005


def test_slowing_stays_within_position_limits(toy: RobotModel) -> None:
    elbow = toy.layout.names.index("elbow")
    arrays = still(toy, 2.0)
    arrays["joint_position"][:, elbow] = toy.upper[elbow] - 0.5 * (np.arange(121) % 40 < 20)  # steps up to the limit
    adaptation = adapt(toy, Trajectory(toy.layout.names, **arrays))
    assert adaptation.duration_factor > 1.0
    assert (adaptation.trajectory.joint_position <= toy.upper).all()
    assert (adaptation.trajectory.joint_position >= toy.lower).all()


def test_contacts_keep_their_place_on_the_way(g1: RobotModel) -> None:
    arrays = still(g1, 2.0)
    t = arrays["stamp"]
    arrays["joint_position"][:, 0] += 0.5 * t
    arrays["contact"][:, 0] = t < 1.0
    trajectory = Trajectory(g1.layout.names, **arrays)
    speed = np.where((t > 0.5) & (t < 1.5), 0.4, 1.0)
    slower, time = follow(MotionPath(trajectory), t, smooth_below(speed, 8))
    ends = time[np.flatnonzero(np.diff(slower.contact[:, 0].astype(int)))]
    assert len(ends) == 1
    assert ends[0] == pytest.approx(1.0, abs=1.0 / FPS)
    assert slower.stamp[-1] > 3.0


def test_an_arm_too_heavy_to_hold_is_lowered(toy: RobotModel) -> None:
    arrays = still(toy, 3.0)
    t = arrays["stamp"]
    lifted = np.sin(np.pi * t / t[-1]) ** 2
    arrays["joint_position"][:, toy.layout.names.index("shoulder_roll")] -= 1.2 * lifted
    trajectory = Trajectory(toy.layout.names, **arrays)
    plain = adapt(toy, trajectory)
    full = bounds_of(toy, AdaptConfig(effort_scale=1.0)).effort
    peak_held, rest_held = ((np.abs(plain.before.held) / full)[rows].max() for rows in (slice(None), 0))
    assert peak_held > 1.3 * rest_held, "the pose must be heavier than rest for this test"
    config = AdaptConfig(effort_scale=float(0.5 * (peak_held + rest_held)))
    adaptation = adapt(toy, trajectory, config=config)
    assert adaptation.feasible
    assert 0.9 < peak(adaptation, toy, config) <= 1.005
    assert adaptation.duration_factor == 1.0
    assert any("lowered to" in str(mend) for mend in adaptation.mends)
    np.testing.assert_array_equal(adaptation.trajectory.joint_position[0], trajectory.joint_position[0])


def test_what_cannot_be_held_at_all_is_told(toy: RobotModel) -> None:
    config = AdaptConfig(effort_scale=0.01)
    adaptation = adapt(toy, swing(toy, "elbow", 0.3, 0.5, 1.0), config=config)
    assert not adaptation.feasible
    told = [str(mend) for mend in adaptation.mends if mend.after > 1.0]
    assert told
    assert any("impossible even at rest" in text for text in told)


def test_a_standing_robot_is_carried_by_the_floor(g1: RobotModel) -> None:
    plant = make_plant(g1, load_table(g1).soles, AdaptConfig())
    trajectory = Trajectory(g1.layout.names, **still(g1, 0.1, standing_height(g1)))
    demand = measure(plant, trajectory)
    assert not demand.airborne.any()
    assert demand.help.max() < 1e-3
    np.testing.assert_allclose(demand.zmp, demand.com, atol=1e-9)
    assert (demand.zmp > 0.02).all()
    left, right = (demand.effort[0, g1.layout.indices(g1.description.groups[f"{side}_leg"])] for side in ("left", "right"))
    signs = np.array([1.0, -1.0, -1.0, 1.0, 1.0, -1.0])  # roll and yaw joints mirror
    np.testing.assert_allclose(left, signs * right, atol=1.0)
    assert adapt(g1, trajectory, load_table(g1).soles).mends == ()


def test_a_robot_that_leans_over_its_feet_is_out_of_balance(g1: RobotModel) -> None:
    arrays = still(g1, 0.5, standing_height(g1))
    half = 0.25  # 0.5 rad forwards about the feet
    arrays["base_orientation_xyzw"][:] = (0.0, np.sin(half), 0.0, np.cos(half))
    arrays["base_position"][:] = standing_height(g1) * np.array([np.sin(0.5), 0.0, np.cos(0.5)])
    adaptation = adapt(g1, Trajectory(g1.layout.names, **arrays), load_table(g1).soles)
    assert not adaptation.feasible
    assert {mend.excess.kind for mend in adaptation.mends} >= {"balance"}
    assert (adaptation.before.com < 0.0).all()


@pytest.mark.parametrize(("falls", "kinds"), [(9.81, set()), (0.0, {"flight"})])
def test_only_gravity_moves_what_is_in_the_air(g1: RobotModel, falls: float, kinds: set[str]) -> None:
    arrays = still(g1, 0.6, standing_height(g1) + 1.0)
    t = arrays["stamp"]
    arrays["base_position"][:, 2] += 0.3 * t * (9.81 / 2) - 0.5 * falls * t**2
    arrays["contact"][:] = False
    demand = measure(make_plant(g1, load_table(g1).soles, AdaptConfig()), Trajectory(g1.layout.names, **arrays))
    inner = slice(3, -3)  # a natural spline has no curvature at its ends
    assert demand.airborne.all()
    found = {"flight"} if demand.help[inner, 0].max() > 0.1 else set()
    assert found == kinds
    np.testing.assert_allclose(demand.help[inner, 0], abs(1.0 - falls / 9.81), atol=0.02)


def test_a_jump_that_hovers_is_brought_down(g1: RobotModel) -> None:
    arrays = still(g1, 2.0, standing_height(g1))
    t = arrays["stamp"]
    arrays["base_position"][:, 2] += 0.15 * np.clip(np.sin(np.pi * (t - 0.5)), 0.0, None) ** 2
    arrays["contact"][(t > 0.6) & (t < 1.4)] = False
    adaptation = adapt(g1, Trajectory(g1.layout.names, **arrays), load_table(g1).soles)
    assert any("down to the floor" in str(mend) for mend in adaptation.mends)
    assert adaptation.before.airborne.any()
    assert not adaptation.after.airborne.any()
    assert adaptation.feasible


def test_where_and_whither_one_looks_makes_no_difference(g1: RobotModel) -> None:
    rng = np.random.default_rng(0)
    arrays = still(g1, 0.5, standing_height(g1))
    t = arrays["stamp"]
    arrays["joint_position"] += 0.1 * np.sin(2 * np.pi * np.outer(t, rng.uniform(0.5, 1.5, len(g1.layout))))
    arrays["base_orientation_xyzw"] = quaternion_z(0.3 * np.sin(4 * t))
    turned = dict(arrays)
    turned["base_orientation_xyzw"] = quaternion_z(0.3 * np.sin(4 * t) + np.pi / 2)  # friction's pyramid looks alike from there
    turned["base_position"] = arrays["base_position"] + [3.0, -2.0, 0.0]
    plant = make_plant(g1, load_table(g1).soles, AdaptConfig())
    a, b = (measure(plant, Trajectory(g1.layout.names, **x)) for x in (arrays, turned))
    np.testing.assert_allclose(a.help[3:-3], b.help[3:-3], atol=1e-6)
    np.testing.assert_allclose(a.effort[3:-3], b.effort[3:-3], atol=1e-3)


@given(st.lists(st.floats(0.1, 1.0), min_size=1, max_size=60), st.integers(0, 12))
def test_smooth_below_is_below_and_keeps_constants(values: list[float], reach: int) -> None:
    curve = np.array(values)
    smooth = smooth_below(curve, reach)
    assert smooth.shape == curve.shape
    assert (smooth <= curve).all()
    assert (smooth >= curve.min() - 1e-12).all()


def test_splines_have_the_derivatives_of_the_function() -> None:
    t = np.arange(121) / FPS
    arm = np.sin(3.0 * t)[:, None]
    base = np.zeros((121, 3)), np.tile(UPRIGHT, (121, 1))
    sample = MotionPath(Trajectory(("a",), arm, *base, t, np.zeros((121, 2)))).at(t[10:-10] + 0.3 / FPS)
    at = t[10:-10] + 0.3 / FPS
    np.testing.assert_allclose(sample.value[:, 0], np.sin(3 * at), atol=1e-6)
    np.testing.assert_allclose(sample.first[:, 0], 3 * np.cos(3 * at), atol=1e-4)
    np.testing.assert_allclose(sample.second[:, 0], -9 * np.sin(3 * at), atol=1e-2)


def standing_height(robot: RobotModel) -> float:
    """Return the base's height over flat soles in the rest posture [m]."""
    sole = load_table(robot).soles[0]
    place = robot.frame_poses(robot.rest, (sole.frame,))[0]
    return -float((sole.corners @ place.rotation.T + place.translation)[:, 2].min())


def quaternion_z(angle: np.ndarray) -> np.ndarray:
    zero = np.zeros_like(angle)
    return np.column_stack([zero, zero, np.sin(angle / 2), np.cos(angle / 2)])
