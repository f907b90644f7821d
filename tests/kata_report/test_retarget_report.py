# SPDX-License-Identifier: Apache-2.0
"""`kata retarget … --report`: pages that stand by themselves, and verdicts that find what is wrong."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from humans import CMU, human, write_bvh
from page_checker import Checker, need_rendering

from kata.cli import main
from kata_model import RobotModel, Trajectory, load_robot
from kata_report.retarget.retarget_pictures import interesting_frames
from kata_report.retarget.retarget_report import clip_page, index_page, index_row
from kata_report.retarget.retarget_verdict import find_faults
from kata_report.retarget.retarget_view import ClipView, view_clip
from kata_retarget.jobs import ClipJob, ClipResult, run_jobs
from kata_retarget.mocap import ClipOptions
from kata_sim import SelfCollision


@pytest.fixture(scope="module")
def g1() -> RobotModel:
    return load_robot("g1")


@pytest.fixture(scope="module")
def result(tmp_path_factory) -> ClipResult:
    clip = write_bvh(tmp_path_factory.mktemp("clips") / "march.bvh", human(120), CMU)
    return next(run_jobs([ClipJob(clip, None, "g1", 30.0, "offline", ClipOptions(), adapt=True)], 1))


@pytest.fixture(scope="module")
def view(g1, result) -> ClipView:
    return view_clip(g1, result, None)


def changed(g1: RobotModel, result: ClipResult, **arrays: np.ndarray) -> ClipView:
    """Return the view of the unadapted motion with some arrays replaced."""
    assert result.adaptation is not None
    motion = replace(result.adaptation.original, **arrays)
    return view_clip(g1, replace(result, trajectory=motion, adaptation=None), None)


def check(text: str) -> None:
    checker = Checker()
    checker.feed(text)
    assert checker.faults == []
    assert checker.open == []


def test_a_page_stands_by_itself_and_tells_everything(g1, view):
    text = clip_page(g1, view, None)
    check(text)
    titles = re.findall(r"<h2>(.*?)</h2>", text)
    assert titles == ["Verdict", "How well it fits", "Feet", "Velocities", "Dynamics", "Calibration"]
    assert "unit: CMU&#39;s ASF unit" in text
    assert "times as long" in text


def test_a_clip_in_order_is_clean(g1, result):
    assert find_faults(changed(g1, result)) == []


def test_what_the_dynamics_forbid_is_a_fault(view):
    # who marches without shifting the weight would fall, slow or fast
    assert [str(fault) for fault in find_faults(view) if "motors, floor or gravity cannot do" in str(fault)]


def test_a_robot_under_the_floor_is_found(g1, result):
    motion = result.adaptation.original
    low = motion.base_position - [0.0, 0.0, 0.03]
    faults = [str(fault) for fault in find_faults(changed(g1, result, base_position=low))]
    assert any("left sole is up to 3" in text and "under the floor" in text for text in faults), faults
    assert any("right sole" in text for text in faults)


def test_a_jump_of_a_joint_is_found_where_it_is(g1, result):
    motion = result.adaptation.original
    position = motion.joint_position.copy()
    position[30:, g1.layout.names.index("left_shoulder_pitch_joint")] -= 1.4
    faults = [str(fault) for fault in find_faults(changed(g1, result, joint_position=position))]
    assert "joints jump, most the left shoulder pitch, at 1.0 s" in faults
    assert any(text.startswith("joints are faster than their motors, most the left shoulder pitch") for text in faults)


def test_a_sliding_foot_is_found(g1, result):
    motion = result.adaptation.original
    away = motion.base_position + np.outer(motion.stamp, [0.2, 0.0, 0.0])
    faults = [str(fault) for fault in find_faults(changed(g1, result, base_position=away))]
    assert any("foot slides in contact" in text for text in faults)


def test_arms_through_the_body_are_found(g1, result):
    motion = result.adaptation.original
    position = motion.joint_position.copy()
    position[:, g1.layout.names.index("left_shoulder_roll_joint")] = g1.lower[g1.layout.names.index("left_shoulder_roll_joint")]
    inside = replace(result, trajectory=replace(motion, joint_position=position), adaptation=None)
    faults = [str(fault) for fault in find_faults(view_clip(g1, inside, SelfCollision(g1).beyond_rest))]
    assert any("touches itself" in text for text in faults), faults


def test_interesting_moments_are_ordered_and_differ(view):
    rows = interesting_frames(view, 6)
    assert rows == sorted(set(rows))
    assert len(rows) == 6
    assert rows[0] == 0


def test_the_human_is_slowed_as_the_robot_was(g1, result):
    slowed = replace(result.adaptation, trajectory=doubled(result.adaptation.original), time=halves(result.adaptation.original))
    view = view_clip(g1, replace(result, trajectory=slowed.trajectory, adaptation=slowed), None)
    assert len(view.human) == len(slowed.trajectory.stamp)
    assert view.figures["keypoint_error_cm"] == pytest.approx(view_clip(g1, result, None).figures["keypoint_error_cm"], rel=0.3)


def doubled(motion: Trajectory) -> Trajectory:
    """Return the motion at half the speed, every posture twice."""
    arrays = {name: np.repeat(getattr(motion, name), 2, axis=0) for name in ("joint_position", "base_position", "contact")}
    turn = np.repeat(motion.base_orientation_xyzw, 2, axis=0)
    stamp = np.arange(2 * len(motion.stamp)) / 30.0
    return Trajectory(motion.joint_names, base_orientation_xyzw=turn, stamp=stamp, **arrays)


def halves(motion: Trajectory) -> np.ndarray:
    return np.repeat(motion.stamp, 2)


def test_the_list_leads_to_pages_and_names_failures(g1, view):
    row = index_row(view, "pages/000_march.html")
    text = index_page(g1, [row, row], [("bad.bvh", "cut <off>")])
    check(text)
    assert text.count('href="pages/000_march.html"') == 2
    assert "cut &lt;off&gt;" in text


@pytest.mark.slow
def test_the_command_writes_a_page_with_pictures(tmp_path: Path, capsys):
    need_rendering()
    clip, page = write_bvh(tmp_path / "march.bvh", human(60), CMU), tmp_path / "march.html"
    assert main(["retarget", str(clip), "--robot", "g1", "--report", str(page)]) == 0
    text = page.read_text()
    check(text)
    assert text.count("data:image/jpeg") == 8
    assert "clean" in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["march.bvh", "march.html"]
    assert "report" in capsys.readouterr().out


@pytest.mark.slow
def test_many_clips_become_a_list_with_pages(tmp_path: Path, capsys):
    clips = tmp_path / "clips"
    clips.mkdir()
    good = write_bvh(clips / "a.bvh", human(30), CMU)
    write_bvh(clips / "b.bvh", human(30), CMU)
    (clips / "c.bvh").write_text(good.read_text()[:5000])
    assert main(["retarget", str(clips), "--report", str(tmp_path / "all.html"), "--jobs", "1"]) == 2
    text = (tmp_path / "all.html").read_text()
    check(text)
    links = re.findall(r'href="(.*?)"', text)
    assert links == ["all/000_a.html", "all/001_b.html"]
    for link in links:
        check((tmp_path / link).read_text())
    assert "c.bvh" in text


def test_without_rendering_the_page_has_no_pictures(tmp_path: Path, monkeypatch, caplog):
    from kata_report import pictures
    from kata_sim import RenderError

    def refuse(*_: object) -> None:
        raise RenderError("no EGL", fix="install it")

    monkeypatch.setattr(pictures, "PoseRenderer", refuse)
    clip, page = write_bvh(tmp_path / "march.bvh", human(30), CMU), tmp_path / "march.html"
    assert main(["retarget", str(clip), "--report", str(page), "--quiet"]) == 0
    assert "Side by side" not in page.read_text()
    assert "no EGL (install it)" in caplog.text
