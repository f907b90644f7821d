# SPDX-License-Identifier: Apache-2.0
"""Whole-body retargeting of a stream: symmetries, limits, and what is refused."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moving_human import ORDER, mirrored, posed, swinging

from kata_model import HumanFrames, RobotModel, load_robot
from kata_retarget import BodyRetargeter, RetargetConfig
from kata_retarget.skeleton import t_pose

SECOND = 1_000_000_000
FPS = 30


@pytest.fixture(scope="module")
def retargeter(g1: RobotModel) -> BodyRetargeter:
    return BodyRetargeter(g1)


def positions(retargeter: BodyRetargeter, samples: list[HumanFrames]) -> np.ndarray:
    retargeter.reset()
    found = [retargeter.step(sample).position for sample in samples]
    assert all(position is not None for position in found)
    return np.array(found)


def seconds(duration: float, speed: float = 1.0, fps: float = FPS) -> list[HumanFrames]:
    return [replace(swinging(i / fps * speed), stamp=round(i / fps * SECOND)) for i in range(int(duration * fps))]


def test_reference_is_a_t_pose(g1: RobotModel, retargeter: BodyRetargeter) -> None:
    elbow, wrist, shoulder = (
        pose.translation
        for pose in g1.frame_poses(
            retargeter.reference.position, ("left_elbow_link", "left_wrist_yaw_link", "left_shoulder_roll_link")
        )
    )
    for direction in (elbow - shoulder, wrist - elbow):
        np.testing.assert_allclose(direction / np.linalg.norm(direction), [0.0, 1.0, 0.0], atol=0.05)


def test_t_pose_gives_a_t_pose_on_the_floor(g1: RobotModel, retargeter: BodyRetargeter) -> None:
    retargeter.reset()
    result = retargeter.step(t_pose(0))
    assert result.position is not None
    arms = g1.layout.indices([f"{s}_{j}_joint" for s in ("left", "right") for j in ("shoulder_pitch", "shoulder_roll", "elbow")])
    np.testing.assert_allclose(result.position[arms], retargeter.reference.position[arms], atol=0.15)
    assert abs(result.base_position[2] - g1.description.base_height) < 0.02


def test_mirrored_human_gives_mirrored_robot(g1: RobotModel, retargeter: BodyRetargeter) -> None:
    plain = positions(retargeter, seconds(1.0))
    other = positions(retargeter, [mirrored(sample) for sample in seconds(1.0)])
    swapped = [re.sub("left|right", lambda s: {"left": "right", "right": "left"}[s[0]], name) for name in g1.layout.names]
    sign = np.array([-1.0 if re.search("roll|yaw", name) else 1.0 for name in g1.layout.names])
    np.testing.assert_allclose(other, plain[:, g1.layout.indices(swapped)] * sign, atol=0.01)


def test_slower_clip_gives_the_same_postures(retargeter: BodyRetargeter) -> None:
    fast, slow = positions(retargeter, seconds(2.0)), positions(retargeter, seconds(4.0, speed=0.5))
    assert np.abs(slow[::2][: len(fast)] - fast).max() < 0.1


def test_rate_hardly_matters(retargeter: BodyRetargeter) -> None:
    coarse, fine = positions(retargeter, seconds(2.0)), positions(retargeter, seconds(2.0, fps=4 * FPS))
    assert np.abs(fine[::4][: len(coarse)] - coarse).max() < 0.1


def test_order_of_bodies_does_not_matter(retargeter: BodyRetargeter) -> None:
    turn = np.random.default_rng(0).permutation(len(ORDER))
    shuffled = [
        replace(s, names=tuple(s.names[i] for i in turn), position=s.position[turn], orientation_xyzw=s.orientation_xyzw[turn])
        for s in seconds(0.3)
    ]
    np.testing.assert_array_equal(positions(retargeter, shuffled), positions(retargeter, seconds(0.3)))


def test_start_does_not_matter_after_a_while(retargeter: BodyRetargeter) -> None:
    samples = seconds(2.0)
    bent = posed(
        0,
        {"torso": np.array([0.0, 1.2, 0.5]), "left_upper_arm": np.array([2.0, 0.3, 1.0]), "right_thigh": np.array([0, -1.5, 0])},
    )
    usual = positions(retargeter, samples)
    odd = positions(retargeter, [bent, *samples[1:]])
    assert np.abs(odd[-1] - usual[-1]).max() < 0.15


def test_names_and_order_of_joints_do_not_matter(g1: RobotModel, retargeter: BodyRetargeter, tmp_path: Path) -> None:
    folder = tmp_path / "renamed"
    shutil.copytree(g1.description.folder, folder)
    renamed = {file: file.read_text().replace("left_", "zleft_") for file in folder.glob("*.yaml")}
    for file, text in renamed.items():
        text = re.sub(r"^(\s+)zleft_(thigh|shin|foot|toes|upper_arm|forearm|hand):", r"\1left_\2:", text, flags=re.M)
        file.write_text(re.sub(r"^urdf: .*$", "urdf: robot.urdf", text, flags=re.M))
    (folder / "robot.urdf").write_text(g1.description.urdf.read_text().replace('"left_', '"zleft_'))
    other = load_robot(folder)
    assert [name.replace("zleft", "left") for name in other.layout.names] != list(g1.layout.names)
    found = positions(BodyRetargeter(other), seconds(0.5))
    order = other.layout.indices([name.replace("left_", "zleft_") for name in g1.layout.names])
    np.testing.assert_allclose(found[:, order], positions(retargeter, seconds(0.5)), atol=1e-6)


numbers = st.floats(-50.0, 50.0) | st.sampled_from([0.0, 1e3, -1e9, 1e300])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=4, max_size=4), st.integers(0, 2**32 - 1))
def test_any_finite_input_gives_finite_output_within_limits(
    g1: RobotModel, retargeter: BodyRetargeter, odd: list[tuple[float, ...]], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    retargeter.reset()
    last, dt = None, 1.0 / FPS
    for i in range(4):
        sample = swinging(0.1 * i)
        position, turn = sample.position.copy(), sample.orientation_xyzw.copy()
        for x, y, z, w in odd:
            row = int(rng.integers(len(position)))
            position[row] = (x, y, z)
            turn[int(rng.integers(len(position)))] = (x, y, z, w)
        sample = replace(sample, stamp=round(i * dt * SECOND), position=position, orientation_xyzw=turn)
        result = retargeter.step(sample)
        if result.position is None:
            assert result.reasons
            continue
        assert np.isfinite(result.position).all() and np.isfinite(result.base_position).all()
        assert (result.position >= g1.lower).all() and (result.position <= g1.upper).all()
        if last is not None:
            assert (np.abs(result.position - last[0]) <= g1.max_velocity * (i - last[1]) * dt + 1e-9).all()
        last = (result.position, i)


def test_frames_that_are_not_finite_are_refused_and_forgotten(retargeter: BodyRetargeter) -> None:
    samples = seconds(0.5)
    clean = positions(retargeter, samples)
    retargeter.reset()
    for sample in samples[:-1]:
        retargeter.step(sample)
        spoilt = replace(sample, stamp=sample.stamp + 1, position=np.full_like(sample.position, np.nan))
        refused = retargeter.step(spoilt)
        assert refused.position is None
        assert refused.reasons == ("not_finite",)
    last = retargeter.step(samples[-1]).position
    assert last is not None
    np.testing.assert_array_equal(last, clean[-1])


def test_frames_out_of_order_and_absurd_ones_are_refused(retargeter: BodyRetargeter) -> None:
    retargeter.reset()
    retargeter.step(t_pose(SECOND))
    assert retargeter.step(t_pose(SECOND)).reasons == ("out_of_order",)
    giant = replace(t_pose(2 * SECOND), position=20.0 * t_pose(0).position)
    assert retargeter.step(giant).reasons == ("absurd_frame",)


def test_lost_bodies_are_left_out(retargeter: BodyRetargeter) -> None:
    samples = seconds(0.5)
    lost = np.array([0.0 if name in ("left_upper_arm", "left_forearm", "left_hand") else 1.0 for name in samples[0].names])
    retargeter.reset()
    for sample in samples:
        assert retargeter.step(replace(sample, confidence=lost)).position is not None


def test_fixed_base_stays(g1: RobotModel) -> None:
    fixed = BodyRetargeter(g1, RetargetConfig(floating_base=False))
    result = [fixed.step(replace(sample, position=sample.position + np.array([3.0, 1.0, 0.0]))) for sample in seconds(0.5)][-1]
    np.testing.assert_allclose(result.base_position, [0.0, 0.0, g1.description.base_height], atol=1e-9)
    np.testing.assert_allclose(result.base_orientation_xyzw, [0.0, 0.0, 0.0, 1.0], atol=1e-9)


PURE = """
import sys; sys.path.insert(0, sys.argv[1])
import numpy as np
from kata_model import load_robot
from kata_model.compiled import COMPILED
from kata_retarget import BodyRetargeter, RetargetConfig
from moving_human import swinging
assert not COMPILED
retargeter = BodyRetargeter(load_robot("g1"), RetargetConfig(start_iterations=3))
np.save(sys.argv[2], [retargeter.step(swinging(i / 30)).position for i in range(3)])
"""


@pytest.mark.slow
def test_pure_numpy_gives_the_same(g1: RobotModel, tmp_path: Path) -> None:
    out = tmp_path / "pure.npy"
    subprocess.run(
        [sys.executable, "-c", PURE, str(Path(__file__).parents[1] / "makers"), str(out)],
        check=True,
        env={**os.environ, "KATA_PURE_NUMPY": "1"},
    )
    compiled = BodyRetargeter(g1, RetargetConfig(start_iterations=3))
    expected = [compiled.step(swinging(i / FPS)).position for i in range(3)]
    np.testing.assert_allclose(np.load(out), expected, atol=1e-6)
