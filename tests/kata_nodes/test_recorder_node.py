# SPDX-License-Identifier: Apache-2.0
"""The recorder as a node of this process: whatever fails while it writes is said, and what was written is kept."""

import json
import struct
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
import rclpy
from rclpy.parameter import Parameter
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image, JointState

from kata_data.bags.bag_info import read_info
from kata_data.bags.reader import verify_bag
from kata_data.bags.repair import find_broken, repair_bag
from kata_msgs.msg import EpisodeState
from kata_msgs.srv import DiscardEpisode, SaveEpisode, StartEpisode
from kata_nodes.recorder import recorder_watch, stream_intake
from kata_nodes.recorder.recorder_node import RecorderNode

pytestmark = pytest.mark.ros

JOINTS, CAMERA = "/joint_states", "/camera/compressed"
STATE = bytes(serialize_message(JointState(name=["a"], position=[0.5])))
PICTURE = bytes(serialize_message(Image(height=2, width=2, encoding="rgb8", step=6, data=bytes(12))))
EMPTY = bytes(serialize_message(Image(encoding="rgb8")))


class Recorder:
    """The node, called as its executor would call it."""

    def __init__(self, out: Path, **changes: object) -> None:
        topics = ["joint_states sensor_msgs/msg/JointState 20", "camera sensor_msgs/msg/Image 0 jpeg"]
        values = {"directory": str(out), "topics": topics, "grade": False, "disk_free": 0.0, "disk_time": 0.0} | changes
        self.node = RecorderNode(parameter_overrides=[Parameter(name, value=value) for name, value in values.items()])
        self.states: list[EpisodeState] = []
        self.node._watch._status._state.publish = self.states.append
        self._number = 0

    def start(self) -> StartEpisode.Response:
        return self.node._on_start(StartEpisode.Request(task="wave"), StartEpisode.Response())

    def save(self) -> SaveEpisode.Response:
        return self.node._on_save(SaveEpisode.Request(task_success=True), SaveEpisode.Response())

    def hear(self, topic: str, data: bytes) -> None:
        self._number += 1
        intake = next(intake for intake in self.node._intakes if intake.stored == topic)
        stamps = dict.fromkeys(("source_timestamp", "received_timestamp"), self._number)
        intake(data, {**stamps, "publication_sequence_number": self._number})

    @property
    def writer(self):
        return self.node._writer

    def wait_for_error(self) -> None:
        """Wait until the thread has failed."""
        thread, begun = self.writer._thread, threading.Event()
        for _ in range(2000):
            if thread.error:
                return
            begun.wait(0.01)
        raise AssertionError("no error")


@pytest.fixture
def steady(monkeypatch):
    """Let the test set the steady time of the recorder's parts [s]."""
    time = SimpleNamespace(now=1.0)
    for module in (recorder_watch, stream_intake):
        monkeypatch.setattr(module, "steady_time", lambda node: lambda: int(1e9 * time.now))
    return time


@pytest.fixture
def made(ros_domain, tmp_path, steady):
    """Return a maker of recorders; they end with the test."""
    rclpy.init(domain_id=ros_domain)
    nodes = []

    def make(**changes):
        one = Recorder(tmp_path / "bags", **changes)
        nodes.append(one.node)
        return one

    yield make
    for node in nodes:
        node.destroy_node()
    rclpy.shutdown()


@pytest.fixture
def recorder(made):
    one = made()
    assert one.node._watch.refusal() == ""
    return one


@pytest.mark.parametrize("kind", [KeyError, struct.error, MemoryError, OSError])
def test_an_episode_whose_writing_fails_is_ended_said_and_kept_and_the_next_is_whole(recorder, tmp_path, monkeypatch, kind):
    def fail(*_):
        raise kind("broken")

    recorder.start()
    recorder.hear(JOINTS, STATE)
    recorder.writer._thread._bag.flush()
    while recorder.writer._bag.messages == 0:
        threading.Event().wait(0.001)
    monkeypatch.setattr(recorder.writer._bag, "write", fail)
    recorder.hear(JOINTS, STATE)
    recorder.wait_for_error()
    recorder.node._look()
    state = recorder.states[-1]
    assert (state.state, state.saved) == (EpisodeState.IDLE, 0)
    assert "cannot write" in state.note and "broken" in state.note and "kata bag repair" in state.note
    (broken,) = find_broken([tmp_path / "bags"])
    repaired = repair_bag(broken)
    verify_bag(repaired.folder)
    assert repaired.messages == 1
    assert "broken" in read_info(repaired.folder).custom["damage"]

    recorder.start()
    recorder.hear(JOINTS, STATE)
    saved = recorder.save()
    assert saved.success
    verify_bag(Path(saved.path))


def test_a_save_that_comes_before_the_failure_was_looked_at_saves_nothing(recorder, monkeypatch):
    def fail(*_):
        raise KeyError("broken")

    recorder.start()
    monkeypatch.setattr(recorder.writer._bag, "write", fail)
    recorder.hear(JOINTS, STATE)
    answer = recorder.save()
    assert not answer.success
    assert answer.message.startswith("cannot write: KeyError")
    assert "kata bag repair" in answer.message


@pytest.mark.parametrize("kind", [OSError, ValueError])
def test_whatever_completing_raises_is_answered_and_kept(recorder, monkeypatch, kind):
    def fail(*_):
        raise kind("broken")

    recorder.start()
    recorder.hear(JOINTS, STATE)
    monkeypatch.setattr(recorder.writer._bag, "save", fail)
    answer = recorder.save()
    assert (answer.success, "kata bag repair" in answer.message) == (False, True)
    assert recorder.states[-1].state == EpisodeState.IDLE


def test_pictures_that_cannot_be_encoded_are_counted_to_the_last(recorder):
    recorder.start()
    for data in (PICTURE, EMPTY, PICTURE, EMPTY):  # the last one is encoded only when the episode is being saved
        recorder.hear(CAMERA, data)
    saved = recorder.save()
    assert saved.success
    assert f"lost 2 on {CAMERA}" in saved.message
    assert "no pixels" in saved.message
    custom = read_info(Path(saved.path)).custom
    assert recorder.states[-1].note == saved.message
    assert json.loads(custom["streams"]) == {CAMERA: {"received": 4, "lost": 0, "refused": 2}}
    assert custom["lost"] == "2"


def test_a_disk_that_hangs_is_said_long_before_the_queue_is_full(recorder, monkeypatch):
    monkeypatch.setattr(recorder_watch, "_HANGING", 0.0)
    gate, begun = threading.Event(), threading.Event()

    def hang(*_):
        begun.set()
        gate.wait(60.0)

    recorder.start()
    monkeypatch.setattr(recorder.writer._bag, "write", hang)
    recorder.hear(JOINTS, STATE)
    assert begun.wait(20.0)
    recorder.node._look()
    assert "disk or encoder hangs" in recorder.states[-1].note
    gate.set()
    assert recorder.node._on_discard(DiscardEpisode.Request(), DiscardEpisode.Response()).success


def test_a_stream_that_falls_silent_is_said_at_once_and_so_is_its_return(recorder, steady):
    recorder.start()
    for _ in range(20):
        recorder.hear(JOINTS, STATE)
        steady.now += 0.05
        recorder.node._look()
    assert not recorder.states[-1].streams[0].silent
    steady.now += 0.6
    recorder.node._look()
    assert recorder.states[-1].streams[0].silent
    assert recorder.states[-1].note == f"nothing comes on {JOINTS} any more"
    steady.now += 1.1
    recorder.node._look()
    assert recorder.states[-1].note == f"nothing comes on {JOINTS}", "as long as it lasts"
    recorder.hear(JOINTS, STATE)
    recorder.node._look()
    steady.now += 1.1
    recorder.hear(JOINTS, STATE)
    recorder.node._look()
    assert (recorder.states[-1].streams[0].silent, recorder.states[-1].note) == (False, "")


def test_an_episode_is_refused_in_time_when_the_disk_is_nearly_full(made, tmp_path):
    recorder = made(disk_free=1e6)
    refused = recorder.start()
    assert not refused.success
    assert "disk nearly full" in refused.message and "GB needed" in refused.message
    assert not (tmp_path / "bags").exists()


def test_in_lockstep_a_bag_says_nothing_of_how_long_anything_took(made, monkeypatch):
    files = []
    monkeypatch.setenv("KATA_TIME", "lockstep")
    recorder = made()
    monkeypatch.setattr(recorder.node, "_now", lambda: 5)
    for _ in range(2):
        recorder._number = 0
        recorder.start()
        for _ in range(50):
            recorder.hear(JOINTS, STATE)
        recorder.node._metadata._census._known["/late"] = {"answered": True}
        saved = recorder.save()
        assert saved.success
        assert "write_lag_p99_ms" not in read_info(Path(saved.path)).custom
        files.append(next(Path(saved.path).glob("*.mcap")).read_bytes())
    assert files[0] == files[1]
