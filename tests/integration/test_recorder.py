# SPDX-License-Identifier: Apache-2.0
"""The recorder by itself: what an episode holds, and what is said when something is lost."""

import json
import os
import pty
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from geometry_msgs.msg import WrenchStamped
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Float32MultiArray, Header, MultiArrayDimension

from kata_data.bags.bag_info import read_info
from kata_data.bags.reader import read_bag, verify_bag
from kata_data.bags.repair import find_broken, repair_bag
from kata_data.episodes.segments import interventions
from kata_data.grading import load_grading
from kata_data.grading.from_bag import grade_one
from kata_model.robot import load_robot
from kata_msgs.msg import EpisodeMark, EpisodeState
from kata_msgs.srv import MarkEpisode, SaveEpisode, StartEpisode
from kata_nodes import qos
from kata_nodes.convert import to_time

pytestmark = [pytest.mark.ros, pytest.mark.slow]

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
TOPICS = [
    "joint_states sensor_msgs/msg/JointState 20",
    "wrench geometry_msgs/msg/WrenchStamped",
    "tactile std_msgs/msg/Float32MultiArray",
    "camera/image_raw sensor_msgs/msg/Image 0 jpeg",
    "depth/image_raw sensor_msgs/msg/Image 0 png",
]


class Recorder:
    """The real node, and the person who uses it."""

    def __init__(self, probe, out: Path, limit: int = 0, **settings) -> None:
        self._probe, self.out = probe, out
        self.states: list[EpisodeState] = []
        probe.node.create_subscription(EpisodeState, "episode/state", self.states.append, qos.LATCHED)
        file = out.parent / "recorder.yaml"
        values = {"directory": str(out), "topics": TOPICS, "disk_time": 0.0, "disk_free": 0.0, **settings}
        file.write_text(yaml.safe_dump({"recorder": {"ros__parameters": values}}))
        node = next(f for p in os.environ["AMENT_PREFIX_PATH"].split(":") if (f := Path(p) / "lib/kata_nodes/recorder").is_file())
        bound = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))) if limit else None
        self.process = subprocess.Popen([node, "--ros-args", "--params-file", file], preexec_fn=bound, stderr=subprocess.PIPE)
        self.joints = probe.node.create_publisher(JointState, "joint_states", qos.STREAM)
        assert probe.until(lambda: self.states and self.joints.get_subscription_count(), 60.0), "no recorder"

    def start(self, task="wave"):
        return self._probe.call(StartEpisode, "episode/start", StartEpisode.Request(task=task))

    def save(self, **about):
        return self._probe.call(SaveEpisode, "episode/save", SaveEpisode.Request(**about))

    def mark(self, label, kind=0):
        return self._probe.call(MarkEpisode, "episode/mark", MarkEpisode.Request(label=label, kind=kind))

    def joint_state(self, names=None):
        names = names or [f"j{i}" for i in range(29)]
        zeros = [0.0] * len(names)
        header = Header(stamp=to_time(time.time_ns()))
        return JointState(header=header, name=names, position=zeros, velocity=zeros, effort=zeros)

    def move(self, seconds, names=None):
        """Publish joint states at 20 Hz, and listen."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.joints.publish(self.joint_state(names))
            self._probe.until(lambda: False, 0.05)

    def stop(self) -> str:
        """Press Ctrl-C; return what it said."""
        self.process.send_signal(signal.SIGINT)
        _, text = self.process.communicate(timeout=30)
        return text.decode()


@pytest.fixture
def recorder(probe, tmp_path):
    """Return a starter of recorders; they end with the test."""
    started = []

    def start(**settings):
        (tmp_path / "bags").mkdir(exist_ok=True)
        started.append(Recorder(probe, tmp_path / "bags", **settings))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.communicate()


def test_an_episode_holds_all_streams_facts_files_and_both_stamps(recorder, probe):
    rec = recorder(robot="g1", pretrigger=1.0, labels=["source=policy"])
    depth = np.random.default_rng(0).integers(0, 5000, (24, 32), dtype=np.uint16)
    node, head = probe.node, Header(stamp=to_time(time.time_ns()), frame_id="camera")
    rows = {
        "wrench": WrenchStamped(header=head),
        "tactile": Float32MultiArray(data=[1.0, 2.0]),
        "camera/image_raw": Image(header=head, height=8, width=8, encoding="rgb8", step=24, data=bytes([200, 0, 0] * 64)),
        "depth/image_raw": Image(header=head, height=24, width=32, encoding="16UC1", step=64, data=depth.tobytes()),
    }
    rows["tactile"].layout.dim = [MultiArrayDimension(label="finger", size=2, stride=2)]
    publishers = {topic: node.create_publisher(type(row), topic, qos.EVENT) for topic, row in rows.items()}
    assert probe.until(lambda: all(p.get_subscription_count() for p in publishers.values()), 20.0)
    rec.move(2.5)  # long enough for the recorder to ask everybody's parameters
    started = time.time_ns()
    assert rec.start().success
    for topic, row in rows.items():
        publishers[topic].publish(row)
    marks = probe.hear(EpisodeMark, "episode/marks")
    assert probe.until(lambda: node.count_publishers("episode/marks") > 0, 10.0)
    rec.move(0.3)
    assert rec.mark("touched").success
    assert rec.mark("help", EpisodeMark.INTERVENTION_BEGIN).success
    rec.move(0.3)
    assert rec.mark("help", EpisodeMark.INTERVENTION_END).success
    rec.move(0.3)
    refused = rec.save(task_success=True, labels=["task_success=false"])
    assert (refused.success, "label" in refused.message) == (False, True)
    saved = rec.save(task_success=True, labels=["operator=ann", "slippery"])
    assert saved.success, saved.message
    bag = Path(saved.path)
    verify_bag(bag)

    custom = read_info(bag).custom
    assert (custom["task"], custom["task_success"], custom["labels"], custom["operator"]) == ("wave", "true", "slippery", "ann")
    assert (custom["robot"], custom["lost"], custom["marks"], custom["clock"]) == ("g1", "0", "3", "system")
    assert custom["kata_version"]
    assert json.loads(custom["streams"])["/joint_states"]["received"] > 10
    about = yaml.safe_load((bag / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    topics = {t["topic_metadata"]["name"]: t["topic_metadata"] for t in about["topics_with_message_count"]}
    assert topics["/joint_states"]["offered_qos_profiles"][0]["reliability"] == "best_effort"
    assert (about["version"], topics["/tactile"]["type"]) == (9, "std_msgs/msg/Float32MultiArray")

    joints = read_bag(bag, ("joint_states",)).stream("joint_states")
    assert joints.received[0] < started, "the second before the start belongs to the episode"
    assert started - joints.received[0] < 1.5e9
    assert (joints.received >= joints.stamp).all()
    steps = interventions(bag, joints.received)
    assert 2 < steps.sum() < 12
    assert not steps[0] and not steps[-1]
    assert [m.label for _, m in marks] == ["touched", "help", "help"]

    with next(bag.glob("*.mcap")).open("rb") as file:
        reader = make_reader(file, decoder_factories=[DecoderFactory()])
        files = {a.name: a.data.decode() for a in reader.iter_attachments()}
        facts = {m.name: m.metadata for m in reader.iter_metadata()}
        found = {c.topic: (m, r) for _, c, m, r in reader.iter_decoded_messages()}
    assert files["robot.urdf"].startswith("<?xml") or "<robot" in files["robot.urdf"]
    parameters = yaml.safe_load(files.get("parameters_at_end.yaml") or files["parameters.yaml"])
    assert parameters["/recorder"]["ros__parameters"]["pretrigger"] == 1.0
    assert {"kata", "episode"} <= facts.keys()
    message, row = found["/depth/image_raw/compressed"]
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(row.data, np.uint8), cv2.IMREAD_UNCHANGED), depth)
    assert 0 <= message.log_time - message.publish_time < 5e9, "when it was sent, and when it came"
    assert found["/camera/image_raw/compressed"][1].format == "rgb8; jpeg compressed bgr8"
    assert found["/tactile"][1].layout.dim[0].label == "finger"
    assert rec.stop().count("error") == 0


def test_messages_that_never_came_are_counted_and_said_at_once(recorder):
    rec = recorder()
    assert rec.start().success
    rec.move(0.5)
    rec.process.send_signal(signal.SIGSTOP)  # a recorder that gets no CPU time: its middleware's queue overflows
    for _ in range(4000):
        rec.joints.publish(rec.joint_state(["j0", "j1"]))
    before = len(rec.states)
    rec.process.send_signal(signal.SIGCONT)
    end = time.monotonic() + 10.0
    while not any("lost" in s.note and s.lost for s in rec.states[before:]):  # only a message that comes shows what did not
        assert time.monotonic() < end, "a loss is said while the episode runs"
        rec.move(0.1)
    rec.move(0.3)
    saved = rec.save(task_success=True)
    assert "lost" in saved.message
    count = json.loads(read_info(Path(saved.path)).custom["streams"])["/joint_states"]
    with next(Path(saved.path).glob("*.mcap")).open("rb") as file:
        numbers = [m.sequence for _, c, m in make_reader(file).iter_messages() if c.topic == "/joint_states"]
    assert count["received"] == len(numbers)
    assert count["lost"] == numbers[-1] - numbers[0] + 1 - len(numbers) > 0
    assert f"lost {count['lost']} on /joint_states" in saved.message


def test_a_disk_that_refuses_ends_the_episode_and_damages_none(recorder, probe):
    rec = recorder(limit=60_000, chunk=0.05)
    assert rec.start().success
    rec.move(0.2)
    first = rec.save(task_success=True)
    assert first.success, first.message
    assert rec.start().success
    noise = np.random.default_rng(0)
    end = time.monotonic() + 30.0
    while rec.states[-1].state == EpisodeState.RECORDING or "kata bag repair" not in rec.states[-1].note:
        message = rec.joint_state()
        message.position = noise.normal(size=29).tolist()
        rec.joints.publish(message)
        probe.until(lambda: False, 0.002)
        assert time.monotonic() < end, rec.states[-1].note
    assert "cannot write" in rec.states[-1].note
    verify_bag(Path(first.path))
    (broken,) = find_broken([rec.out])
    result = repair_bag(broken)
    assert result.messages > 10
    verify_bag(result.folder)


def test_ctrl_c_within_an_episode_keeps_it(recorder):
    rec = recorder()
    assert rec.start().success
    rec.move(1.0)
    assert "kata bag repair" in rec.stop()
    assert repair_bag(find_broken([rec.out])[0]).messages > 10


def test_the_keyboard_starts_marks_and_saves(recorder, probe):
    rec = recorder()
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "kata", "record", "--task", "wave", "--label", "slippery"]
    keyboard = subprocess.Popen(command, stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        assert probe.until(lambda: "record" in probe.node.get_node_names(), 30.0)
        rec.move(0.5)
        os.write(master, b"s")
        assert probe.until(lambda: rec.states[-1].state == EpisodeState.RECORDING, 10.0)
        rec.move(0.3)
        os.write(master, b"m")
        assert probe.until(lambda: rec.states[-1].marks == 1, 10.0)
        os.write(master, b" ")
        assert probe.until(lambda: rec.states[-1].saved == 1, 10.0)
        os.write(master, b"q")
        assert probe.until(lambda: keyboard.poll() is not None, 20.0)
    finally:
        keyboard.kill()
        text = keyboard.communicate()[0].decode()
        os.close(master)
    assert keyboard.returncode == 0, text
    info = read_info(next(rec.out.iterdir()))
    assert (info.task, info.success, info.custom["labels"]) == ("wave", True, "slippery")


def graded(rec, probe, path):
    """Wait for what is said of an episode that was saved."""
    assert probe.until(lambda: rec.states[-1].path == path and rec.states[-1].grade_reasons, 60.0), "no grade"
    return rec.states[-1]


def test_the_state_tells_the_grade_of_the_last_episode(recorder, probe):
    rec = recorder(robot="toy")
    names = list(load_robot("toy").layout.names)
    for _ in range(2):
        assert rec.start().success
        rec.move(1.5, names)
        saved = rec.save(task_success=True)
        assert (saved.success, "episode/marks" in saved.message) == (True, False)  # that nobody set a mark is no news
        state = graded(rec, probe, saved.path)
        alone = grade_one(Path(saved.path), load_grading()).grade
        assert (state.grade, list(state.grade_reasons)) == (alone.letter, alone.reasons)
        assert any(reason.startswith("idle: 100% at rest") for reason in state.grade_reasons), state.grade_reasons
    assert f"{Path(saved.path).name}: {state.grade}: " in rec.stop()
    assert rec.process.returncode == 0


def test_what_cannot_be_graded_is_said_and_harms_nothing(recorder, probe):
    rec = recorder(robot="toy")
    rec.start()
    rec.move(0.5)
    saved = rec.save(task_success=True)
    assert saved.success
    state = graded(rec, probe, saved.path)
    assert (state.grade, state.saved) == ("", 1)
    assert "lacks joints of the robot" in state.grade_reasons[0]


def benchmark(name, tmp_path, *arguments):
    """Run a benchmark in its short form and return its figures."""
    file = tmp_path / "figures.json"
    command = [sys.executable, BENCHMARKS / name, "--json", file, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(file.read_text())


def test_nothing_is_lost_under_the_load_of_a_whole_robot(tmp_path, ros_domain, report):
    found = benchmark("recorder.py", tmp_path, "--seconds", "5", "--images", "jpeg")
    report(f"recorder: {found['received']:.0f} messages, {found['cpu_cores']:.2f} cores, lag p99 {found['lag_p99_ms']:.1f} ms")
    assert (found["lost"], found["said_lost"], found["silent_topics"]) == (0, 0, 0)
    assert found["received"] > 1000


def test_killed_recorders_leave_whole_episodes(tmp_path, ros_domain):
    found = benchmark("recorder_kill.py", tmp_path, "--kills", "2")
    assert found["saved"] > 0
    assert (found["saved_damaged"], found["repaired_damaged"], found["lost_running"]) == (0, 0, 0)


def test_spoilt_bags_of_the_recorder_are_read_and_repaired(tmp_path):
    assert benchmark("bag_fuzz.py", tmp_path, "--bags", "20") == {"bags": 20, "faults": 0}
