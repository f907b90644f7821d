# SPDX-License-Identifier: Apache-2.0
import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from page_checker import Checker, need_rendering
from synthetic import simulate_reach, write_bag

from kata.cli import main
from kata_data.episodes.episode import BodySeries, Picture, read_episode
from kata_model.robot.retarget_table import load_table
from kata_report import charts, page
from kata_report.human import track_wrists
from kata_report.measures import distance_to_goal, flag_seconds, latencies, summarise_safety
from kata_report.pages.clip_report import gather, render
from kata_report.pictures import head_strip, instants, jpeg_uri
from kata_report.sections import latency


@pytest.fixture(scope="module")
def episode(bags, g1):
    return read_episode(bags / "episode_0000", g1.layout)


def test_latency_counts_each_sample_once_by_stage(episode):
    stages = {stage.key: stage.milliseconds for stage in latencies([episode])}
    assert len(stages["total"]) == 125  # two commands were made of each frame
    np.testing.assert_allclose(stages["source_to_target"], 1.0)
    np.testing.assert_allclose(stages["target_to_command"], 0.5)
    np.testing.assert_allclose(stages["command_to_recorder"], 0.5)
    np.testing.assert_allclose(stages["total"], 2.0)


def test_latency_of_nothing_is_empty():
    assert all(len(stage.milliseconds) == 0 and np.isnan(stage.quantile(0.5)) for stage in latencies([]))


def test_an_episode_in_lockstep_says_nothing_of_latency(episode):
    lockstep = replace(episode, info=replace(episode.info, custom={**episode.info.custom, "clock": "lockstep"}))
    assert not any(len(stage.milliseconds) for stage in latencies([lockstep]))
    shown = latency([("Policy", [lockstep])])
    assert "waited for every node" in shown and "benchmarks/latency.py" in shown and "<svg" not in shown
    assert "<svg" in latency([("Policy", [lockstep]), ("Demonstrations", [episode])])


def test_distance_falls_to_the_goal(episode, g1):
    seconds, distance = distance_to_goal(episode, g1, "right_palm")
    assert (np.diff(seconds) > 0).all()
    assert distance[0] > 0.05
    assert distance[-1] < 0.01
    assert len(distance_to_goal(episode, g1, "right_palm", goal="cup")[0]) == 0


def test_safety_is_counted_by_status_reason_and_joint(episode, g1):
    summary = summarise_safety([episode, episode])
    assert summary.statuses == {"limited": 100, "following": 400}
    assert summary.reasons == {"acceleration_limit": 100}
    seconds = flag_seconds([episode], len(g1.layout))
    assert seconds["acceleration"][-3] == pytest.approx(0.2, abs=0.005)
    assert sum(values.sum() for values in seconds.values()) == pytest.approx(seconds["acceleration"][-3])


def test_status_bar_covers_the_episode(episode):
    widths = [float(w) for w in re.findall(r"width:([\d.]+)%", page.status_bar(episode))]
    assert sum(widths) == pytest.approx(100.0, abs=0.1)
    assert widths[0] == pytest.approx(20.0, abs=2.0)


def test_charts_are_well_formed_and_share_no_ids(episode, g1):
    index = g1.layout.indices(["right_elbow_joint", "left_knee_joint"])
    drawn = [
        charts.rate_chart(0.95, 0.76, 0.99),
        charts.joint_chart(episode, ["right_elbow_joint", "left_knee_joint"], index, "joints"),
        charts.latency_chart(latencies([episode]), 10.0, 1.0, "latency"),
        charts.approach_chart([(*distance_to_goal(episode, g1, "right_palm"), True)], [], 0.02),
        charts.limit_chart(flag_seconds([episode], len(g1.layout)), g1.layout.names),
    ]
    ids = []
    for svg in drawn:
        tree = ElementTree.fromstring(svg)
        clips = [e.get("id") for e in tree.iter() if e.tag.endswith("clipPath")]
        ids += clips
        assert tree.get("role") == "img"
    assert len(ids) == len(set(ids))


def test_no_limit_gives_no_chart(g1):
    assert charts.limit_chart({"position": np.zeros(len(g1.layout))}, g1.layout.names) == ""


def test_text_from_bags_is_escaped():
    text = page.document("<script>", "a & b", [page.section("<i>", "<b>", "<p>part</p>")], "</footer>")
    assert "<script>" not in text
    assert "&lt;i&gt;" in text


def test_wrists_are_compared_on_arms_of_the_robots_length(episode, g1):
    """A human twice as large, who walks about and turns, moves exactly as the robot does 0.1 s later."""
    seen = _human_like(episode, g1, scale=2.0, lead=0.1)
    track = track_wrists(replace(episode, human=seen), g1)
    assert track is not None
    assert track.delay == pytest.approx(0.1, abs=0.011)
    assert track.error.max() < 0.002


def test_without_an_engaged_human_there_is_no_comparison(episode, g1):
    seen = _human_like(episode, g1, scale=1.0, lead=0.0)
    assert track_wrists(episode, g1) is None
    assert track_wrists(replace(episode, human=replace(seen, engaged=np.zeros(len(seen.stamp), bool))), g1) is None


def _human_like(episode, robot, scale, lead):
    frames = {row.body: row.frame for row in load_table(robot).keypoints}
    bodies = [f"{side}_{part}" for side in ("left", "right") for part in ("upper_arm", "forearm", "hand")]
    stamp = episode.state.stamp[::4]
    angle = np.linspace(0.0, 2.0, len(stamp))
    turns = [np.array([[np.cos(a), -np.sin(a), 0.0], [np.sin(a), np.cos(a), 0.0], [0.0, 0.0, 1.0]]) for a in angle]
    walk = np.stack([angle, -angle, np.ones_like(angle)], axis=1)
    poses = [robot.frame_poses(position, tuple(frames[b] for b in bodies)) for position in episode.state.position[::4]]
    position = {
        body: np.array([w + scale * turn @ row[i].translation for w, turn, row in zip(walk, turns, poses, strict=True)])
        for i, body in enumerate(bodies)
    }
    position["pelvis"] = walk
    upright = np.tile([0.0, 0.0, 0.0, 1.0], (len(stamp), 1))
    heading = np.stack([0 * angle, 0 * angle, np.sin(angle / 2), np.cos(angle / 2)], axis=1)
    orientation = {body: heading if body == "pelvis" else upright for body in position}
    return BodySeries(stamp - round(lead * 1e9), np.ones(len(stamp), bool), position, orientation)


def test_film_strip_takes_the_nearest_picture_once(episode):
    _, data = cv2.imencode(".jpg", np.zeros((4, 4, 3), np.uint8))
    pictures = tuple(Picture(episode.start + i * 100_000_000, bytes(data) + bytes([i])) for i in range(11))
    shots = head_strip(replace(episode, pictures=pictures), [episode.start + t * 1_000_000 for t in (0, 30, 140, 980)])
    assert [round(shot.seconds, 3) for shot in shots] == [0.0, 0.1, 1.0]
    assert shots[1].uri == jpeg_uri(pictures[1].jpeg)
    assert head_strip(episode, [episode.start]) == []


def test_instants_begin_with_the_movement_and_end_with_success(episode):
    stamps = instants(replace(episode, succeeded=0.8), 5)
    assert (np.diff(stamps) > 0).all()
    assert stamps[0] >= episode.start
    assert (stamps[-1] - episode.start) * 1e-9 == pytest.approx(0.9)


@pytest.fixture(scope="module")
def rundir(g1, run_path, saved, tmp_path_factory) -> Path:
    folder, rng = tmp_path_factory.mktemp("rundir"), np.random.default_rng(5)
    for kind, outcomes in (("demonstrations", "ss"), ("rollouts", "sf")):
        for i, outcome in enumerate(outcomes):
            bag = folder / kind / f"episode_{i:04d}"
            write_bag(bag, g1, simulate_reach(g1, rng, seconds=0.6), task_success=str(outcome == "s").lower())
    (folder / "train").symlink_to(run_path)
    (folder / "dataset").symlink_to(saved)
    return folder


@pytest.mark.slow
def test_the_page_stands_by_itself(rundir, tmp_path):
    need_rendering()
    out, figures = tmp_path / "report.html", tmp_path / "report.json"
    assert main(["report", str(rundir), "--out", str(out), "--json", str(figures)]) == 0
    text = out.read_text()
    checker = Checker()
    checker.feed(text)
    assert checker.faults == []
    assert checker.open == []
    for title in ("See it move", "Every attempt", "Target, command, measured", "Latency", "Learning", "Safety", "All episodes"):
        assert f"<h2>{title}</h2>" in text
    numbers = json.loads(figures.read_text())
    assert (numbers["success_rate"], numbers["successes"], numbers["rollouts"]) == (0.5, 1, 2)
    assert numbers["policy_total_p50_ms"] == pytest.approx(2.0)


@pytest.mark.slow
def test_a_clip_page_stands_by_itself(episode, g1):
    need_rendering()
    report = gather([replace(episode, human=_human_like(episode, g1, scale=1.0, lead=0.05))], g1)
    checker = Checker()
    checker.feed(render(report))
    assert checker.faults == []
    assert checker.open == []
    assert report.numbers()["wrist_error_mean_cm"] < 0.5
    assert report.numbers()["share_limited"] == pytest.approx(0.2)


def test_a_folder_without_bags_gets_one_line(tmp_path, capsys):
    assert main(["report", str(tmp_path), "--out", str(tmp_path / "report.html")]) == 2
    assert main(["report", str(tmp_path), "--clip", "--out", str(tmp_path / "report.html")]) == 2
    assert list(tmp_path.iterdir()) == []
    assert "Traceback" not in capsys.readouterr().err


def test_a_clip_report_needs_a_human(bags, tmp_path, capsys):
    assert main(["report", str(bags), "--clip", "--out", str(tmp_path / "report.html")]) == 2
    assert "engaged person" in capsys.readouterr().err
