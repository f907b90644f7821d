# SPDX-License-Identifier: Apache-2.0
"""`kata check`: exit codes, figures and page, on trajectories and bags."""

import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from kata.cli import main
from kata_data.episodes.episode import read_episode
from kata_data.replay.checking import Checker, find_inputs
from kata_data.replay.replaying import recorded_verdicts
from kata_model.trajectory import Trajectory
from kata_report.pages.check_charts import risk_map, worst_joints
from kata_safety import SafetyConfig

ELBOW = "right_elbow_joint"


@pytest.fixture(scope="module")
def checker(g1):
    return Checker(g1, SafetyConfig())


def write_trajectory(path, robot, size):
    """Write a swing of the right elbow and back in 2 s, joints in reverse order, the robot standing."""
    position = np.tile(robot.rest, (61, 1))
    position[:, robot.layout.names.index(ELBOW)] += size * 0.5 * (1.0 - np.cos(np.linspace(0.0, 2.0 * np.pi, 61)))
    base, turn = np.tile([0.0, 0.0, 0.8], (61, 1)), np.tile([0.0, 0.0, 0.0, 1.0], (61, 1))
    feet = np.ones((61, 2), dtype=bool)
    Trajectory(robot.layout.names[::-1], position[:, ::-1], base, turn, np.arange(61) / 30.0, feet).save(path)
    return path


def test_exit_codes_figures_and_page(g1, tmp_path, capsys):
    assert main(["check", str(write_trajectory(tmp_path / "good.npz", g1, 0.4))]) == 0
    assert "good.npz: clean" in capsys.readouterr().out
    write_trajectory(tmp_path / "wild<i>.npz", g1, 6.0)
    assert main(["check", str(tmp_path), "--out", str(tmp_path / "check.html"), "--json", str(tmp_path / "check.json")]) == 1
    said, numbers = capsys.readouterr().out, json.loads((tmp_path / "check.json").read_text())
    assert re.search(rf"wild<i>\.npz: position 1 \(worst {ELBOW} \d+% at 1\.00 s\)", said)
    assert "1 of 2 clean" in said
    assert (numbers["clean"], numbers["bad"]) == (1, [])
    by_name = {file["path"].split("/")[-1]: file for file in numbers["files"]}
    assert by_name["good.npz"]["violations_position"] == 0 < by_name["wild<i>.npz"]["violations_position"]
    assert by_name["wild<i>.npz"]["greatest_change_rad"] > 1.0 > by_name["good.npz"]["greatest_change_rad"]
    page = (tmp_path / "check.html").read_text()
    assert "wild&lt;i&gt;.npz" in page and "wild<i>" not in page
    assert "right elbow" in page
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page), "something is loaded from elsewhere"


def test_one_bad_input_costs_a_line_and_not_the_others(g1, tmp_path, capsys):
    write_trajectory(tmp_path / "good.npz", g1, 0.4)
    (tmp_path / "broken.npz").write_bytes(b"nothing")
    assert main(["check", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert "broken.npz: not a trajectory" in said.err
    assert "good.npz: clean" in said.out and "1 of 1 clean, 0 violations, 1 unusable" in said.out
    assert main(["check", str(tmp_path / "none")]) == 2
    assert "no such file or folder" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main(["check", str(tmp_path / "empty")]) == 2
    assert "holds neither bags nor trajectories" in capsys.readouterr().err


def test_bags_and_trajectories_are_found_in_folders(bags, g1, tmp_path):
    clip = write_trajectory(tmp_path / "a.npz", g1, 0.1)
    assert find_inputs([bags, clip, tmp_path]) == [*sorted(bags.iterdir()), clip]


def test_a_bag_is_checked_by_stream(make_bag, checker, g1, tmp_path):
    bag = make_bag()
    target = checker.check(bag)
    assert (target.stream, target.base) == ("target", None)
    assert target.motion.seconds[-1] == pytest.approx(0.4, abs=0.02)
    measured = Checker(g1, SafetyConfig(), "measured").check(bag)
    assert measured.stream == "measured"
    assert len(measured.motion) == 100
    assert target.numbers()["verdicts_compared"] > 90


def test_each_verdict_finds_its_command(make_bag, g1):
    episode = read_episode(make_bag(), g1.layout)
    verdicts = recorded_verdicts(episode)
    assert [v.command.stamp for v in verdicts] == [v.source_stamp for v in verdicts] == episode.command.stamp.tolist()


def test_charts_are_well_formed(checker, g1, tmp_path):
    checked = checker.check(write_trajectory(tmp_path / "wild.npz", g1, 6.0))
    for svg in (risk_map(checked, g1.layout.names), worst_joints(checked, g1)):
        text = "".join(ElementTree.fromstring(svg).itertext())
        assert "right elbow" in text
