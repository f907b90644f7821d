# SPDX-License-Identifier: Apache-2.0
"""A robot of another build, known from data alone, follows a real motion clip through the running graph."""

import numpy as np
import pytest
from sensor_msgs.msg import JointState

from kata_core import JointLayout, load_robot
from kata_core.retarget import BodyRetargeter
from kata_msgs.msg import HumanFrames, JointCommand, Verdict
from kata_nodes.convert import JointConverter, from_time

pytestmark = [pytest.mark.ros, pytest.mark.slow]

CLIP = "cmu_02_05_punch_strike.bvh"
SECONDS = 6.0


@pytest.fixture
def heard(launch, probe, mocap):
    """Play the clip for some seconds; return Talos and what was heard of commands, joint states and verdicts."""
    robot = load_robot("talos")
    BodyRetargeter(robot)  # its kernels compiled: where they are not yet, that takes a minute or two
    launch("teleop", "robot:=talos", "source:=mocap", f"clip:={mocap / CLIP}", "camera_rate:=0", "console:=false", "engage:=true")
    frames, states = probe.hear(HumanFrames, "frames"), probe.hear(JointState, "joint_states")
    commands, verdicts = probe.hear(JointCommand, "command"), probe.hear(Verdict, "verdict")
    assert probe.until(lambda: verdicts and verdicts[-1][1].status in (Verdict.FOLLOWING, Verdict.LIMITED), 90.0)
    start = from_time(frames[-1][1].header.stamp)
    assert probe.until(lambda: from_time(frames[-1][1].header.stamp) - start > (3.0 + SECONDS) * 1e9, 60.0)
    return robot, commands, states, verdicts


def test_talos_follows_within_its_limits(heard, report):
    robot, commands, states, verdicts = heard
    joints = JointConverter(JointLayout(robot.layout.names))
    sent = np.array([joints.command_from(message).value.position for _, message in commands])
    assert (sent >= robot.lower).all() and (sent <= robot.upper).all()
    arm = robot.layout.indices([*robot.description.groups["left_arm"], *robot.description.groups["right_arm"]])
    went = np.ptp([joints.state_from(message).value.position for _, message in states], axis=0)[arm].max()
    asked = np.ptp(sent[:, arm], axis=0).max()
    followed = [message.status in (Verdict.FOLLOWING, Verdict.LIMITED) for _, message in verdicts]
    share = np.mean(followed[followed.index(True) :])
    report(f"Talos: {len(sent)} commands, arms asked to move {asked:.2f} rad, moved {went:.2f} rad, followed {100 * share:.1f} %")
    assert asked > 0.8, "the arms do not box"
    assert 0.7 * asked < went < 1.3 * asked
    assert share > 0.8
