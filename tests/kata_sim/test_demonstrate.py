# SPDX-License-Identifier: Apache-2.0
"""Demonstrations without the graph: bags that read like the graph's, equal by seed, disturbed on request."""

from pathlib import Path

import numpy as np
import pytest

from kata.cli import main
from kata_data.bags.bag_info import find_bags, read_info
from kata_data.bags.reader import read_bag, verify_bag
from kata_data.building.build import DatasetConfig, build_dataset
from kata_data.episodes.episode import read_episode
from kata_model import JointCommand, JointState, RobotModel
from kata_model.frames import HumanFrames
from kata_model.verdict import Status, Verdict
from kata_sim import ImuSample, TaskState
from kata_sim.demonstrations import EpisodeConfig, SessionConfig, demonstrate
from kata_sim.demonstrations.encoding import Encoder

GRAPH_TOPICS = {"/frames", "/target", "/command", "/verdict", "/joint_states", "/imu", "/task/state"}


@pytest.fixture(scope="module")
def shown(g1: RobotModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two reaches, with pictures."""
    out = tmp_path_factory.mktemp("shown") / "bags"
    found = demonstrate(g1, "reach", out, SessionConfig(episodes=2, seed=5), EpisodeConfig(camera_rate=5.0))
    assert len(found.bags) == found.successes == found.attempts == 2
    return out


def test_bags_are_whole_and_hold_the_graphs_topics(shown: Path, g1: RobotModel) -> None:
    for bag in find_bags([shown]):
        verify_bag(bag)
        info = read_info(bag)
        assert info.success and info.robot == "g1" and info.task == "reach the ball with the right hand"
        assert {topic for topic, count in info.messages.items() if count} == {*GRAPH_TOPICS, "/camera/head/image_raw/compressed"}
        recording = read_episode(bag, g1.layout)
        assert recording.task == "reach"
        assert (np.diff(recording.state.stamp) == 4_000_000).all()
        assert np.abs(recording.command.position - recording.state.position[: len(recording.command.position)]).max() < 0.5


def test_verdicts_name_what_they_decided_on(shown: Path) -> None:
    bag = read_bag(find_bags([shown])[0], ["verdict", "frames", "target"])
    statuses = [message.status for message in bag.stream("verdict").messages]
    assert statuses[0] == Status.STANDBY and {Status.FOLLOWING, Status.LIMITED} & set(statuses)
    assert not {Status.STOPPED, Status.STOPPING} & set(statuses)
    frames = bag.stream("frames")
    assert 0.9e9 / 60 < np.median(np.diff(frames.stamp)) < 1.2e9 / 60
    assert set(bag.stream("target").stamp) <= set(frames.stamp)


def test_a_dataset_is_built_from_them(shown: Path, g1: RobotModel) -> None:
    dataset = build_dataset(find_bags([shown]), g1, DatasetConfig())
    assert len(dataset.manifest.episodes) == 2 and dataset.manifest.task == "reach"
    assert sum(sum(entry.dropped.values()) for entry in dataset.manifest.episodes) <= 20


def test_equal_seeds_give_equal_episodes_and_noise_changes_what_is_done_only(g1: RobotModel, shown: Path, tmp_path: Path) -> None:
    again = demonstrate(g1, "reach", tmp_path / "again", SessionConfig(episodes=1, seed=5))
    session = SessionConfig(episodes=1, seed=5, failures=True)  # else a failed attempt would be followed by one in another scene
    noisy = demonstrate(g1, "reach", tmp_path / "noisy", session, EpisodeConfig(noise=0.03))
    first = read_episode(find_bags([shown])[0], g1.layout)
    same, other = read_episode(again.bags[0], g1.layout), read_episode(noisy.bags[0], g1.layout)
    np.testing.assert_array_equal(first.state.position, same.state.position)
    np.testing.assert_array_equal(first.objects.pose["goal"][0], other.objects.pose["goal"][0])
    count = min(len(same.state.stamp), len(other.state.stamp))
    arm = g1.layout.indices(g1.description.groups["right_arm"])
    apart = np.abs(other.state.position[:count] - other.command.position[:count])[:, arm]
    assert apart.mean() > 2.0 * np.abs(same.state.position[:count] - same.command.position[:count])[:, arm].mean()
    assert read_info(noisy.bags[0]).custom["noise"] == "0.03"


def test_a_template_is_what_the_serialiser_writes(g1: RobotModel) -> None:
    encoder, n = Encoder(g1.layout.names, "pelvis"), len(g1.layout)
    rng, stamp = np.random.default_rng(0), 12_345_678_901
    numbers = [rng.normal(size=n) for _ in range(5)]
    flags = rng.integers(0, 32, n).astype(np.uint8)
    store = encoder._store
    state = store.deserialize_cdr(encoder.joint_state(JointState(stamp, *numbers[:3])), "sensor_msgs/msg/JointState")
    command = store.deserialize_cdr(encoder.command(JointCommand(stamp, *numbers)), "kata_msgs/msg/JointCommand")
    for message, fields in ((state, ("position", "velocity", "effort")), (command, ("stiffness", "damping"))):
        assert (message.header.stamp.sec, message.header.stamp.nanosec) == (12, 345_678_901)
        for field in fields:
            order = ("position", "velocity", "effort", "stiffness", "damping").index(field)
            np.testing.assert_array_equal(getattr(message, field), numbers[order])
    for reasons in ((), ("acceleration_limit", "robot_lags"), ()):
        verdict = Verdict(Status.LIMITED, reasons, flags, None, 1, 2, stamp, 4)
        back = store.deserialize_cdr(encoder.verdict(verdict), "kata_msgs/msg/Verdict")
        assert (tuple(back.reasons), back.status, back.names) == (reasons, 2, list(g1.layout.names))
        assert (back.source_stamp.nanosec, back.target_stamp.nanosec, back.state_stamp.nanosec) == (1, 2, 4)
        assert back.command_stamp.nanosec == back.header.stamp.nanosec == 345_678_901
        np.testing.assert_array_equal(back.joint_flags, flags)


def test_other_messages_survive(g1: RobotModel) -> None:
    encoder, store = (made := Encoder(g1.layout.names, "pelvis")), made._store
    pose = np.array([0.3, -0.1, 0.2, 0.5, 0.5, -0.5, 0.5])
    task = store.deserialize_cdr(encoder.task_state(7, TaskState("lift", {"box": pose}, True, 1.5)), "kata_msgs/msg/TaskState")
    assert (task.task, task.success, task.elapsed, task.objects[0].name) == ("lift", True, 1.5, "box")
    assert (task.objects[0].pose.position.y, task.objects[0].pose.orientation.z) == (-0.1, -0.5)
    frames = HumanFrames(9, "operator", True, ("right_hand",), pose[None, :3], pose[None, 3:], np.ones(1))
    back = store.deserialize_cdr(encoder.frames(frames), "kata_msgs/msg/HumanFrames")
    assert back.engaged and back.bodies[0].name == "right_hand" and back.header.frame_id == "human_world"
    imu = ImuSample(3, pose[3:], pose[:3], 2 * pose[:3])
    assert store.deserialize_cdr(encoder.imu(imu, "imu"), "sensor_msgs/msg/Imu").linear_acceleration.x == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--task", "juggle"], "no task 'juggle'"),
        (["--task", "reach", "--noise", "7"], "noise is 7"),
        (["--task", "reach", "--robot", "talos"], "no task 'reach'"),
    ],
)
def test_bad_options_are_one_line(options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demonstrate", *options, "--out", str(tmp_path / "bags")]) == 2
    error = capsys.readouterr().err.strip()
    assert said in error and len(error.splitlines()) == 1
    assert not (tmp_path / "bags").exists()


def test_a_folder_with_episodes_is_left_alone(shown: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demonstrate", "--task", "reach", "--out", str(shown), "--episodes", "1"]) == 2
    assert "holds episodes already" in capsys.readouterr().err


def test_the_command_says_what_came_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demonstrate", "--task", "push", "--out", str(tmp_path / "bags"), "--episodes", "1", "--mass", "0.1"]) == 0
    assert "1 episodes in" in capsys.readouterr().out
    assert len(find_bags([tmp_path / "bags"])) == 1
