# SPDX-License-Identifier: Apache-2.0
"""A robot of another build, known from data alone, follows a motion clip through the running graph."""

import numpy as np
import pytest
from sensor_msgs.msg import JointState

from kata_model import JointLayout, load_robot
from kata_msgs.msg import JointCommand, Verdict
from kata_nodes.convert import JointConverter

pytestmark = [pytest.mark.ros, pytest.mark.slow]

WARM_IN, SECONDS = 3.0, 6.0


@pytest.fixture
def heard(graph, boxing):
    """Play the clip for some seconds; return what was heard of commands, joint states and verdicts."""
    given = ("robot:=talos", "source:=mocap", f"clip:={boxing}", "camera_rate:=0", "console:=false", "engage:=true")
    graph.launch("teleop", *given)
    heard = graph.hear(JointCommand, "command"), graph.hear(JointState, "joint_states"), graph.hear(Verdict, "verdict")
    assert graph.until(lambda: heard[2] and heard[2][-1][1].status in (Verdict.FOLLOWING, Verdict.LIMITED), 10.0)
    graph.run(WARM_IN + SECONDS)
    return heard


def test_talos_follows_within_its_limits(heard, report):
    robot, (commands, states, verdicts) = load_robot("talos"), heard
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
    assert 0.9 * asked < went < 1.1 * asked
    assert share == 1.0
