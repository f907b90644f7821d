# SPDX-License-Identifier: Apache-2.0
"""Clips of people, real ones where there are any: what the loader finds out about them is true."""

import os
from pathlib import Path

import numpy as np
import own_clips
import pytest
from scipy.spatial.transform import Rotation

from kata_retarget.mocap import MotionClip, load_clip
from kata_retarget.mocap.body_map import find_bodies
from kata_retarget.mocap.bvh import read_bvh

CLIPS = Path(os.environ.get("KATA_MOCAP", Path(__file__).parents[3] / "shared/mocap"))
real = pytest.mark.skipif(not CLIPS.is_dir(), reason="no shared/mocap beside the repository")

EXACT = ("cmu_02_01_walk", "cmu_02_04_jump_balance", "cmu_03_01_uneven_terrain")
CGSPEED = ("cmu_12_01_walk", "cmu_08_05_stride", "cmu_05_14_ballet_dance")


OWN = own_clips.CLIPS


def some(*names: str) -> list[object]:
    """Return our own clips, and real ones that are skipped where there are none."""
    return [*OWN, *(pytest.param(name, marks=real) for name in names)]


@pytest.fixture
def folder(tmp_path: Path, name: str) -> Path:
    """Return where a clip is; one of our own is made first."""
    return own_clips.clip(tmp_path, name).parent if name in OWN else CLIPS


def load(name: str, folder: Path = CLIPS) -> MotionClip:
    return load_clip(folder / f"{name}.bvh")


@pytest.mark.parametrize("name", some(*EXACT, *CGSPEED))
def test_a_human_stands_on_the_floor(name: str, folder: Path) -> None:
    clip = load(name, folder)
    assert clip.fps == pytest.approx(own_clips.FPS if name in OWN else 120.0, rel=1e-4)
    assert any("ASF" in note for note in clip.notes)
    ankles = clip.position[:, [clip.index("left_foot"), clip.index("right_foot")], 2].min(axis=1)
    assert 0.03 < np.percentile(ankles, 5.0) < 0.10
    assert 1.3 < np.percentile(clip.position[:, clip.index("head"), 2], 50.0) < 1.75
    assert np.median(clip.position[:, clip.index("pelvis"), 2]) > 0.7


@real
@pytest.mark.parametrize("name", CGSPEED)
def test_cgspeed_faults_are_found(name: str) -> None:
    clip = load(name)
    assert any("thorax" in note for note in clip.notes)
    assert any("frame 0 is a rest pose" in note for note in clip.notes)
    raise_of_head = clip.position[:, clip.index("head"), 2] - clip.position[:, clip.index("pelvis"), 2]
    assert np.percentile(raise_of_head, 95.0) > 0.55


@pytest.mark.parametrize("name", some(*EXACT))
def test_exact_clips_are_left_alone(name: str, folder: Path) -> None:
    assert not any("thorax" in note or "dropped" in note for note in load(name, folder).notes)


@real
@pytest.mark.parametrize("name", CGSPEED)
def test_the_t_pose_is_the_reference_pose(tmp_path: Path, name: str) -> None:
    text = (CLIPS / f"{name}.bvh").read_text()
    head, _, rows = text.partition("Frame Time: .0083333")
    t_pose = rows.strip().splitlines()[0]
    path = tmp_path / "t_pose.bvh"
    frames = head.rpartition("Frames:")[0] + "Frames: 2\n"
    path.write_text(frames + f"Frame Time: .0083333\n{t_pose}\n{t_pose}\n")
    clip = load_clip(path)
    turn = np.degrees(Rotation.from_quat(clip.orientation_xyzw[0]).magnitude())
    # the T-pose droops the arms by 8 degrees and nods the head by 16
    assert max(t for t, body in zip(turn, clip.names, strict=True) if body != "head") < 9.0


@pytest.mark.parametrize("name", [name for name in some(*EXACT) if name != "boxing"])  # who boxes hides the arms' bones
def test_unknown_names_are_found_by_bones(tmp_path: Path, name: str, folder: Path) -> None:
    text = (folder / f"{name}.bvh").read_text()
    motion = read_bvh(folder / f"{name}.bvh")
    for i, joint in enumerate(motion.skeleton.names):
        for kind in ("ROOT", "JOINT"):
            text = text.replace(f"{kind} {joint}\n", f"{kind} x{i}\n")
    path = tmp_path / "renamed.bvh"
    path.write_text(text)
    by_names, by_bones = find_bodies(motion, ""), find_bodies(read_bvh(path), "")
    assert by_bones.joints == by_names.joints
