# SPDX-License-Identifier: Apache-2.0
"""What holds for any human: bounds of velocity and acceleration, a budget that ends early, hard motions and hard data."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pinocchio as pin
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moving_human import climbing, gliding, in_posture, posed, swinging

from kata_model import BODIES, HumanFrames, RobotModel
from kata_model.collision import load_capsules
from kata_model.errors import ConfigError
from kata_retarget import BodyRetargeter, RetargetConfig, Retargeted, retarget_clip
from kata_retarget.mocap import MotionClip

SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def retargeter(g1: RobotModel) -> BodyRetargeter:
    return BodyRetargeter(g1)


def followed(retargeter: BodyRetargeter, samples: list[HumanFrames]) -> list[Retargeted]:
    retargeter.reset()
    return [retargeter.step(sample) for sample in samples]


def assert_within_limits(robot: RobotModel, position: np.ndarray, stamp: np.ndarray, most: float) -> None:
    """Check positions of shape (N, n) at stamps [s]; the robot stands before the first."""
    assert np.isfinite(position).all()
    assert (position >= robot.lower - 1e-9).all() and (position <= robot.upper + 1e-9).all()
    dt = np.diff(stamp)[:, None]
    velocity = np.diff(position, axis=0) / dt
    assert (np.abs(velocity) <= robot.max_velocity + 1e-9).all()
    before = np.vstack([np.zeros_like(velocity[:1]), velocity[:-1]])
    assert (np.abs(velocity - before) / dt <= most * (1.0 + 1e-6) + 1e-6).all()


def wild(rng: np.random.Generator, stamp: int) -> HumanFrames:
    return posed(stamp, {body: rng.uniform(-2.5, 2.5, 3) for body in BODIES if body != "pelvis"}, rng.uniform(-0.3, 0.3, 3))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), gaps=st.lists(st.floats(0.004, 0.0375), min_size=8, max_size=8))
def test_wild_motion_keeps_every_bound(g1: RobotModel, retargeter: BodyRetargeter, seed: int, gaps: list[float]) -> None:
    rng = np.random.default_rng(seed)
    stamps = np.cumsum([0.0, *gaps])
    samples = [wild(rng, round(stamp * SECOND)) for stamp in stamps]
    position = np.array([result.position for result in followed(retargeter, samples)])
    assert_within_limits(g1, position, np.array([sample.stamp for sample in samples]) * 1e-9, RetargetConfig().max_acceleration)


@pytest.mark.parametrize("most", [30.0, 200.0])
def test_a_joint_sent_against_its_limit_brakes_in_time(g1: RobotModel, most: float) -> None:
    bounded = BodyRetargeter(g1, RetargetConfig(max_acceleration=most))
    still, bent = posed(0, {}), {"left_forearm": np.array([0.0, 0.0, -3.0]), "left_shin": np.array([0.0, 2.8, 0.0])}
    samples = [replace(still if i < 3 else posed(0, bent), stamp=round(i * SECOND / 60)) for i in range(60)]
    position = np.array([result.position for result in followed(bounded, samples)])
    assert_within_limits(g1, position, np.arange(60) / 60, most)
    assert np.abs(position[-1] - position[0]).max() > 1.0


def test_offline_keeps_the_bounds_too(g1: RobotModel) -> None:
    rng = np.random.default_rng(3)
    samples = [wild(rng, 0) for _ in range(12)]
    clip = clip_of([sample for sample in samples for _ in range(3)], 60.0)
    motion = retarget_clip(g1, clip, 60.0, "offline", RetargetConfig(sweeps=3))
    velocity = np.diff(motion.joint_position, axis=0) * 60.0
    assert (np.abs(velocity) <= g1.max_velocity + 1e-9).all()
    assert np.abs(np.diff(velocity, axis=0) * 60.0).max() <= RetargetConfig().max_acceleration * (1.0 + 1e-6)


def clip_of(samples: list[HumanFrames], fps: float) -> MotionClip:
    position, turn = np.array([s.position for s in samples]), np.array([s.orientation_xyzw for s in samples])
    return MotionClip(samples[0].names, position, turn, fps)


class Clock:
    """Seconds that go on by a step each time they are read."""

    def __init__(self, step: float) -> None:
        self.step, self.now = step, 0.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def test_a_budget_that_ends_early_is_told_and_counted(g1: RobotModel) -> None:
    hurried = BodyRetargeter(g1, RetargetConfig(budget=0.001, tolerance=1e-5), Clock(0.01))
    samples = [replace(swinging(0.1 * i), stamp=round(i * SECOND / 30)) for i in range(10)]
    results = followed(hurried, samples)
    late = [result for result in results[1:] if result.reasons == ("not_converged",)]
    assert len(late) == 9
    assert hurried.counts["not_converged"] >= 9 and hurried.counts["frames"] == 10
    assert_within_limits(g1, np.array([r.position for r in results]), np.arange(10) / 30, RetargetConfig().max_acceleration)


def test_an_ample_budget_gives_exactly_what_iterations_give(g1: RobotModel, retargeter: BodyRetargeter) -> None:
    ample = BodyRetargeter(g1, RetargetConfig(budget=1.0), Clock(1e-6))
    samples = [replace(swinging(0.1 * i), stamp=round(i * SECOND / 30)) for i in range(10)]
    for one, other in zip(followed(ample, samples), followed(retargeter, samples), strict=True):
        np.testing.assert_array_equal(one.position, other.position)
        assert one.reasons == other.reasons == ()


def test_a_budget_needs_a_clock(g1: RobotModel) -> None:
    with pytest.raises(ConfigError, match="without a clock"):
        BodyRetargeter(g1, RetargetConfig(budget=0.01))


def test_replay_is_bit_exact(retargeter: BodyRetargeter) -> None:
    samples = [replace(swinging(0.1 * i), stamp=round(i * SECOND / 30)) for i in range(10)]
    first, second = followed(retargeter, samples), followed(retargeter, samples)
    assert all(np.array_equal(a.position, b.position) for a, b in zip(first, second, strict=True))


def sole_heights(robot: RobotModel, results: list[Retargeted], side: str) -> tuple[np.ndarray, np.ndarray]:
    """Return place (x, y) and height of a sole's frame by frame, shapes (N, 2) and (N,), [m]."""
    place = []
    for result in results:
        assert result.position is not None
        foot = robot.frame_poses(result.position, (f"{side}_ankle_roll_link",))[0].translation
        place.append(pin.Quaternion(np.array(result.base_orientation_xyzw)).toRotationMatrix() @ foot + result.base_position)
    return np.array(place)[:, :2], np.array(place)[:, 2]


def test_a_step_is_learnt_from_the_foot_that_stands_on_it(g1: RobotModel, retargeter: BodyRetargeter) -> None:
    height, fps = 0.25, 30
    samples = [replace(climbing(i / fps, height), stamp=round(i * SECOND / fps)) for i in range(120)]
    results = followed(retargeter, samples)
    on_top = slice(105, 120)
    assert all(result.contact.all() for result in results[on_top])
    for side in ("left", "right"):
        place, up = sole_heights(g1, results, side)
        assert np.abs(np.diff(place[on_top], axis=0)).max() * fps < 0.02
        rise = up[on_top] - up[0]
        scale = 0.6 / 0.82  # the robot's leg over this human's, about
        assert np.abs(rise - scale * height).max() < 0.04


def test_a_raised_foot_beside_one_that_stands_is_not_held(retargeter: BodyRetargeter) -> None:
    lifted = {"left_thigh": np.array([0.0, -1.2, 0.0]), "left_shin": np.array([0.0, 1.2, 0.0])}
    samples = [replace(posed(0, lifted if i > 10 else {}), stamp=round(i * SECOND / 30)) for i in range(60)]
    assert followed(retargeter, samples)[-1].contact.tolist() == [False, True]


@pytest.mark.parametrize("posture", ["sitting", "lying", "crawling", "upside_down"])
@pytest.mark.parametrize("fps", [30, 120])
def test_no_link_goes_under_the_floor_in_any_posture(g1: RobotModel, retargeter: BodyRetargeter, posture: str, fps: int) -> None:
    samples = [replace(in_posture(posture, 0.5 * i / fps), stamp=round(i * SECOND / fps)) for i in range(fps)]
    results = followed(retargeter, samples)
    position = np.array([result.position for result in results])
    assert_within_limits(g1, position, np.arange(fps) / fps, RetargetConfig().max_acceleration)
    lowest = min(_lowest_link(g1, result) for result in results)
    assert lowest > -1e-6


def _lowest_link(robot: RobotModel, result: Retargeted) -> float:
    """Return the lowest height of capsules but the feet's [m]."""
    base = pin.SE3(pin.Quaternion(np.array(result.base_orientation_xyzw)).toRotationMatrix(), np.array(result.base_position))
    capsules = [c for c in load_capsules(robot).capsules if "ankle_roll" not in c.link]
    poses = robot.frame_poses(result.position, tuple(c.link for c in capsules))
    return min((base * pose).act(end)[2] - c.radius for c, pose in zip(capsules, poses, strict=True) for end in (c.start, c.end))


@pytest.mark.parametrize("offset", [[900.0, -900.0, 0.0], [0.0, 0.0, 5.0], [0.0, 0.0, -3.0]])
def test_where_the_source_has_its_origin_hardly_matters(g1: RobotModel, retargeter: BodyRetargeter, offset: list[float]) -> None:
    samples = [replace(swinging(i / 30), stamp=round(i * SECOND / 30)) for i in range(20)]
    away = [replace(sample, position=sample.position + np.array(offset)) for sample in samples]
    expected, found = followed(retargeter, samples), followed(retargeter, away)
    np.testing.assert_allclose(found[-1].position, expected[-1].position, atol=0.02)
    assert abs(found[-1].base_position[2] - expected[-1].base_position[2]) < 0.03


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("mode", ["streaming", "offline"])
def test_very_short_clips(g1: RobotModel, count: int, mode: str) -> None:
    motion = retarget_clip(g1, clip_of([swinging(i / 30) for i in range(count)], 30.0), 30.0, mode)
    assert len(motion.joint_position) == count and np.isfinite(motion.joint_position).all()


@pytest.mark.parametrize("left_out", [("toes",), ("hand",), ("toes", "hand", "head")])
def test_bodies_that_a_source_does_not_know(g1: RobotModel, retargeter: BodyRetargeter, left_out: tuple[str, ...]) -> None:
    samples = [replace(swinging(i / 30), stamp=round(i * SECOND / 30)) for i in range(20)]
    keep = [i for i, name in enumerate(BODIES) if not name.endswith(left_out)]
    fewer = [
        replace(
            s,
            names=tuple(s.names[i] for i in keep),
            position=s.position[keep],
            orientation_xyzw=s.orientation_xyzw[keep],
            confidence=s.confidence[keep],
        )
        for s in samples
    ]
    position = np.array([result.position for result in followed(retargeter, fewer)])
    assert_within_limits(g1, position, np.arange(20) / 30, RetargetConfig().max_acceleration)


def test_dropped_frames_and_a_start_in_the_air(g1: RobotModel, retargeter: BodyRetargeter) -> None:
    rng = np.random.default_rng(0)
    kept = [i for i in range(90) if i == 0 or rng.uniform() > 0.4]
    samples = [replace(gliding(i / 30), stamp=round(i * SECOND / 30)) for i in kept]
    results = followed(retargeter, samples)
    for (i, a), (j, b) in pairwise(zip(kept, results, strict=True)):
        assert (np.abs(b.position - a.position) <= g1.max_velocity * (j - i) / 30 + 1e-9).all()
    assert results[-1].contact.all()
    assert results[-1].base_position[2] == pytest.approx(g1.description.base_height, abs=0.03)
