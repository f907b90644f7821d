# SPDX-License-Identifier: Apache-2.0
"""`kata stop`, from any terminal and by keyboard: the safety node alone hears it."""

import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sensor_msgs.msg import JointState as JointStateMsg

from kata_core import JointState, load_robot
from kata_msgs.msg import JointCommand, Verdict
from kata_nodes import qos
from kata_nodes.convert import JointConverter

pytestmark = [pytest.mark.ros, pytest.mark.slow]

CONFIG = Path(__file__).parents[2] / "config"
STOP = [sys.executable, "-m", "kata_core", "stop"]


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


def test_a_stop_from_another_terminal_while_all_other_nodes_hang(launch, probe):
    graph = launch("teleop", "camera_rate:=0")
    verdicts, commands = probe.hear(Verdict, "verdict"), probe.hear(JointCommand, "command")
    assert probe.until(lambda: len(commands) > 20 and "[launch] started retarget" in graph.output, 60.0), graph.output
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
    assert probe.until(lambda: verdicts[-1][1].status == Verdict.STOPPED and max(commands[-1][1].stiffness) == 0.0, 5.0)
    ended = kata_stop("--reset")
    assert (ended.returncode, ended.stdout) == (0, "the stop is over\n"), ended.stdout
    assert probe.until(lambda: verdicts[-1][1].status == Verdict.STANDBY, 5.0)


def test_a_stop_that_nobody_hears_is_not_called_one(ros_domain):
    ended = kata_stop("--patience", "1")
    assert ended.returncode == 1
    assert ended.stdout.startswith("NOT CONFIRMED") and "silent" in ended.stdout
    assert kata_stop("--reset", "--patience", "1").returncode == 1


def test_the_keyboard_stops_by_any_key_and_by_its_loss(launch, probe, keyboard):
    launch("sim", "camera_rate:=0")
    verdicts = probe.hear(Verdict, "verdict")
    stopped = lambda: verdicts[-1][1].status == Verdict.STOPPED  # noqa: E731
    process, terminal = keyboard()
    assert probe.until(lambda: len(verdicts) > 20, 60.0)
    assert probe.until(lambda: probe.node.count_publishers("console/heartbeat") == 1, 30.0)
    probe.until(lambda: False, 1.5)
    assert not stopped(), "a console that watches stops nothing"
    os.write(terminal, b" ")
    assert probe.until(stopped, 5.0) and "emergency_stop" in verdicts[-1][1].reasons
    assert kata_stop("--reset").returncode == 0
    assert probe.until(lambda: not stopped(), 5.0)
    os.close(terminal)
    assert probe.until(stopped, 5.0), "a terminal that is gone"
    process.wait(20)
    refused = kata_stop("--reset")
    assert refused.returncode == 1 and "lost_console" in refused.stdout


def test_a_keyboard_that_freezes_or_dies_stops_the_robot(launch, probe, keyboard):
    launch("sim", "camera_rate:=0")
    verdicts = probe.hear(Verdict, "verdict")
    process, _ = keyboard()
    assert probe.until(lambda: len(verdicts) > 20 and probe.node.count_publishers("console/heartbeat") == 1, 60.0)
    probe.until(lambda: False, 1.0)
    os.kill(process.pid, signal.SIGKILL)
    assert probe.until(lambda: verdicts[-1][1].status == Verdict.STOPPED, 5.0)
    assert "lost_console" in verdicts[-1][1].reasons


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
    run = [sys.executable, "-c", "from kata_nodes.safety_node import main; main()"]
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
