# SPDX-License-Identifier: Apache-2.0
"""A bag written by a thread: everything arrives, and what cannot be written is counted and named."""

import struct
import threading
import time
from functools import partial

import cv2
import pytest
from rclpy.serialization import serialize_message
from rosbags.highlevel import AnyReader
from sensor_msgs.msg import Image
from std_msgs.msg import String

from kata_data.bags.bag_info import read_info
from kata_data.bags.bag_writer import BagWriter
from kata_data.bags.definitions import BagTopic
from kata_data.bags.reader import verify_bag
from kata_data.bags.repair import repair_bag
from kata_data.recording import Store
from kata_model.errors import DataError
from kata_nodes.interfaces import message_type
from kata_nodes.recorder import bag_thread
from kata_nodes.recorder.bag_thread import BagThread, Sample
from kata_nodes.recorder.image_cdr import compress_image

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
    assert (bag.messages, thread.refused, thread.complaint) == (4, {TOPIC: 1}, "/words: no picture")
    bag.discard()


@pytest.mark.parametrize("kind", [ZeroDivisionError, MemoryError, cv2.error, KeyError, SystemError, RecursionError])
def test_whatever_an_encoder_raises_costs_that_message_alone_and_is_said(bag, kind):
    def picky(data):
        if b"word 3" in data:
            raise kind("of no size")
        return data

    thread = BagThread(bag, {TOPIC: picky}, 10**6, 0.05)
    taken = [thread.put(word(i)) for i in range(1000)]
    assert thread.close()
    lost = sum(str(i)[:1] == "3" for i in range(1000))
    assert (taken.count(True), bag.messages, thread.refused) == (1000, 1000 - lost, {TOPIC: lost})
    assert "of no size" in thread.complaint
    assert not thread.error
    bag.discard()


def test_an_empty_picture_costs_itself_alone(tmp_path):
    topic = "/camera/compressed"
    bag = BagWriter(tmp_path / "episode_0000", [BagTopic(topic, message_type("sensor_msgs/msg/CompressedImage"))])
    encode = partial(compress_image, store=Store.JPEG, quality=90)
    thread = BagThread(bag, {topic: encode}, 10**6, 0.05)
    sound, empty = Image(height=2, width=2, encoding="rgb8", step=6, data=bytes(12)), Image(encoding="rgb8")
    for i, message in enumerate((sound, empty, sound)):
        thread.put(Sample(topic, bytes(serialize_message(message)), i + 1, 0, i + 1))
    assert thread.close()
    assert (bag.messages, thread.refused, thread.error) == (2, {topic: 1}, "")
    assert "no pixels" in thread.complaint
    bag.discard()


@pytest.mark.parametrize("call", ["write", "flush", "sync"])
@pytest.mark.parametrize("kind", [OSError, KeyError, struct.error, MemoryError])
def test_whatever_the_writing_raises_ends_it_and_is_said_and_what_was_written_is_kept(bag, monkeypatch, call, kind):
    monkeypatch.setattr(bag_thread, "_SYNC", 0.01)
    thread = BagThread(bag, {}, 10**6, 0.001)
    thread.put(word(0))
    failed = threading.Event()

    def fail(*_):
        failed.set()
        raise kind("broken")

    monkeypatch.setattr(bag, call, fail)
    accepted = 1
    end = time.monotonic() + 20.0
    while not thread.error and time.monotonic() < end:
        accepted += thread.put(word(accepted))
        failed.wait(0.001)
    assert "cannot write" in thread.error and "broken" in thread.error
    assert not thread.put(word(accepted)), "what cannot be written is not taken"
    assert thread.close()
    assert bag.messages + thread.refused.total() == accepted + 1, "each message is in the bag or counted"
    monkeypatch.undo()
    saved = repair_bag(bag.keep(thread.error))
    assert saved.messages == bag.messages
    if bag.messages:
        verify_bag(saved.folder)
        custom = read_info(saved.folder).custom
        assert (custom["damage"], custom["repaired"]) == (thread.error, "true")


def test_a_writer_that_hangs_is_said_and_holds_nobody_up_for_ever(bag):
    gate, begun = threading.Event(), threading.Event()

    def hang(data):
        begun.set()
        gate.wait(60.0)
        return data

    thread = BagThread(bag, {TOPIC: hang}, 10**6, 0.05)
    assert thread.stuck == 0.0
    thread.put(word(0))
    assert begun.wait(20.0)
    assert not thread.close(patience=0.02)
    assert thread.stuck > 0.0
    assert "hangs" in thread.error
    gate.set()
    assert thread.close()
    bag.discard()


def test_orders_to_a_disk_that_hang_hold_up_neither_writing_nor_the_end(bag, monkeypatch):
    monkeypatch.setattr(bag_thread, "_SYNC", 0.001)
    gate, begun = threading.Event(), threading.Event()
    monkeypatch.setattr(bag, "sync", lambda: (begun.set(), gate.wait(60.0)))
    thread = BagThread(bag, {}, 10**6, 0.05)
    assert begun.wait(20.0)
    assert all(thread.put(word(i)) for i in range(10))
    assert thread.close(patience=0.02)
    assert (bag.messages, thread.error) == (10, "")
    bag.save({})
    gate.set()


def test_in_lockstep_whoever_gives_waits_and_nothing_is_refused(bag):
    gate = threading.Event()

    def slow(data):
        gate.wait(20.0)
        return data

    size = len(word(0).data)
    thread = BagThread(bag, {TOPIC: slow}, 3 * size, 0.05, lockstep=True)
    giver = threading.Thread(target=lambda: [thread.put(word(i)) for i in range(100)])
    giver.start()
    giver.join(0.1)
    assert giver.is_alive(), "the queue is full"
    assert thread.waiting <= 3 * size
    gate.set()
    giver.join(20.0)
    assert thread.close()
    assert (bag.messages, thread.refused.total(), thread.error) == (100, 0, "")
    bag.discard()


def test_in_lockstep_a_giver_is_let_go_when_the_writing_ends(bag):
    gate = threading.Event()

    def broken(*_):
        gate.wait(20.0)
        raise OSError(28, "No space left on device")

    thread = BagThread(bag, {}, 1, 0.05, lockstep=True)
    bag.write = broken
    giver = threading.Thread(target=lambda: [thread.put(word(i)) for i in range(3)])
    giver.start()
    gate.set()
    giver.join(20.0)
    assert not giver.is_alive()
    assert thread.close()
    assert thread.refused.total() == 3
    bag.discard()


def test_in_lockstep_the_file_is_a_function_of_the_messages(tmp_path):
    def recorded(folder, pause):
        bag = BagWriter(folder / "episode_0000", [BagTopic(TOPIC, message_type("std_msgs/msg/String"))])
        thread = BagThread(bag, {TOPIC: lambda data: (threading.Event().wait(pause), data)[1]}, 10**6, 0.01, lockstep=True)
        for i in range(40):
            thread.put(word(i)._replace(received=i * 4_000_000))
        thread.close()
        return next(bag.save({}).glob("*.mcap")).read_bytes()

    assert recorded(tmp_path / "quick", 0.0) == recorded(tmp_path / "slow", 0.002)


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
