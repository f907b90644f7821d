# SPDX-License-Identifier: Apache-2.0
"""`kata retarget CLIP --play`: the running robot's joints follow the clip; without a robot, one line says so."""

import signal
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import own_clips
import pytest
from sensor_msgs.msg import JointState as JointStateMsg

from kata_core import JointState, Trajectory, load_robot
from kata_core.retarget import BodyRetargeter
from kata_core.safety import SafetyConfig, SafetyFilter
from kata_msgs.msg import JointCommand, Verdict
from kata_nodes.convert import JointConverter, from_time

pytestmark = [pytest.mark.ros, pytest.mark.slow]


def play(clip, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "kata_core", "retarget", str(clip), "--robot", "g1", "--play", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.fixture(scope="module")
def compiled() -> None:
    """Compile the kernels of retargeting and safety: where they are not yet, that takes a minute or two."""
    robot = load_robot("g1")
    BodyRetargeter(robot)
    rest = JointState(1, robot.rest, 0.0 * robot.rest, 0.0 * robot.rest)
    SafetyFilter(robot, SafetyConfig()).step(rest, None, 1)


@pytest.fixture
def robot_up(compiled, launch, probe):
    """Start the simulated robot; return what is heard of its joints and verdicts."""
    launch("sim", "camera_rate:=0")
    states, verdicts = probe.hear(JointStateMsg, "joint_states"), probe.hear(Verdict, "verdict")
    assert probe.until(lambda: len(states) > 20 and len(verdicts) > 20, 120.0)
    return states, verdicts


def test_the_robot_follows_the_clip_and_holds(robot_up, probe, walking, tmp_path, report):
    states, verdicts = robot_up
    out = tmp_path / "punch.npz"
    targets = probe.hear(JointCommand, "target")
    process = play(walking, "--out", str(out))
    assert probe.until(lambda: process.poll() is not None, 240.0)
    output = process.stdout.read()
    assert process.returncode == 0, output
    assert "the robot holds" in output
    assert probe.until(lambda: verdicts[-1][1].status == Verdict.HOLDING, 5.0)
    clip = Trajectory.load(out)
    joints = JointConverter(load_robot("g1").layout)
    sent = np.array([joints.command_from(m).value.position for _, m in targets])
    off = np.abs(best_match(clip, np.array([from_time(m.header.stamp) for _, m in targets]) * 1e-9, sent) - clip.joint_position)
    report(f"targets against the clip: {np.degrees(off.mean()):.2f}° mean; {ranges(clip, joints, states)}")
    assert off.mean() < np.radians(1.0)
    moved, wanted = ranges(clip, joints, states)
    assert moved > 0.5 * wanted


def test_ctrl_c_ends_it_and_the_robot_holds(robot_up, probe, tmp_path):
    _, verdicts = robot_up
    process = play(own_clips.clip(tmp_path, "walking"))
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


def test_without_a_safety_node_one_line_says_what_to_start(ros_domain, tmp_path):
    process = play(own_clips.clip(tmp_path, "walking"), "--quiet")
    output, _ = process.communicate(timeout=180)
    assert process.returncode == 2
    assert output.startswith("kata: error:")
    assert output.count("\n") == 1
    assert "kata launch" in output


def best_match(motion: Trajectory, seconds: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Return positions over time at the clip's frames, at the begin that fits best, shape (N, n), [rad]."""
    matches = [
        np.stack([np.interp(begin + motion.stamp, seconds, column) for column in position.T], axis=1)
        for begin in np.arange(seconds[0], seconds[-1] - motion.stamp[-1], 0.02)
    ]
    assert matches, f"the targets lasted less than the clip's {motion.stamp[-1]:.1f} s"
    return min(matches, key=lambda match: float(np.abs(match - motion.joint_position).mean()))


class Ranges(NamedTuple):
    """How far joints moved, and how far the clip wants them to; medians of those that it moves by 30° or more [rad]."""

    moved: float
    wanted: float


def ranges(motion: Trajectory, joints: JointConverter, states: list[tuple[float, JointStateMsg]]) -> Ranges:
    """Compare ranges: a busy machine delays the robot, and the safety filter keeps joints from where the clip has them."""
    wanted = np.ptp(motion.joint_position, axis=0)
    moving = wanted > np.radians(30.0)
    measured = np.array([joints.state_from(m).value.position for _, m in states])
    return Ranges(float(np.median(np.ptp(measured, axis=0)[moving])), float(np.median(wanted[moving])))
