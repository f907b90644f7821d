# SPDX-License-Identifier: Apache-2.0
"""Clips: any skeleton gives the same human."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from humans import CMU, CONVENTIONS, TREE, Human, human, write_bvh
from scipy.spatial.transform import Rotation

from kata_model.errors import ClipError
from kata_model.frames import BODIES
from kata_retarget.mocap import ClipOptions, MotionClip, load_clip
from kata_retarget.mocap.smpl import SMPL_JOINTS


@pytest.fixture(scope="module")
def who() -> Human:
    return human()


def degrees_apart(clip: MotionClip, who: Human, first: int = 0) -> dict[str, float]:
    """Return the largest difference of orientations by body."""
    apart = {}
    for i, name in enumerate(clip.names):
        difference = who.turn[name][first:].inv() * Rotation.from_quat(clip.orientation_xyzw[:, i])
        apart[name] = float(np.degrees(difference.magnitude().max()))
    return apart


@pytest.mark.parametrize("name", [name for name in CONVENTIONS if name not in ("lafan", "classic")])
def test_every_convention_gives_the_same_human(tmp_path: Path, who: Human, name: str) -> None:
    clip = load_clip(write_bvh(tmp_path / "a.bvh", who, CONVENTIONS[name]))
    assert clip.names == BODIES
    assert clip.fps == 60.0
    np.testing.assert_allclose(clip.position, who.position, atol=2e-3)
    assert max(degrees_apart(clip, who).values()) < 0.1, clip.notes


def test_bones_along_x_are_calibrated_from_the_motion(tmp_path: Path, who: Human) -> None:
    clip = load_clip(write_bvh(tmp_path / "a.bvh", who, CONVENTIONS["lafan"]))
    assert any("from the motion" in note for note in clip.notes)
    np.testing.assert_allclose(clip.position, who.position, atol=2e-3)
    apart = degrees_apart(clip, who)
    assert (
        max(apart[f"{s}_{part}"] for s in ("left", "right") for part in ("thigh", "shin", "foot", "upper_arm", "forearm")) < 4.0
    )
    assert max(apart.values()) < 12.0, apart


@pytest.mark.parametrize(
    ("unit", "said"), [(1.0, "unit: m,"), (1000.0, "mm"), (100.0, "cm"), (1 / 0.0254, "inch"), (7.0, "unknown")]
)
def test_unit_is_found_and_told(tmp_path: Path, who: Human, unit: float, said: str) -> None:
    clip = load_clip(write_bvh(tmp_path / "a.bvh", who, dataclasses.replace(CMU, unit=unit)))
    assert any(note.startswith("unit:") and said in note for note in clip.notes)
    assert clip.position[:, clip.index("head"), 2].mean() == pytest.approx(1.42, abs=0.06)


def test_lost_thorax_and_t_pose_are_mended_and_told(tmp_path: Path) -> None:
    who = human(t_pose_first=True)
    missing = ("neck", "left_clavicle", "right_clavicle")
    clip = load_clip(write_bvh(tmp_path / "a.bvh", who, CMU, missing))
    assert any("thorax" in note for note in clip.notes)
    assert any("frame 0 is a rest pose: dropped" in note for note in clip.notes)
    assert len(clip) == 239
    np.testing.assert_allclose(clip.position, who.position[1:], atol=2e-3)
    assert max(degrees_apart(clip, who, 1).values()) < 0.1


def test_mirrored_human_gives_mirrored_clip(tmp_path: Path, who: Human) -> None:
    flip = np.array([1.0, -1.0, 1.0])
    other = {"left": "right", "right": "left"}

    def swap(name: str) -> str:
        side, _, part = name.partition("_")
        return f"{other[side]}_{part}" if side in other else name

    quat = np.array([-1.0, 1.0, -1.0, 1.0])
    turn = {swap(name): Rotation.from_quat(q.as_quat() * quat) for name, q in who.turn.items()}
    mirrored = Human(turn, {swap(name): at * flip for name, at in who.joint.items()}, who.fps)
    a = load_clip(write_bvh(tmp_path / "a.bvh", who, CMU))
    b = load_clip(write_bvh(tmp_path / "b.bvh", mirrored, CMU))
    order = [a.names.index(swap(name)) for name in a.names]
    np.testing.assert_allclose(b.position, a.position[:, order] * flip, atol=1e-4)
    dot = np.abs(np.sum(b.orientation_xyzw * a.orientation_xyzw[:, order] * quat, axis=-1))
    np.testing.assert_allclose(dot, 1.0, atol=1e-6)


def test_bones_keep_their_lengths(tmp_path: Path, who: Human) -> None:
    clip = load_clip(write_bvh(tmp_path / "a.bvh", who, CMU))
    for upper, lower in (("left_thigh", "left_shin"), ("right_forearm", "right_hand"), ("torso", "head")):
        bone = np.linalg.norm(clip.position[:, clip.index(upper)] - clip.position[:, clip.index(lower)], axis=-1)
        assert np.ptp(bone) < (0.05 if upper == "torso" else 1e-5)


@pytest.mark.parametrize("digits", [4, 6, 8])
def test_printed_frame_time_gives_the_rate_that_was_meant(tmp_path: Path, who: Human, digits: int) -> None:
    path = write_bvh(tmp_path / "a.bvh", who, CMU)
    text = path.read_text().replace(f"Frame Time: {1 / 60:.7f}", f"Frame Time: {1 / 30:.{digits}f}")
    path.write_text(text)
    assert load_clip(path).fps == 30.0


def test_resampling_keeps_motion_and_time(tmp_path: Path, who: Human) -> None:
    clip = load_clip(write_bvh(tmp_path / "a.bvh", who, CMU))
    half = clip.resample(30.0)
    assert len(half) == 120
    np.testing.assert_allclose(half.position, clip.position[::2], atol=1e-12)
    back = half.resample(60.0)
    assert back.duration == pytest.approx(half.duration)
    np.testing.assert_allclose(back.position, clip.position[: len(back)], atol=2e-3)
    np.testing.assert_allclose(np.linalg.norm(clip.resample(47.0).orientation_xyzw, axis=-1), 1.0)


def test_frames_are_samples_of_a_live_source(tmp_path: Path, who: Human) -> None:
    frames = load_clip(write_bvh(tmp_path / "a.bvh", who, CMU)).frames(5, 123, True)
    assert (frames.stamp, frames.engaged, frames.names) == (123, True, BODIES)
    assert frames.find("left_hand") is not None


def smpl_of(who: Human) -> dict[str, np.ndarray]:
    """Return where SMPL's joints are, by its names; the spine's middle joint is left where spine and chest meet."""
    names = {"spine1": "spine", "spine2": "spine", "spine3": "chest"}
    words = ("clavicle", "collar"), ("upper_arm", "shoulder"), ("forearm", "elbow"), ("hand", "wrist")
    words += ("thigh", "hip"), ("shin", "knee"), ("foot", "ankle"), ("toes", "foot")
    names |= {f"{s}_{smpl}": f"{s}_{kata}" for s in ("left", "right") for kata, smpl in words}
    return {name: who.joint["hips" if name == "pelvis" else names.get(name, name)] for name in SMPL_JOINTS}


def write_amass(path: Path, who: Human) -> tuple[Path, Path]:
    """Write an AMASS clip and a body model whose vertices are its joints."""
    to_smpl = Rotation.from_matrix([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    still = human(20, t_pose_first=True)
    rest = to_smpl.apply(np.array([at[0] - still.joint["hips"][0] for at in smpl_of(still).values()]))
    bodies = [next(TREE[k][1] for k, v in who.joint.items() if v is at) for at in smpl_of(who).values()]
    turn = {name: who.turn[body] * to_smpl.inv() for name, body in zip(SMPL_JOINTS, bodies, strict=True)}
    parents = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)
    local = [
        turn[name] if parent < 0 else turn[SMPL_JOINTS[parent]].inv() * turn[name]
        for name, parent in zip(SMPL_JOINTS, parents, strict=True)
    ]
    poses = np.concatenate([q.as_rotvec() for q in local], axis=1)
    poses = np.concatenate((poses, np.zeros((len(poses), 90))), axis=1)
    np.savez(path, poses=poses, trans=who.joint["hips"], mocap_framerate=who.fps, betas=np.array([1.0, 0.0]), gender="neutral")
    shape = np.zeros((22, 3, 2))
    shape[:, :, 0] = 0.1 * rest
    model = path.with_name("model.npz")
    np.savez(model, v_template=0.9 * rest + 0.0, shapedirs=shape, J_regressor=np.eye(22))
    return path, model


def test_amass_with_a_body_model(tmp_path: Path, who: Human) -> None:
    path, model = write_amass(tmp_path / "walk_poses.npz", who)
    clip = load_clip(path, ClipOptions(body_model=model))
    np.testing.assert_allclose(clip.position, who.position, atol=2e-3)
    assert max(degrees_apart(clip, who).values()) < 0.5, (clip.notes, degrees_apart(clip, who))


def test_amass_without_a_body_model_says_what_to_do(tmp_path: Path, who: Human) -> None:
    path, _ = write_amass(tmp_path / "walk_poses.npz", who)
    with pytest.raises(ClipError, match="--body-model"):
        load_clip(path)


@pytest.mark.parametrize("mirrored", [False, True])
def test_positions_only(tmp_path: Path, who: Human, mirrored: bool) -> None:
    at = smpl_of(who)
    position = np.stack(list(at.values()), axis=1) @ np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]).T * 100.0
    if mirrored:
        position = position * [-1.0, 1.0, 1.0]
    path = tmp_path / "a.npz"
    np.savez(path, names=np.array(list(at)), positions=position, fps=60.0)
    clip = load_clip(path)
    bodies = [i for i, name in enumerate(clip.names) if name != "torso"]
    np.testing.assert_allclose(clip.position[:, bodies], who.position[:, bodies], atol=2e-3)
    apart = degrees_apart(clip, who)
    assert max(value for name, value in apart.items() if name not in ("head", "pelvis", "torso")) < 12.0, apart
    assert max(apart.values()) < 20.0, apart
    assert any("mirrored" in note for note in clip.notes) == mirrored


def test_an_array_of_smpl_joints_needs_its_rate(tmp_path: Path, who: Human) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.stack(list(smpl_of(who).values()), axis=1))
    with pytest.raises(ClipError, match="--clip-fps"):
        load_clip(path)
    assert load_clip(path, ClipOptions(fps=20.0)).fps == 20.0


def test_hanging_arms_and_feet_without_toes(tmp_path: Path, who: Human) -> None:
    clip = load_clip(write_bvh(tmp_path / "a.bvh", who, CONVENTIONS["classic"]))
    assert clip.names == tuple(name for name in BODIES if not name.endswith("_toes"))
    rows = [BODIES.index(name) for name in clip.names]
    np.testing.assert_allclose(clip.position, who.position[:, rows], atol=2e-3)
    assert max(degrees_apart(clip, who).values()) < 0.1, clip.notes


def test_slower_clip_is_the_same_motion_in_more_time(tmp_path: Path, who: Human) -> None:
    clip = load_clip(write_bvh(tmp_path / "a.bvh", who, CMU))
    slow = load_clip(write_bvh(tmp_path / "b.bvh", dataclasses.replace(who, fps=20.0), CMU))
    assert slow.duration == pytest.approx(3.0 * clip.duration)
    np.testing.assert_array_equal(slow.position, clip.position)
