# SPDX-License-Identifier: Apache-2.0
"""`kata bag check`: grades, exit codes, figures and page, on generated bags good and bad."""

import io
import json
import re
import shutil

import numpy as np
import pytest
from page_checker import Checker
from synthetic import simulate_reach, write_bag

from kata.cli import main
from kata_data.bags.reader import nanoseconds, read_bag
from kata_data.episodes.timing import stream_times
from kata_data.grading import GradingConfig
from kata_data.grading.from_bag import grade_bag
from kata_report.commands.bag_check import answer


def check(*arguments):
    return main(["bag", "check", "--jobs", "1", *map(str, arguments)])


@pytest.fixture(scope="module")
def shown(g1, tmp_path_factory):
    """Return a folder of six reaches by two people."""
    folder, rng = tmp_path_factory.mktemp("shown"), np.random.default_rng(2)
    for i in range(6):
        reach = simulate_reach(g1, rng, seconds=1.2)
        write_bag(folder / f"episode_{i:04d}", g1, reach, operator="ann" if i % 2 else "bob")
    return folder


def everything(topic, _):
    return topic


def test_times_are_those_of_the_messages(make_bag):
    bag = make_bag()
    times = {stream.topic: stream for stream in stream_times(read_bag(bag, everything), ())}
    for topic in ("joint_states", "command", "verdict", "task/state"):
        stream = read_bag(bag, (topic,)).stream(topic)
        assert times[topic].stamp.tolist() == [nanoseconds(message.header.stamp) for message in stream.messages]
        assert times[topic].received.tolist() == stream.received.tolist()
    assert times["joint_states"].sensor
    assert not times["command"].sensor


def test_the_recorders_count_of_losses_is_believed(make_bag):
    bag = make_bag(streams=json.dumps({"/command": {"received": 100, "lost": 7, "refused": 2}}))
    lost = {stream.topic: stream.lost for stream in stream_times(read_bag(bag, everything), ())}
    assert lost == {"command": 9, "joint_states": None, "target": None, "task/state": None, "verdict": None}
    odd = {stream.lost for stream in stream_times(read_bag(make_bag("other", streams="[1"), everything), ())}
    assert odd == {None}


def test_good_episodes_pass_and_a_failure_does_not(shown, g1, tmp_path, capsys):
    assert check(shown, "--json", tmp_path / "q.json") == 0
    said, numbers = capsys.readouterr().out, json.loads((tmp_path / "q.json").read_text())
    assert "6 of 6 at C or better" in said
    assert numbers["grades"]["D"] == numbers["grades"]["F"] == 0
    assert numbers["episodes"][0]["streams"]["joint_states"]["rate"] == pytest.approx(250.0)
    assert numbers["tasks"]["reach the ball"]["operators"] == {"ann": 3, "bob": 3}
    folder = tmp_path / "more"
    shutil.copytree(shown, folder)
    write_bag(folder / "failed", g1, simulate_reach(g1, np.random.default_rng(5)), task_success="false")
    assert check(folder) == 1
    said = capsys.readouterr().out
    assert re.search(r"^D .*/failed: success: saved as a failure", said, re.MULTILINE)
    assert check(folder, "--bar", "D") == 0


def test_a_corrupt_bag_is_named_and_the_rest_is_graded(shown, tmp_path, capsys):
    folder = tmp_path / "mixed"
    shutil.copytree(shown, folder)
    file = next((folder / "episode_0002").glob("*.mcap"))
    file.write_bytes(file.read_bytes()[:5000])
    (folder / "episode_0004/metadata.yaml").write_text("nothing")
    assert check(folder, "--json", tmp_path / "q.json", "--out", tmp_path / "q.html") == 2
    said, numbers = capsys.readouterr(), json.loads((tmp_path / "q.json").read_text())
    assert "episode_0002" in said.err
    assert "episode_0004" in said.err
    assert "4 of 4 at C or better" in said.out
    assert "2 unreadable" in said.out
    assert (len(numbers["episodes"]), len(numbers["bad"])) == (4, 2)
    assert "episode_0002" in (tmp_path / "q.html").read_text()
    assert check(tmp_path / "none") == 2
    assert "no such folder" in capsys.readouterr().err


def test_a_copy_is_worth_a_look(shown, tmp_path, capsys):
    folder = tmp_path / "copied"
    shutil.copytree(shown, folder)
    shutil.copytree(shown / "episode_0001", folder / "episode_0009")
    check(folder)
    assert "episode_0009 the same motion as episode_0001: a copy" in capsys.readouterr().out


def test_the_page_is_whole_and_escaped(shown, g1, tmp_path, capsys):
    folder = tmp_path / "p"
    shutil.copytree(shown, folder)
    write_bag(folder / "odd<i>", g1, simulate_reach(g1, np.random.default_rng(7), seconds=3.0), task="reach the ball")
    check(folder, "--out", tmp_path / "q.html")
    page = (tmp_path / "q.html").read_text()
    checker = Checker()
    checker.feed(page)
    assert (checker.faults, checker.open) == ([], [])
    assert "odd&lt;i&gt;" in page
    assert "odd<i>" not in page
    for title in ("What lowers the grades", "How they agree", "What they cover", "worth a look", "Streams", "All episodes"):
        assert title in page
    assert "bob" in page


def test_one_episode_alone_has_a_page(make_bag, tmp_path, capsys):
    bag = make_bag(name="alone")
    assert check(bag, "--out", tmp_path / "q.html") == 1
    assert "length: 0.40 s" in capsys.readouterr().out
    assert "How they agree" not in (tmp_path / "q.html").read_text()


def test_thresholds_and_robot_can_be_given(shown, tmp_path, capsys):
    strict = tmp_path / "strict.yaml"
    strict.write_text("thresholds: {shortest: 5.0}")
    assert check(shown, "--thresholds", strict) == 1
    assert "length: 1.20 s" in capsys.readouterr().out
    assert check(shown, "--robot", "toy") == 2
    assert "lacks joints" in capsys.readouterr().err
    assert check(shown, "--jobs", "0") == 2


def test_without_velocities_rest_is_told_by_positions(g1, tmp_path):
    reach = simulate_reach(g1, np.random.default_rng(3))
    reach.velocity[:] = 0.0
    bag = grade_bag(g1, write_bag(tmp_path / "bag", g1, reach), GradingConfig())
    assert 0.0 < bag.grade.rest.share < 0.8
    assert bag.trace.goal == pytest.approx(reach.goal)


def test_a_bag_of_nothing_but_broken_states_is_refused(g1, tmp_path, capsys):
    reach = simulate_reach(g1, np.random.default_rng(3), seconds=0.5)
    reach.measured[:] = np.nan
    write_bag(tmp_path / "bag", g1, reach)
    assert check(tmp_path) == 2
    assert "no joint state is finite" in capsys.readouterr().err


def test_stamps_that_cannot_be_are_left_out(g1, tmp_path):
    reach = simulate_reach(g1, np.random.default_rng(3))
    whole = grade_bag(g1, write_bag(tmp_path / "whole", g1, reach), GradingConfig())
    reach.stamp[100], reach.source[200] = 2_000_000_000 * 10**9, 0
    odd = grade_bag(g1, write_bag(tmp_path / "odd", g1, reach), GradingConfig())
    assert odd.grade.duration == pytest.approx(whole.grade.duration)
    assert odd.grade.value("chatter") == whole.grade.value("chatter")


def test_a_stream_of_bags_is_answered_line_by_line(make_bag, capsys):
    bag = make_bag()
    assert answer(io.StringIO(f"{bag}\n/none\n")) == 0
    good, bad = map(json.loads, capsys.readouterr().out.splitlines())
    assert (good["path"], good["grade"]) == (str(bag), "D")
    assert good["reasons"] == ["length: 0.40 s", *good["reasons"][1:]]
    assert (bad["path"], bad["grade"]) == ("/none", "")
    assert bad["reasons"][0].startswith("not graded: /none: ")
