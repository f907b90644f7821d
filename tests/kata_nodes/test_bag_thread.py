# SPDX-License-Identifier: Apache-2.0
"""A bag written by a thread: everything arrives, and what cannot be written is counted and named."""

import threading
import time

import pytest
from rclpy.serialization import serialize_message
from rosbags.highlevel import AnyReader
from std_msgs.msg import String

from kata_core.errors import DataError
from kata_nodes.bag_metadata import BagTopic
from kata_nodes.bag_thread import BagThread, Sample
from kata_nodes.bag_writer import BagWriter
from kata_nodes.interfaces import message_type

TOPIC = "/words"


@pytest.fixture
def bag(tmp_path):
    return BagWriter(tmp_path / "episode_0000", [BagTopic(TOPIC, message_type("std_msgs/msg/String"))])


def word(i):
    return Sample(TOPIC, bytes(serialize_message(String(data=f"word {i}"))), i + 1, i, i + 1)


def test_everything_arrives_in_order(bag):
    thread = BagThread(bag, {}, 10**6, 0.05)
    assert all(thread.put(word(i)) for i in range(1000))
    thread.close()
    with AnyReader([bag.save({})]) as reader:
        rows = [(t, reader.deserialize(data, c.msgtype).data) for c, t, data in reader.messages()]
    assert rows == [(i + 1, f"word {i}") for i in range(1000)]
    assert (thread.error, thread.complaint, thread.refused.total()) == ("", "", 0)


def test_a_chunk_is_on_its_way_before_the_bag_is_saved(bag):
    thread = BagThread(bag, {}, 10**6, 0.05)
    file = next(bag.partial.glob("*.mcap"))
    empty = file.stat().st_size
    thread.put(word(0))
    end = time.monotonic() + 10.0
    while file.stat().st_size == empty and time.monotonic() < end:
        time.sleep(0.01)
    grown = file.stat().st_size
    thread.close()
    bag.discard()
    assert grown > empty


def test_too_much_at_once_is_refused_and_counted(bag):
    gate = threading.Event()

    def slow(data):
        gate.wait(20.0)
        return data

    thread = BagThread(bag, {TOPIC: slow}, 3 * len(word(0).data), 0.05)
    taken = sum(thread.put(word(i)) for i in range(10))
    assert thread.refused == {TOPIC: 10 - taken}
    assert 3 <= taken <= 4
    assert "too slow" in thread.complaint
    gate.set()
    thread.close()
    assert bag.messages == taken
    bag.discard()


def test_a_message_that_cannot_be_encoded_is_counted_and_the_rest_is_written(bag):
    def picky(data):
        if b"word 3" in data:
            raise DataError("no picture")
        return data

    thread = BagThread(bag, {TOPIC: picky}, 10**6, 0.05)
    for i in range(5):
        thread.put(word(i))
    thread.close()
    assert (bag.messages, thread.refused, thread.complaint) == (4, {TOPIC: 1}, "no picture")
    bag.discard()


def test_a_failing_disk_ends_the_writing_and_says_so(bag, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    thread = BagThread(bag, {}, 10**6, 10.0)
    monkeypatch.setattr(bag, "write", full)
    thread.put(word(0))
    end = time.monotonic() + 10.0
    while not thread.error and time.monotonic() < end:
        time.sleep(0.01)
    assert thread.error == "cannot write: No space left on device"
    assert not thread.put(word(1))
    thread.close()
    assert bag.keep().is_dir()


def test_a_halted_bag_takes_nothing_more_and_can_be_saved(bag):
    thread = BagThread(bag, {}, 10**6, 10.0)
    thread.put(word(0))
    thread.halt("disk nearly full")
    assert not thread.put(word(1))
    thread.close()
    assert (thread.error, thread.complaint) == ("", "disk nearly full")
    assert (bag.save({}) / "metadata.yaml").exists()


def test_two_bags_that_were_broken_off_do_not_meet(tmp_path, bag):
    bag.keep()
    second = BagWriter(tmp_path / "episode_0000", [])
    assert second.partial != bag.partial
    second.discard()
    assert bag.partial.is_dir()
