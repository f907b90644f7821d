# SPDX-License-Identifier: Apache-2.0
"""Episodes recorded from the real graph: complete, readable by others, never half there."""

import os
import random
import signal
import subprocess
import sys
from dataclasses import fields, replace
from itertools import compress, pairwise

import numpy as np
import pytest
import yaml
from mcap_ros2.reader import read_ros2_messages
from rosbags.highlevel import AnyReader

from kata_data.episodes.episode import VerdictSeries, read_episode
from kata_data.episodes.series import StateSeries
from kata_data.replay.replaying import replay_episode
from kata_model import load_robot
from kata_msgs.srv import DiscardEpisode, SaveEpisode, StartEpisode
from kata_safety import SafetyConfig, SafetyFilter

pytestmark = [pytest.mark.ros, pytest.mark.slow]

STREAMS = {
    "/frames": 60.0,
    "/target": 60.0,
    "/command": 250.0,
    "/verdict": 250.0,
    "/joint_states": 250.0,
    "/imu": 250.0,
    "/task/state": 50.0,
    "/camera/head/image_raw/compressed": 10.0,
    "/engage/state": 0.0,
}
"""Rate [Hz]; 0 where messages come by event."""


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """Record two episodes once for all tests of this file."""
    out = tmp_path_factory.mktemp("bags")
    command = [sys.executable, "-m", "kata", "launch", "record", "episodes:=2", f"out:={out}", "seed:=7"]
    env = {**os.environ, "ROS_DOMAIN_ID": str(random.SystemRandom().randint(1, 100))}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out, done.stdout


def test_each_episode_is_one_folder_and_succeeded(session):
    out, text = session
    assert sorted(p.name for p in out.iterdir()) == ["episode_0000", "episode_0001"]
    assert "2 of 2 episodes succeeded" in text
    for episode in out.iterdir():
        assert sorted(p.name for p in episode.iterdir()) == [f"{episode.name}.mcap", "metadata.yaml"]
        custom = yaml.safe_load((episode / "metadata.yaml").read_text())["rosbag2_bagfile_information"]["custom_data"]
        assert custom["task_success"] == "true"
        assert custom["task"].startswith("reach")
        assert custom["robot"] == "g1"


def test_rosbags_reads_every_stream_with_source_stamps(session):
    out, _ = session
    with AnyReader([out / "episode_0000"]) as reader:
        seconds = reader.duration * 1e-9
        counts = {}
        for connection, received, data in reader.messages():
            stamp = reader.deserialize(data, connection.msgtype).header.stamp
            counts[connection.topic] = counts.get(connection.topic, 0) + 1
            age = received * 1e-9 - (stamp.sec + stamp.nanosec * 1e-9)
            assert -1e-6 < age < 0.05, (connection.topic, age)
    assert counts.keys() == STREAMS.keys()
    for topic, rate in STREAMS.items():
        assert counts[topic] >= rate * seconds - 4, (topic, counts[topic], seconds)


def test_mcap_ros2_support_reads_it_too(session):
    out, _ = session
    file = out / "episode_0001" / "episode_0001.mcap"
    messages = list(read_ros2_messages(str(file), topics=["/command", "/frames"]))
    command = next(m.ros_msg for m in messages if m.channel.topic == "/command")
    frames = next(m.ros_msg for m in messages if m.channel.topic == "/frames")
    assert len(command.names) == len(command.position) == 29
    assert {body.name for body in frames.bodies} == {"head", "right_hand"}


def test_a_recorded_bag_replays_bit_for_bit(session):
    robot, (out, _) = load_robot("g1"), session

    def make():
        return SafetyFilter(robot, SafetyConfig())

    for path in sorted(out.iterdir()):
        episode = read_episode(path, robot.layout)
        again = replay_episode(make, episode, 0.004, lambda: None)
        assert again.lost == 0
        assert again.equal == again.compared >= len(episode.verdict.decided) - 25, "but for what hangs on targets before the bag"
        assert again.passage.statuses["following"] > 50
    early = replace(episode, state=StateSeries(*(getattr(episode.state, f.name)[:-5] for f in fields(StateSeries))))
    again = replay_episode(make, early, 0.004, lambda: None)
    assert again.equal == again.compared >= 100, "what was decided on states after the end of the bag does not count"
    changed = [round(share * len(episode.command.stamp)) for share in (0.4, 0.6, 0.8, 0.95)]
    episode.command.position[changed, 3] += 1e-15  # the smallest bit of a radian
    again = replay_episode(make, episode, 0.004, lambda: None)
    assert again.compared - again.equal == len(changed), "a changed bit must be noticed, and it alone"


def test_a_bag_that_lost_messages_replays_but_for_what_they_decided(session):
    robot, (out, _) = load_robot("g1"), session
    whole = read_episode(out / "episode_0001", robot.layout)
    rows, rng = len(whole.verdict.decided), np.random.default_rng(7)
    for _ in range(3):
        kept, states = np.ones(rows, dtype=bool), rng.random(len(whole.state.stamp)) > 0.003
        first = rng.integers(rows // 4, rows // 2)
        kept[first : first + 50] = False
        lost = np.array([np.count_nonzero(~kept[a + 1 : b]) for a, b in pairwise(np.flatnonzero(kept))])
        verdict = {f.name: _rows(getattr(whole.verdict, f.name), kept) for f in fields(VerdictSeries)}
        verdict["lost"] = verdict["lost"] + np.concatenate([[0], lost])
        state = StateSeries(*(getattr(whole.state, f.name)[states] for f in fields(StateSeries)))
        episode = replace(whole, verdict=VerdictSeries(**verdict), state=state)
        again = replay_episode(lambda: SafetyFilter(robot, SafetyConfig()), episode, 0.004, lambda: None)
        assert again.equal == again.compared >= 20
        assert again.lost >= 50


def _rows(series, kept):
    return tuple(compress(series, kept)) if isinstance(series, tuple) else series[kept]


def test_a_killed_recorder_leaves_no_half_bag(launch, probe, tmp_path):
    out = tmp_path / "bags"
    graph = launch("record", "episodes:=50", f"out:={out}", "camera_rate:=0")
    assert probe.until(lambda: list(out.glob(".partial-*/*.mcap")) != [], 60.0), graph.output
    probe.until(lambda: False, 0.5)
    before = {p.name for p in out.glob("episode_*")}
    os.kill(graph.pid_of("recorder"), signal.SIGKILL)
    assert graph.process.wait(60) != 0, "a node that died is a failure"
    assert graph.orphans() == []
    complete = {p.name for p in out.glob("episode_*") if (p / "metadata.yaml").exists()}
    assert {p.name for p in out.glob("episode_*")} == complete >= before


def test_recorder_refuses_what_makes_no_sense_and_discards(launch, probe, tmp_path):
    recorder = launch("parts/session", f"out:={tmp_path / 'bags'}")
    save = probe.call(SaveEpisode, "episode/save", SaveEpisode.Request())
    assert (save.success, save.message) == (False, "no episode is running: start one first")
    assert probe.call(StartEpisode, "episode/start", StartEpisode.Request(task="wave")).success
    again = probe.call(StartEpisode, "episode/start", StartEpisode.Request(task="wave"))
    assert not again.success
    assert "wave" in again.message
    assert probe.call(DiscardEpisode, "episode/discard", DiscardEpisode.Request(reason="a test")).success
    assert list((tmp_path / "bags").iterdir()) == []
    assert recorder.stop() == 0
