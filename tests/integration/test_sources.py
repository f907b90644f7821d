# SPDX-License-Identifier: Apache-2.0
"""Gamepad and leader arm move the simulated robot through the graph in lockstep, by the same contract."""

import numpy as np
import pytest
from sensor_msgs.msg import JointState, Joy
from std_srvs.srv import SetBool

from kata_model import load_robot
from kata_msgs.msg import Verdict
from kata_nodes import qos
from kata_nodes.convert import to_time

pytestmark = [pytest.mark.ros, pytest.mark.slow]

FOLLOWED = (Verdict.FOLLOWING, Verdict.LIMITED)
MAP = "[turn right_elbow_joint -1.0 0.5]"


@pytest.fixture(scope="module")
def robot():
    return load_robot("g1")


def positions(robot, heard):
    found = dict(zip(heard[-1][1].name, heard[-1][1].position, strict=True))
    return np.array([found[name] for name in robot.layout.names])


def press(graph, publisher, message, seconds):
    """Publish a message at 50 Hz for a time."""
    for _ in range(round(50 * seconds)):
        message.header.stamp = to_time(graph.now)
        publisher.publish(message)
        graph.run(0.02)


def test_a_gamepad_lifts_the_palm(graph, robot, report):
    graph.launch("sim", "camera_rate:=0")
    graph.launch("parts/source_gamepad", "own_device:=false")
    states, verdicts = graph.hear(JointState, "joint_states"), graph.hear(Verdict, "verdict")
    pad = graph.node.create_publisher(Joy, "joy", qos.STREAM)
    buttons = [0] * 17
    press(graph, pad, Joy(axes=[0.0, -1.0, 0.0, 0.0], buttons=list(buttons)), 0.5)
    still = robot.frame_poses(positions(robot, states), ("right_palm",))[0].translation
    buttons[5] = 1
    press(graph, pad, Joy(axes=[0.0, 0.0, 0.0, -1.0], buttons=buttons), 1.5)
    lifted = robot.frame_poses(positions(robot, states), ("right_palm",))[0].translation - still
    assert verdicts[-1][1].status in FOLLOWED
    report(f"gamepad lifted the palm by {lifted[2]:.3f} m, and moved it aside by {np.hypot(*lifted[:2]):.3f} m")
    assert lifted[2] > 0.3 and np.hypot(*lifted[:2]) < 0.05
    press(graph, pad, Joy(axes=[0.0] * 4, buttons=[0] * 17), 0.5)
    assert verdicts[-1][1].status not in FOLLOWED, "who lets go holds"


def test_a_leader_arm_is_refused_a_turn_away_and_followed_to_the_hundredth(graph, robot):
    graph.launch("sim", "camera_rate:=0")
    graph.launch("parts/source_leader", f"joint_map:={MAP}")
    states = graph.hear(JointState, "joint_states")
    leader = graph.node.create_publisher(JointState, "leader/joint_states", qos.STREAM)
    graph.run(0.1)
    elbow = robot.layout.indices(["right_elbow_joint"])[0]
    begin = 0.5 - positions(robot, states)[elbow]
    press(graph, leader, JointState(name=["turn"], position=[begin + 2 * np.pi]), 0.5)
    refused = graph.call(SetBool, "leader/engage", SetBool.Request(data=True))
    assert not refused.success and "turns" in refused.message
    press(graph, leader, JointState(name=["turn"], position=[begin]), 1.0)
    assert graph.call(SetBool, "leader/engage", SetBool.Request(data=True)).success
    press(graph, leader, JointState(name=["turn"], position=[begin]), 0.5)
    before = positions(robot, states)[elbow]
    for k in range(50):
        press(graph, leader, JointState(name=["turn"], position=[begin - 0.005 * k]), 0.02)
    press(graph, leader, JointState(name=["turn"], position=[begin - 0.25]), 1.0)
    assert positions(robot, states)[elbow] - before == pytest.approx(0.25, abs=0.01)
