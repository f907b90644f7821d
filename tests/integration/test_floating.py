# SPDX-License-Identifier: Apache-2.0
"""A robot on its feet in the graph: it stands and takes pushes; one that is too much ends limp before the ground."""

import pytest
from geometry_msgs.msg import Vector3
from nav_msgs.msg import Odometry
from std_srvs.srv import Trigger

from kata_msgs.msg import JointCommand, Verdict
from kata_nodes import qos

pytestmark = [pytest.mark.ros, pytest.mark.slow]

STANDS = 0.7
"""Height of the pelvis over which the robot stands [m]; it does at 0.77."""
LANDED = 0.35
"""Height of the pelvis under which a robot that fell may touch the ground with more than its feet [m]."""


def height(heard) -> float:
    return heard[-1][1].pose.pose.position.z


@pytest.fixture
def robot(graph):
    """Return the graph with a robot on its feet, what was heard of verdict, command and odom, and what pushes it [N s]."""
    graph.launch("sim", "base:=floating", "camera_rate:=0")
    pusher = graph.node.create_publisher(Vector3, "sim/push", qos.EVENT)
    heard = graph.hear(Verdict, "verdict"), graph.hear(JointCommand, "command"), graph.hear(Odometry, "odom")
    graph.run(0.2)
    return graph, heard, lambda *impulse: pusher.publish(Vector3(**dict(zip("xyz", impulse, strict=False))))


def test_it_stands_and_takes_a_push_forwards_and_one_sideways(robot):
    graph, (verdicts, commands, base), push = robot
    assert base[-1][1].header.frame_id == "odom" and base[-1][1].child_frame_id == "pelvis"
    graph.run(2.0)
    for impulse in ((5.0,), (0.0, 8.0)):
        push(*impulse)
        graph.run(2.0)
    assert min(m.pose.pose.position.z for _, m in base) > STANDS
    assert verdicts[-1][1].status == Verdict.STANDBY and max(commands[-1][1].stiffness) > 0.0
    assert Verdict.STOPPED not in {v.status for _, v in verdicts}


def test_a_push_that_is_too_much_ends_limp_before_the_ground(robot, report):
    graph, (verdicts, commands, base), push = robot
    push(40.0)
    assert graph.until(lambda: verdicts[-1][1].status == Verdict.STOPPED, 3.0)
    at, verdict = next((at, v) for at, v in verdicts if v.status == Verdict.STOPPED)
    assert "falling" in verdict.reasons
    assert max(next(c for when, c in commands if when >= at).stiffness) == 0.0, "stop category of an unbalanced robot: damp"
    then = next(m.pose.pose.position.z for when, m in base if when >= at)
    report(f"pushed by 40 N s: damped at a pelvis height of {then:.2f} m")
    assert then > LANDED
    assert graph.until(lambda: height(base) < LANDED, 3.0), "limp, it does fall"
    assert not graph.call(Trigger, "safety/reset").success, "a robot that lies must not get up by itself"
