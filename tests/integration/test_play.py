# SPDX-License-Identifier: Apache-2.0
"""`kata retarget CLIP --play`: the running robot's joints follow the clip; without a robot, one line says so."""

import signal
import subprocess
import sys

import numpy as np
import pytest
from sensor_msgs.msg import JointState

from kata_core import Trajectory, load_robot
from kata_msgs.msg import Verdict
from kata_nodes.convert import JointConverter, from_time

pytestmark = [pytest.mark.ros, pytest.mark.slow]

CLIP = "cmu_02_05_punch_strike.bvh"


def play(mocap, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "kata_core", "retarget", str(mocap / CLIP), "--robot", "g1", "--play", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.fixture
def robot_up(launch, probe):
    """Start the simulated robot; return what is heard of its joints and verdicts."""
    launch("sim", "camera_rate:=0")
    states, verdicts = probe.hear(JointState, "joint_states"), probe.hear(Verdict, "verdict")
    assert probe.until(lambda: len(states) > 20 and len(verdicts) > 20, 120.0)
    return states, verdicts


def test_the_robot_follows_the_clip_and_holds(robot_up, probe, mocap, tmp_path, report):
    states, verdicts = robot_up
    out = tmp_path / "punch.npz"
    process = play(mocap, "--out", str(out))
    assert probe.until(lambda: process.poll() is not None, 240.0)
    output = process.stdout.read()
    assert process.returncode == 0, output
    assert "the robot holds" in output
    assert probe.until(lambda: verdicts[-1][1].status == Verdict.HOLDING, 5.0)
    clip = Trajectory.load(out)
    error = error_of_followed(clip, [m for _, m in states])
    report(f"joints against the clip's: {np.degrees(error.mean()):.1f}° mean, {np.degrees(np.quantile(error, 0.95)):.1f}° p95")
    standing = np.abs(clip.joint_position - clip.joint_position[0])
    assert error.mean() < 0.5 * standing.mean()
    assert np.median(error) < np.radians(3.0)


def test_ctrl_c_ends_it_and_the_robot_holds(robot_up, probe, mocap):
    _, verdicts = robot_up
    process = play(mocap)
    moving = (Verdict.FOLLOWING, Verdict.LIMITED)
    assert probe.until(lambda: verdicts[-1][1].status in moving, 120.0)
    probe.until(lambda: False, 1.0)
    process.send_signal(signal.SIGINT)
    assert probe.until(lambda: process.poll() is not None, 30.0)
    assert process.returncode == 130
    output = process.stdout.read()
    assert "interrupted" in output
    assert "Traceback" not in output
    assert probe.until(lambda: verdicts[-1][1].status == Verdict.HOLDING, 5.0)


def test_without_a_safety_node_one_line_says_what_to_start(ros_domain, mocap):
    process = play(mocap, "--quiet")
    output, _ = process.communicate(timeout=180)
    assert process.returncode == 2
    assert output.startswith("kata: error:")
    assert output.count("\n") == 1
    assert "kata launch" in output


def error_of_followed(motion: Trajectory, states: list[JointState]) -> np.ndarray:
    """Return the distance of measured joints from the clip's, at the delay that fits best, shape (N, n), [rad].

    Postures beyond the safety filter's margins do not count: the filter keeps away from there.
    """
    robot = load_robot("g1")
    joints = JointConverter(robot.layout)
    seconds = np.array([from_time(m.header.stamp) for m in states]) * 1e-9
    measured = np.array([joints.state_from(m).value.position for m in states])
    wanted = np.clip(motion.joint_position, robot.lower + 0.1, robot.upper - 0.1)
    errors = []
    for begin in np.arange(seconds[0], seconds[-1] - motion.stamp[-1], 0.05):
        at = np.stack([np.interp(begin + motion.stamp, seconds, column) for column in measured.T], axis=1)
        errors.append(np.abs(at - wanted))
    assert errors, f"the robot was watched for less than the clip's {motion.stamp[-1]:.1f} s"
    return min(errors, key=lambda error: float(error.mean()))
