# SPDX-License-Identifier: Apache-2.0
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from synthetic import simulate_reach

from kata_data.bags.bag_info import find_bags, read_info
from kata_data.bags.reader import read_bag
from kata_data.episodes.episode import read_episode
from kata_data.episodes.series import state_series
from kata_model.errors import DataError
from kata_model.joints import JointLayout


def test_every_stream_comes_back_with_source_and_receive_stamps(make_bag):
    bag = read_bag(make_bag(), ("joint_states", "command", "verdict", "task/state"))
    command = bag.stream("command")
    assert command.topic == "/command"
    assert len(command) == 100
    assert ((command.received - command.stamp) >= 2_000_000).all()
    assert bag.stream("task/state").messages[0].objects[0].name == "goal"


def test_recording_is_in_layout_order(make_bag, g1):
    recording = read_episode(make_bag(), g1.layout)
    reach = simulate_reach(g1, np.random.default_rng(1), seconds=0.4)
    np.testing.assert_array_equal(recording.state.position, reach.measured)
    np.testing.assert_array_equal(recording.command.position, reach.command)
    np.testing.assert_allclose(recording.objects.position["goal"], np.tile(reach.goal, (20, 1)))
    assert recording.task == "reach"


def test_labels_are_read(make_bag):
    info = read_info(make_bag(task="wave", task_success="false"))
    assert (info.task, info.success, info.robot) == ("wave", False, "g1")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_cut_bag_gives_one_line(make_bag, share):
    bag = make_bag()
    file = next(bag.glob("*.mcap"))
    data = file.read_bytes()
    file.write_bytes(data[: int(share * len(data))])
    with pytest.raises(DataError) as caught:
        read_bag(bag, ("command",))
    assert str(bag) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "leave this bag out" in str(caught.value)


@pytest.mark.parametrize("seed", range(8))
def test_an_overwritten_bag_gives_one_line_or_all_messages(make_bag, seed):
    bag = make_bag()
    file, rng = next(bag.glob("*.mcap")), np.random.default_rng(seed)
    data = bytearray(file.read_bytes())
    start = int(rng.integers(len(data)))
    data[start : start + 200] = rng.bytes(200)
    file.write_bytes(data)
    fault = ""
    try:
        assert len(read_bag(bag, ("command",)).stream("command")) == 100
    except DataError as error:
        fault = str(error)
    assert "\n" not in fault


def test_an_unfinished_recording_is_refused(make_bag):
    bag = make_bag()
    (bag / "metadata.yaml").unlink()
    with pytest.raises(DataError, match="not finished"):
        read_info(bag)


def test_damaged_metadata_is_refused(make_bag):
    bag = make_bag()
    (bag / "metadata.yaml").write_text("rosbag2_bagfile_information: [1, 2]\n")
    with pytest.raises(DataError, match="metadata"):
        read_info(bag)


def test_a_missing_stream_is_named_with_those_there_are(make_bag):
    bag = read_bag(make_bag(), ("frames",))
    with pytest.raises(DataError, match=r"no messages on frames .*/command"):
        bag.stream("frames")


def test_bags_are_found_at_any_depth_and_hidden_ones_are_not(make_bag, tmp_path: Path):
    bag = make_bag("session/episode_0001")
    shutil.copytree(bag, tmp_path / "session/.partial-episode_0002-77")
    assert find_bags([tmp_path]) == [bag]
    assert find_bags([bag, tmp_path]) == [bag]
    with pytest.raises(DataError, match="holds no bag"):
        find_bags([_empty(tmp_path)])


def _empty(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


def test_another_robot_is_refused(make_bag, g1):
    with pytest.raises(DataError, match="lacks joints of the robot: tail_joint"):
        read_episode(make_bag(), JointLayout((*g1.layout.names, "tail_joint")))


def test_joint_states_of_two_drivers_and_a_hand_are_one_series():
    """They came in parts, which was an error, or without velocities, which were zero then."""
    names = (("a", "b"), ("finger",), ("c",))
    lists = [list(names[k % 3]) for k in range(9)]
    said = [SimpleNamespace(name=n, position=np.full(len(n), 0.1 * k), velocity=[], effort=[]) for k, n in enumerate(lists)]
    stamps = 1_000_000 * np.arange(9)
    stream = SimpleNamespace(path="bag", topic="/joint_states", kind="unknown", data=(), stamp=stamps, messages=tuple(said))
    series = state_series(stream, JointLayout(("c", "a", "b")))
    assert series.stamp.tolist() == [1_000_000 * k for k in (2, 3, 5, 6, 8)], "once all were heard; a hand alone is nothing new"
    assert series.position[:3] == pytest.approx(np.array([[0.2, 0.0, 0.0], [0.2, 0.3, 0.3], [0.5, 0.3, 0.3]]))
    assert series.velocity[-1] == pytest.approx(100.0), "0.3 rad in 3 ms"
    with pytest.raises(DataError, match="lacks joints of the robot: tail"):
        state_series(stream, JointLayout(("a", "tail")))
