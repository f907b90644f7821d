# SPDX-License-Identifier: Apache-2.0
"""An episode is written whole or not at all, and other tools read it."""

import numpy as np
import pytest
from rclpy.qos import QoSProfile
from rclpy.serialization import serialize_message
from rosbags.highlevel import AnyReader

from kata_data.bags.bag_writer import BagWriter, next_episode
from kata_data.bags.definitions import BagTopic
from kata_model import HumanFrames, JointLayout, JointState
from kata_model.errors import ConfigError, DataError
from kata_nodes.convert import JointConverter, frames_to
from kata_nodes.interfaces import message_type
from kata_nodes.recorder.episode_metadata import qos_entry

NAMES = ("a", "b")
QOS = (qos_entry(QoSProfile(depth=3)),)


def topics():
    return [
        BagTopic("/joint_states", message_type("sensor_msgs/msg/JointState"), QOS),
        BagTopic("/frames", message_type("kata_msgs/msg/HumanFrames")),
    ]


def joint_state(stamp):
    zeros = np.zeros(len(NAMES))
    return serialize_message(JointConverter(JointLayout(NAMES)).state_to(JointState(stamp, zeros + stamp * 1e-9, zeros, zeros)))


def frames(stamp):
    upright = np.array([[0.0, 0.0, 0.0, 1.0]])
    return serialize_message(frames_to(HumanFrames(stamp, "test", True, ("head",), np.ones((1, 3)), upright, np.ones(1))))


def test_a_saved_bag_is_what_was_written(tmp_path):
    bag = BagWriter(next_episode(tmp_path / "bags"), topics())
    for i in range(10):
        bag.write("/joint_states", joint_state(i * 10**9), i * 10**9 + 5)
    bag.write("/frames", frames(3 * 10**9), 3 * 10**9 + 7)
    folder = bag.save({"task": "wave", "task_success": "true"})
    with AnyReader([folder]) as reader:
        assert {c.topic: c.msgcount for c in reader.connections} == {"/joint_states": 10, "/frames": 1}
        assert reader.duration == 9 * 10**9 + 1
        for connection, received, data in reader.messages():
            message = reader.deserialize(data, connection.msgtype)
            stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
            assert received - stamp == (5 if connection.topic == "/joint_states" else 7)
        qos = next(c for c in reader.connections if c.topic == "/joint_states").ext.offered_qos_profiles[0]
        assert (qos.depth, qos.reliability.name) == (3, "RELIABLE")


def test_nothing_bears_the_final_name_before_it_is_saved(tmp_path):
    bag = BagWriter(tmp_path / "episode_0000", topics())
    bag.write("/frames", frames(1), 1)
    assert [p.name.startswith(".partial-") for p in tmp_path.iterdir()] == [True]
    bag.discard()
    assert list(tmp_path.iterdir()) == []


def test_episodes_are_numbered_after_the_highest(tmp_path):
    for name in ("episode_0002", "episode_0010", "episode_x", ".partial-episode_0011-1"):
        (tmp_path / name).mkdir()
    assert next_episode(tmp_path).name == "episode_0011"
    assert next_episode(tmp_path / "nowhere").name == "episode_0000"


def test_a_finished_episode_is_never_overwritten(tmp_path):
    (tmp_path / "episode_0000").mkdir()
    with pytest.raises(DataError, match="exists"):
        BagWriter(tmp_path / "episode_0000", topics())


def test_silent_topics_are_named(tmp_path):
    bag = BagWriter(tmp_path / "episode_0000", topics())
    bag.write("/frames", frames(1), 1)
    assert bag.silent == ["/joint_states"]
    bag.discard()


def test_definitions_hold_every_type_inside_once():
    text = message_type("kata_msgs/msg/HumanFrames").definition
    inner = [line.removeprefix("MSG: ") for line in text.splitlines() if line.startswith("MSG: ")]
    assert sorted(inner) == sorted(set(inner))
    assert {"std_msgs/Header", "kata_msgs/BodyPose", "geometry_msgs/Pose", "builtin_interfaces/Time"} <= set(inner)


@pytest.mark.parametrize("name", ["JointState", "sensor_msgs/msg/Ghost", "ghost_msgs/msg/X"])
def test_unknown_types_are_named(name):
    with pytest.raises(ConfigError, match=name):
        message_type(name)
