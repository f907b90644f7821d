# SPDX-License-Identifier: Apache-2.0
"""`kata retarget CLIP --play`: the running robot's joints follow the clip; without a robot, one line says so."""

import os
import signal
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import own_clips
import pytest
from rclpy.parameter import Parameter
from sensor_msgs.msg import JointState as JointStateMsg

from kata_model import Trajectory, load_robot
from kata_msgs.msg import JointCommand, Verdict
from kata_nodes.convert import JointConverter, from_time
from kata_nodes.retarget.play_node import PlayNode
from kata_retarget.jobs import ClipJob, run_jobs
from kata_retarget.mocap import ClipOptions

pytestmark = [pytest.mark.ros, pytest.mark.slow]


def play(clip, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "kata", "retarget", str(clip), "--robot", "g1", "--play", *arguments]
    environment = {**os.environ, **environment}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)


@pytest.fixture(scope="module", autouse=True)
def alone(tmp_path_factory):
    """Play to nobody, in a domain of its own, from the beginning on: the wait for a safety node is as long as all other tests."""
    clip = own_clips.clip(tmp_path_factory.mktemp("alone"), "boxing")
    return play(beginning(clip, 0.5), "--quiet", ROS_DOMAIN_ID="101")


def test_the_robot_follows_the_clip_and_holds(graph, boxing, report):
    robot, told = load_robot("g1"), []
    joints = JointConverter(robot.layout)
    (result,) = run_jobs([ClipJob(boxing, None, "g1", 30.0, "offline", ClipOptions(), adapt=False)], 1)
    clip = result.trajectory
    graph.launch("sim", "camera_rate:=0")
    graph.nodes["play"] = player = PlayNode(robot, clip, told.append, parameter_overrides=[Parameter("use_sim_time", value=True)])
    states, verdicts = graph.hear(JointStateMsg, "joint_states"), graph.hear(Verdict, "verdict")
    targets = graph.hear(JointCommand, "target")
    assert graph.until(lambda: player.exit_code is not None, clip.stamp[-1] + 20.0)
    assert player.exit_code == 0, player.fault
    assert "the robot holds" in told[-1] and verdicts[-1][1].status == Verdict.HOLDING
    sent = np.array([joints.command_from(m).value.position for _, m in targets])
    off = np.abs(best_match(clip, np.array([from_time(m.header.stamp) for _, m in targets]) * 1e-9, sent) - clip.joint_position)
    moved, wanted = ranges(clip, joints, states)
    report(f"targets against the clip: {np.degrees(off.mean()):.2f}° mean; joints moved {moved:.2f} of {wanted:.2f} rad")
    assert off.mean() < np.radians(0.5)
    assert 0.9 * wanted < moved < 1.2 * wanted


def test_it_plays_to_the_end_and_ctrl_c_ends_it_before(launch, probe, tmp_path):
    launch("sim", "camera_rate:=0")
    verdicts = probe.hear(Verdict, "verdict")
    whole = own_clips.clip(tmp_path, "boxing")
    assert probe.until(lambda: len(verdicts) > 20, 120.0)
    process = play(beginning(whole, 0.5))
    assert probe.until(lambda: process.poll() is not None, 240.0)
    assert (process.returncode, "the robot holds" in process.stdout.read()) == (0, True)
    assert probe.until(lambda: verdicts[-1][1].status == Verdict.HOLDING, 5.0)

    process = play(whole)
    moving = (Verdict.FOLLOWING, Verdict.LIMITED)
    assert probe.until(lambda: verdicts[-1][1].status in moving, 120.0)
    process.send_signal(signal.SIGINT)
    assert probe.until(lambda: process.poll() is not None, 30.0)
    assert process.returncode == 130
    output = process.stdout.read()
    assert "interrupted" in output
    assert "Traceback" not in output
    assert probe.until(lambda: verdicts[-1][1].status == Verdict.HOLDING, 5.0)


def test_without_a_safety_node_one_line_says_what_to_start(alone):
    output, _ = alone.communicate(timeout=180)
    assert alone.returncode == 2
    assert output.startswith("kata: error:")
    assert output.count("\n") == 1
    assert "kata launch" in output


def beginning(clip, seconds):
    """Write the first seconds of a clip beside it."""
    head, motion = clip.read_text().split("MOTION\n")
    _, period, *rows = motion.splitlines()
    kept = rows[: round(seconds / float(period.split()[-1]))]
    file = clip.with_name("beginning.bvh")
    file.write_text("\n".join([f"{head}MOTION", f"Frames: {len(kept)}", period, *kept, ""]))
    return file


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
    """Compare ranges; the safety filter keeps joints from where the clip has them."""
    wanted = np.ptp(motion.joint_position, axis=0)
    moving = wanted > np.radians(30.0)
    measured = np.array([joints.state_from(m).value.position for _, m in states])
    return Ranges(float(np.median(np.ptp(measured, axis=0)[moving])), float(np.median(wanted[moving])))
