# SPDX-License-Identifier: Apache-2.0
"""From a URDF to a robot's folder of data."""

import re
from pathlib import Path

import box_humanoid as box
import numpy as np
import own_clips
import pinocchio as pin
import pytest

from kata.cli import main
from kata_model import KataError, load_robot
from kata_model.robot import load_description
from kata_model.robot.retarget_table import load_table
from kata_retarget import retarget_clip
from kata_retarget.drafting import add_robot, check_robot, folder, name_of
from kata_retarget.drafting.draft import draft_robot
from kata_retarget.drafting.text import keypoints
from kata_retarget.mocap import load_clip

ROBOTS = load_description("g1").urdf.parents[2]
MOCAP = Path(__file__).resolve().parents[3] / "shared" / "mocap"


@pytest.fixture
def urdf(tmp_path: Path) -> Path:
    return box.write_box_humanoid(tmp_path / "box.urdf")


def test_groups_follow_the_tree(urdf: Path) -> None:
    groups = draft_robot(urdf, "box").robot.description.groups
    assert {name: len(joints) for name, joints in groups.items()} == {
        "left_leg": 6,
        "right_leg": 6,
        "waist": 1,
        "left_arm": 5,
        "right_arm": 5,
        "head": 1,
    }
    assert groups["left_arm"][0] == "left_shoulder_pitch" and groups["right_leg"][3] == "right_knee"


def test_fingers_are_held_and_the_rest_moves(urdf: Path) -> None:
    robot = draft_robot(urdf, "box").robot
    assert sorted(robot.description.held) == ["left_finger", "right_finger"]
    assert len(robot.layout) == 24


def test_landmarks_are_where_the_boxes_are(urdf: Path) -> None:
    draft = draft_robot(urdf, "box")
    robot = draft.robot
    names = {group: str(robot.pinocchio.names[limb.hinge]) for group, limb in draft.limbs.items()}
    assert names["left_leg"] == "left_knee" and names["right_arm"] == "right_elbow"
    hip, shoulder = draft.limbs["left_leg"].start, draft.limbs["left_arm"].start
    assert hip.frame == "pelvis"
    np.testing.assert_allclose(hip.offset, [0.0, box.ACROSS_HIP, box.HIP], atol=1e-4)
    assert shoulder.frame == "chest_0"
    np.testing.assert_allclose(shoulder.offset, [0.0, box.ACROSS_SHOULDER, box.SHOULDER - 0.1], atol=1e-4)
    assert robot.description.base_height == pytest.approx(-box.SOLE)


def test_soles_are_the_undersides_of_the_feet(urdf: Path) -> None:
    for sole in draft_robot(urdf, "box").soles:
        np.testing.assert_allclose(sole.offset[:, 2], box.SOLE - box.ANKLE, atol=1e-6)
        np.testing.assert_allclose(sole.offset.max(axis=0)[:2], [0.17, 0.05], atol=1e-6)
        np.testing.assert_allclose(sole.offset.min(axis=0)[:2], [-0.07, -0.05], atol=1e-6)


def test_at_rest_arms_hang_a_little_away_with_bent_elbows(urdf: Path) -> None:
    draft = draft_robot(urdf, "box")
    place = dict(zip(keypoints(draft), _points(draft), strict=True))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        upper = place[f"{side}_forearm"] - place[f"{side}_upper_arm"]
        fore = place[f"{side}_hand"] - place[f"{side}_forearm"]
        np.testing.assert_allclose(upper / np.linalg.norm(upper), [0.0, sign * np.sin(0.2), -np.cos(0.2)], atol=0.03)
        np.testing.assert_allclose(fore / np.linalg.norm(fore), [np.sin(0.8), 0.0, -np.cos(0.8)], atol=0.03)


def _points(draft) -> list[np.ndarray]:
    places = keypoints(draft)
    poses = draft.robot.frame_poses(draft.robot.rest, tuple(place.frame for place in places.values()))
    return [pose.act(place.offset) for place, pose in zip(places.values(), poses, strict=True)]


def test_gains_are_mirrored_and_within_the_efforts(urdf: Path) -> None:
    robot = draft_robot(urdf, "box").robot
    error_at_limit = robot.max_effort / robot.stiffness
    assert (error_at_limit > 0.14).all() and (error_at_limit < 0.82).all() and (robot.damping > 0.0).all()
    left, right = (robot.layout.indices(robot.description.groups[f"{side}_leg"]) for side in ("left", "right"))
    np.testing.assert_allclose(robot.stiffness[left], robot.stiffness[right])


@pytest.mark.parametrize("position", [0.0, 0.7])
def test_held_joints_are_rigid_where_they_are_held(urdf: Path, tmp_path: Path, position: float) -> None:
    draft = draft_robot(urdf, "box")
    (tmp_path / "robot.yaml").write_text(
        f"name: box\nurdf: box.urdf\nbase_link: pelvis\nbase_height: 1\ngroups: {{}}\ngains: {{'.*': [1, 1]}}\n"
        f"held: {{'.*_finger': {position}}}\n"
    )
    robot = load_robot(tmp_path)
    whole = pin.buildModelFromUrdf(str(urdf))
    configuration = pin.neutral(whole)
    for side in ("left", "right"):
        configuration[whole.joints[whole.getJointId(f"{side}_finger")].idx_q] = position
    data = whole.createData()
    pin.framesForwardKinematics(whole, data, configuration)
    expected = data.oMf[whole.getFrameId("left_arm_5")]
    (found,) = robot.frame_poses(np.zeros(len(draft.robot.layout)), ("left_arm_5",))
    np.testing.assert_allclose(found.homogeneous, expected.homogeneous, atol=1e-7)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"velocity": 0.0}, "joint left_knee has no velocity or effort limit"),
        ({"mesh": "meshes/nowhere.stl"}, "no such mesh: meshes/nowhere.stl"),
        ({"mesh": "package://not_there/meshes/head.stl"}, "package not_there of mesh"),
        ({"legs": False}, "not a humanoid"),
        ({"turned": True}, "does not face along x"),
    ],
)
def test_what_is_unfit_is_told_and_leaves_nothing(tmp_path: Path, changes: dict, message: str) -> None:
    urdf = box.write_box_humanoid(tmp_path / "box.urdf", **changes)
    with pytest.raises(KataError, match=re.escape(message)):
        add_robot(urdf, "box", tmp_path / "robots" / "box")
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["box.urdf"]


@pytest.mark.parametrize(
    ("text", "message"),
    [("<robot><link></robot>", "not XML"), ("<sdf/>", "not a URDF"), ("<robot name='x'/>", "not a URDF")],
)
def test_what_is_no_urdf_is_refused(tmp_path: Path, text: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.urdf").write_text(text)
    assert main(["robot", "add", str(tmp_path / "bad.urdf"), "--out", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("urdf", "message"),
    [
        ("tiago_description/robots/tiago.urdf", "no two legs"),
        ("solo_description/robots/solo12.urdf", "4 legs"),
        ("bolt_description/robots/bolt.urdf", "not a humanoid"),
        ("icub_description/robots/icub.urdf", "joints named right are on its left"),
    ],
)
def test_real_robots_that_do_not_fit_are_refused(urdf: str, message: str) -> None:
    with pytest.raises(KataError, match=message):
        draft_robot(ROBOTS / urdf, "x")


def test_names_become_folders(urdf: Path) -> None:
    assert name_of(urdf) == "box_humanoid"


def test_a_folder_that_exists_is_kept(urdf: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(KataError, match="exists"):
        add_robot(urdf, "box", tmp_path / "mine")
    assert list((tmp_path / "mine").iterdir()) == []


def test_a_failure_while_writing_leaves_nothing(urdf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "fit_capsules", lambda robot, watch: ())
    monkeypatch.setattr(folder, "store_capsules", lambda found, file: file.write_text("capsules: 3"))
    with pytest.raises(KataError, match="unusable capsules"):
        add_robot(urdf, "box", tmp_path / "robots" / "box")
    assert list((tmp_path / "robots").iterdir()) == []


@pytest.mark.slow
def test_the_folder_loads_and_a_clip_can_be_retargeted(urdf: Path, tmp_path: Path) -> None:
    out = tmp_path / "robots" / "box"
    notes = add_robot(urdf, "box", out)
    assert sorted(p.name for p in out.iterdir()) == [
        "capsules.yaml",
        "picture.svg",
        "retarget.yaml",
        "robot.yaml",
        "safety.yaml",
        "sim.yaml",
    ]
    assert any("finger" in note for note in notes)
    robot = load_robot(out)
    assert not [note for note in check_robot(robot) if "T-pose" in note or "sole" in note]
    assert {row.body for row in load_table(robot).keypoints} >= {"left_hand", "right_foot"}
    for clip in (own_clips.clip(tmp_path, "walking"), *MOCAP.glob("cmu_02_01_walk.bvh")):
        motion = retarget_clip(robot, load_clip(clip), 30.0)
        assert (motion.joint_position <= robot.upper + 1e-9).all() and (motion.joint_position >= robot.lower - 1e-9).all()


def test_a_plain_name_means_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "g1").mkdir()
    monkeypatch.chdir(tmp_path)
    assert load_description("g1").name == "g1"


def test_robots_are_found_on_the_search_path(urdf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "mine" / "robots" / "boxy"
    place.mkdir(parents=True)
    text = "name: boxy\nurdf: ../../../box.urdf\nbase_link: pelvis\nbase_height: 1\ngroups: {}\ngains: {'.*': [1, 1]}\n"
    (place / "robot.yaml").write_text(text)
    monkeypatch.setenv("KATA_CONFIG_PATH", str(tmp_path / "mine"))
    assert load_robot("boxy").description.folder == place
