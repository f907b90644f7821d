# SPDX-License-Identifier: Apache-2.0
"""`kata stop`, from any terminal and by keyboard: the safety node alone hears it."""

import os
import pty
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from live_graph import Graph
from observer import Observer
from sensor_msgs.msg import JointState as JointStateMsg
from std_msgs.msg import Empty

from kata_model import JointState, load_robot
from kata_msgs.msg import JointCommand, Verdict
from kata_nodes import qos
from kata_nodes.convert import JointConverter

pytestmark = [pytest.mark.ros, pytest.mark.slow]

CONFIG = Path(__file__).parents[2] / "config"
STOP = [sys.executable, "-m", "kata", "stop"]


def kata_stop(*arguments):
    return subprocess.run([*STOP, *arguments], capture_output=True, text=True, timeout=60)


@pytest.fixture
def keyboard():
    """Return a function that starts `kata stop --keyboard` in a terminal of its own: the process, and our end of the terminal."""
    started = []

    def start():
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [*STOP, "--keyboard"], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, close_fds=True
        )
        os.close(theirs)
        started.append(process)
        return process, ours

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


TOPICS = {"verdict": Verdict, "command": JointCommand, "console/heartbeat": Empty}


@pytest.fixture(scope="module")
def launched(tmp_path_factory):
    """Start the robot with a source, once for all tests that stop it; at the end nothing may be left of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROS_DOMAIN_ID", domain := str(random.SystemRandom().randint(1, 100)))
        graph = Graph(tmp_path_factory.mktemp("estop") / "launch.log", "teleop", "camera_rate:=0", "console:=false")
        observer = Observer(TOPICS)
        assert observer.until(lambda: observer.last("command") and "started retarget" in graph.output, 60.0), graph.output
        yield graph, observer, domain
        observer.close()
        code = graph.stop()
    sys.stdout.write(graph.output)
    assert code == 0 and graph.orphans() == [] and "Traceback" not in graph.output


@pytest.fixture
def robot(launched, monkeypatch):
    """Return the launch, and who hears it; `kata stop` is called beside them."""
    graph, observer, domain = launched
    monkeypatch.setenv("ROS_DOMAIN_ID", domain)
    return graph, observer


def is_in(observer, status):
    """Wait until the robot is in a status; return the verdict's reasons."""
    assert observer.until(lambda: observer.last("verdict").status == status, 30.0), observer.last("verdict").reasons
    return observer.last("verdict").reasons


def is_watched(observer):
    """Wait until somebody's heartbeat was heard for longer than its deadline."""
    begun = time.time_ns()
    assert observer.until(lambda: observer.last("console/heartbeat", begun) is not None, 60.0)
    assert observer.until(lambda: observer.last("console/heartbeat", begun + 1_200_000_000) is not None, 30.0)


def test_a_stop_from_another_terminal_while_all_other_nodes_hang(robot):
    graph, observer = robot
    others = [graph.pid_of(node) for node in ("sim", "operator", "retarget")]
    for pid in others:
        os.kill(pid, signal.SIGSTOP)
    try:
        ended = kata_stop()
    finally:
        for pid in others:
            os.kill(pid, signal.SIGCONT)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert re.match(r"stopped: emergency_stop", ended.stdout)
    is_in(observer, Verdict.STOPPED)
    assert max(observer.last("command").stiffness) == 0.0
    ended = kata_stop("--reset")
    assert (ended.returncode, ended.stdout) == (0, "the stop is over\n"), ended.stdout
    is_in(observer, Verdict.STANDBY)


def test_the_keyboard_stops_by_any_key_and_by_its_loss(robot, keyboard):
    _, observer = robot
    process, terminal = keyboard()
    is_watched(observer)
    assert observer.last("verdict").status == Verdict.STANDBY, "a console that watches stops nothing"
    os.write(terminal, b" ")
    assert "emergency_stop" in is_in(observer, Verdict.STOPPED)
    assert kata_stop("--reset").returncode == 0
    is_in(observer, Verdict.STANDBY)
    os.close(terminal)
    is_in(observer, Verdict.STOPPED)  # the terminal is gone
    process.wait(60)
    observer.until(lambda: False, 1.0 + 0.2)  # a console counts as lost a second after its last heartbeat
    refused = kata_stop("--reset")
    assert refused.returncode == 1 and "lost_console" in refused.stdout


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
def test_a_keyboard_that_freezes_or_dies_stops_the_robot(robot, keyboard, number):
    _, observer = robot
    process, _ = keyboard()
    is_watched(observer)
    assert kata_stop("--reset").returncode == 0, "the console that was lost is here again"
    is_in(observer, Verdict.STANDBY)
    os.kill(process.pid, number)
    assert "lost_console" in is_in(observer, Verdict.STOPPED)


def test_a_stop_that_nobody_hears_is_not_called_one(ros_domain):
    ended = kata_stop("--patience", "1")
    assert ended.returncode == 1
    assert ended.stdout.startswith("NOT CONFIRMED") and "silent" in ended.stdout
    assert kata_stop("--reset", "--patience", "1").returncode == 1


def test_a_pipe_is_no_keyboard(ros_domain):
    ended = subprocess.run([*STOP, "--keyboard"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2 and "standard input is no terminal" in ended.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_ends_the_safety_node_leaves_a_damped_robot(number, ros_domain, probe):
    """Its last command was stiff, and moving perhaps."""
    commands, verdicts = probe.hear(JointCommand, "command"), probe.hear(Verdict, "verdict")
    robot = load_robot("g1")
    joints, still = JointConverter(robot.layout), np.zeros(len(robot.layout))
    states = probe.node.create_publisher(JointStateMsg, "joint_states", qos.STREAM)

    def commanded() -> bool:
        now = probe.node.get_clock().now().nanoseconds
        states.publish(joints.state_to(JointState(now, robot.rest, still, still)))
        return len(commands) > 20

    profile = {"FASTRTPS_DEFAULT_PROFILES_FILE": str(CONFIG / "fastdds_safety_profile.xml")}
    run = [sys.executable, "-c", "from kata_nodes.safety.safety_node import main; main()"]
    process = subprocess.Popen(run, env=os.environ | profile, stderr=subprocess.PIPE, text=True)
    try:
        assert probe.until(commanded, 60.0)
        assert max(commands[-1][1].stiffness) > 0.0
        process.send_signal(number)
        assert probe.until(lambda: process.poll() is not None, 20.0)
        assert process.returncode == 0, process.stderr.read()
    finally:
        process.kill()
        process.communicate()
    left = lambda: list(verdicts[-1][1].reasons) == ["leaving"] and max(commands[-1][1].stiffness) == 0.0  # noqa: E731
    assert probe.until(left, 5.0), verdicts[-1][1]
    assert min(commands[-1][1].damping) > 0.0
