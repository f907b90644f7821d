# SPDX-License-Identifier: Apache-2.0
"""Gamepad and leader arm move the simulated robot through the real graph, by the same contract."""

import numpy as np
import pytest
from sensor_msgs.msg import JointState, Joy
from std_srvs.srv import SetBool

from kata_core import load_robot
from kata_msgs.msg import EngageState, Verdict
from kata_nodes import qos

pytestmark = [pytest.mark.ros, pytest.mark.slow]

MAP = "[turn right_elbow_joint -1.0 0.5]"


def positions(robot, heard):
    found = dict(zip(heard[-1][1].name, heard[-1][1].position, strict=True))
    return np.array([found[name] for name in robot.layout.names])


def press(probe, publisher, message, seconds):
    """Publish a message at 50 Hz for a time, and listen meanwhile."""
    for _ in range(round(50 * seconds)):
        message.header.stamp = probe.node.get_clock().now().to_msg()
        publisher.publish(message)
        probe.until(lambda: False, 0.02)


def test_gamepad_then_leader(launch, probe, report):
    robot = load_robot("g1")
    sim = launch("sim", "camera_rate:=0")
    pad, arm = launch("parts/source_gamepad", "own_device:=false"), launch("parts/source_leader", f"joint_map:={MAP}")
    states, verdicts = probe.hear(JointState, "joint_states"), probe.hear(Verdict, "verdict")
    engages = probe.hear(EngageState, "engage/state")
    joy = probe.node.create_publisher(Joy, "joy", qos.STREAM)
    leader = probe.node.create_publisher(JointState, "leader/joint_states", qos.STREAM)
    assert probe.until(lambda: {m.source for _, m in engages} >= {"gamepad", "leader"} and len(states) > 20, 120.0), sim.output
    assert probe.until(lambda: len(verdicts) > 20, 60.0), sim.output
    buttons = [0] * 17
    press(probe, joy, Joy(axes=[0.0, -1.0, 0.0, 0.0], buttons=list(buttons)), 0.5)
    still = robot.frame_poses(positions(robot, states), ("right_palm",))[0].translation
    buttons[5] = 1
    press(probe, joy, Joy(axes=[0.0, 0.0, 0.0, -1.0], buttons=buttons), 1.5)
    lifted = robot.frame_poses(positions(robot, states), ("right_palm",))[0].translation - still
    press(probe, joy, Joy(axes=[0.0] * 4, buttons=[0] * 17), 0.5)
    report(f"gamepad lifted the palm by {lifted[2]:.2f} m")
    assert lifted[2] > 0.1, (pad.output, verdicts[-1][1].reasons)
    follow_the_leader(probe, leader, robot, states)
    assert "Traceback" not in sim.output + pad.output + arm.output


def follow_the_leader(probe, leader, robot, states):
    """Engage from where the robot is, refuse a whole turn, follow a quarter of a radian."""
    elbow = robot.layout.indices(["right_elbow_joint"])[0]
    begin = 0.5 - positions(robot, states)[elbow]
    press(probe, leader, JointState(name=["turn"], position=[begin + 2 * np.pi]), 0.5)
    refused = probe.call(SetBool, "leader/engage", SetBool.Request(data=True))
    assert not refused.success and "turns" in refused.message
    press(probe, leader, JointState(name=["turn"], position=[begin]), 1.0)
    assert probe.call(SetBool, "leader/engage", SetBool.Request(data=True)).success
    press(probe, leader, JointState(name=["turn"], position=[begin]), 0.5)
    before = positions(robot, states)[elbow]
    for k in range(50):
        press(probe, leader, JointState(name=["turn"], position=[begin - 0.005 * k]), 0.02)
    press(probe, leader, JointState(name=["turn"], position=[begin - 0.25]), 1.0)
    assert positions(robot, states)[elbow] - before == pytest.approx(0.25, abs=0.05)
