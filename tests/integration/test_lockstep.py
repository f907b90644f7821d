# SPDX-License-Identifier: Apache-2.0
"""Time in lockstep: the same run twice, whatever the machine does; who dies or hangs is named and ends the graph."""

import os
import re
import signal
import sys
import time
from pathlib import Path
from threading import Event, Thread

import own_clips
import pytest
from lockstep_graph import LockstepGraph
from reference_timer import ReferenceTimer
from std_srvs.srv import SetBool

from kata_msgs.msg import HumanFrames, JointCommand, Verdict
from kata_nodes import qos
from kata_nodes.clocks import TIME

pytestmark = [pytest.mark.ros, pytest.mark.slow]

FAULTY = Path(__file__).with_name("faulty")
FOLLOWED = (Verdict.FOLLOWING, Verdict.LIMITED)


def stamp_of(message):
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


def reach(seconds=1.5):
    """Let the scripted person reach; return each of their samples, command and verdict with the time at which it was heard."""
    graph, heard = LockstepGraph(), []
    graph.launch("teleop", "camera_rate:=0", "console:=false", "seed:=7")
    for kind, topic in ((Verdict, "verdict"), (JointCommand, "command"), (HumanFrames, "frames")):
        graph.node.create_subscription(kind, topic, lambda message: heard.append((graph.now, message)), qos.RECORD)
    graph.run(0.2)
    assert graph.call(SetBool, "operator/engage", SetBool.Request(data=True)).success
    graph.run(seconds)
    graph.close()
    return heard


def test_a_run_is_the_same_whatever_else_the_machine_does(monkeypatch, ros_domain):
    monkeypatch.setenv(TIME, "lockstep")
    alone, over = reach(), Event()
    Thread(target=lambda: [sum(range(1000)) for _ in iter(over.is_set, True)]).start()  # takes the interpreter now and then
    try:
        beside = reach()
    finally:
        over.set()
    assert len(alone) > 900 and alone == beside


def test_a_graph_that_nothing_makes_late_takes_no_precedence(graph):
    graph.launch("sim", "camera_rate:=0")
    classes = {os.sched_getscheduler(int(thread.name)) for thread in Path("/proc/self/task").iterdir()}
    assert not classes & {os.SCHED_FIFO, os.SCHED_RR}


def test_a_source_that_dies_is_held_within_100_ms(graph):
    graph.launch("sim", "camera_rate:=0")
    graph.launch("parts/source_operator")
    verdicts, frames = graph.hear(Verdict, "verdict"), graph.hear(HumanFrames, "frames")
    graph.run(0.2)
    assert graph.call(SetBool, "operator/engage", SetBool.Request(data=True)).success
    assert graph.until(lambda: verdicts[-1][1].status in FOLLOWED, 5.0)
    graph.kill("operator")
    graph.run(1.0)
    last = stamp_of(frames[-1][1])
    after = [(stamp_of(v) - last, v.status) for _, v in verdicts if stamp_of(v) > last]
    assert next(age for age, status in after if status == Verdict.HOLDING) <= 84_000_000
    assert not [age for age, status in after if age > 84_000_000 and status in FOLLOWED]
    assert verdicts[-1][1].reasons == ["stale_target"]


@pytest.fixture
def running(launch, probe):
    """Return a launch in lockstep, in which time passes."""
    graph = launch("sim", "time:=lockstep", "camera_rate:=0")
    verdicts = probe.hear(Verdict, "verdict")
    assert probe.until(lambda: verdicts, 60.0), graph.output
    return graph


def ended(graph, words, since):
    """Wait until a launch ends; return its exit code, having seen that it said something within 5 s.

    Time is judged beside what the machine itself did meanwhile.
    """
    with ReferenceTimer() as machine:
        while words not in graph.output and graph.process.poll() is None:
            time.sleep(0.02)
        named = time.monotonic()
        code = graph.process.wait(30)
    assert words in graph.output, graph.output
    assert named - since() <= 5.0 + machine.worst
    assert graph.orphans() == []
    return code


@pytest.mark.parametrize("node", ["safety", "sim"])
def test_a_process_that_is_killed_is_named_and_ends_the_launch_with_a_code(running, node):
    begun = time.monotonic()
    os.kill(running.pid_of(node), signal.SIGKILL)
    assert ended(running, f"{node} ended with signal SIGKILL", lambda: begun) != 0
    assert "Traceback" not in running.output


def test_a_simulator_that_is_stopped_is_named_and_killed(running):
    begun = time.monotonic()
    os.kill(running.pid_of("sim"), signal.SIGSTOP)
    assert ended(running, "no sign of life", lambda: begun) != 0


@pytest.mark.parametrize(
    ("fault", "words", "code"),
    [
        ("raises", "node operator: ValueError: a fault of the test's", 1),
        ("loops", "operator hangs", 3),
        ("holds", "operator: no sign of life", 3),
    ],
)
def test_a_callback_that_fails_or_hangs_is_named_and_ends_the_launch_with_a_code(launch, fault, words, code):
    graph = launch(str(FAULTY.with_suffix(".launch.xml")), f"sim:={sys.executable} {FAULTY.with_name('faulty_sim.py')} {fault}")
    at = lambda: float(re.search(r"fault at (\S+)", graph.output)[1])  # noqa: E731
    assert ended(graph, words, at) == code


def test_ctrl_c_ends_all_with_code_0(running):
    assert running.stop() == 0, running.output
    assert running.orphans() == []
    assert "Traceback" not in running.output and "error" not in running.output


def test_ctrl_c_ends_a_graph_that_has_only_just_begun(launch):
    graph = launch("record", "time:=lockstep", "camera_rate:=0")
    while "started sim" not in graph.output:
        time.sleep(0.02)
    assert graph.stop() == 0, graph.output
    assert graph.orphans() == [] and "Traceback" not in graph.output


def test_ctrl_c_ends_a_graph_that_is_still_being_made(launch, tmp_path):
    clip = own_clips.clip(tmp_path, "boxing")
    graph = launch("record", "source:=mocap", f"clip:={clip}", "camera_rate:=0", f"out:={tmp_path}")
    while "[retarget]: getting ready" not in graph.output:
        assert graph.process.poll() is None, graph.output
        time.sleep(0.02)
    assert graph.stop() == 0, graph.output
    assert graph.orphans() == [] and "Traceback" not in graph.output


def test_a_mistake_in_a_nodes_parameters_is_one_line(launch, tmp_path):
    graph = launch("record", "source:=mocap", "clip:=nowhere.bvh", "camera_rate:=0", f"out:={tmp_path}")
    assert graph.process.wait(60) == 2
    said = [line for line in graph.output.splitlines() if not line.startswith("[launch]")]
    assert len(said) == 1 and "mocap_source: nowhere.bvh" in said[0], graph.output
    assert graph.orphans() == []
