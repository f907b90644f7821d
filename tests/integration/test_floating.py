# SPDX-License-Identifier: Apache-2.0
"""A robot on its feet, which nothing balances yet: it is stopped while it falls, before it hits the ground."""

import time

import pytest
from geometry_msgs.msg import Vector3
from nav_msgs.msg import Odometry
from std_srvs.srv import Trigger

from kata_msgs.msg import JointCommand, Verdict
from kata_nodes import qos

pytestmark = [pytest.mark.ros, pytest.mark.slow]

LANDED = 0.35
"""Height of the pelvis under which a robot that fell may touch the ground with more than its feet [m]; it stands at 0.79."""


def height(heard) -> float:
    return heard[-1][1].pose.pose.position.z


def stood_up(probe, base) -> bool:
    """Stand the robot up and end the stop; return whether it still stands then."""
    assert probe.call(Trigger, "sim/reset_world", Trigger.Request()).success
    probe.until(lambda: height(base) > 0.75, 2.0)
    return probe.call(Trigger, "safety/reset", Trigger.Request()).success and height(base) > 0.75


@pytest.mark.parametrize("push", [(0.0, 0.0, 0.0), (25.0, 0.0, 0.0), (0.0, 20.0, 0.0)], ids=["unaided", "forward", "sideways"])
def test_a_fall_is_damped_before_the_ground(launch, probe, report, push):
    graph = launch("sim", "base:=floating", "camera_rate:=0")
    verdicts, commands = probe.hear(Verdict, "verdict"), probe.hear(JointCommand, "command")
    base = probe.hear(Odometry, "odom")
    pusher = probe.node.create_publisher(Vector3, "sim/push", qos.EVENT)
    assert probe.until(lambda: len(commands) > 20 and len(base) > 20 and pusher.get_subscription_count() == 1, 90.0), graph.output
    assert base[-1][1].header.frame_id == "odom" and base[-1][1].child_frame_id == "pelvis"
    assert any(stood_up(probe, base) for _ in range(10)), "it falls within two seconds of its start, and must be stood up"
    start = time.monotonic()
    pusher.publish(Vector3(x=push[0], y=push[1], z=push[2]))
    stopped = lambda: verdicts[-1][0] > start and verdicts[-1][1].status == Verdict.STOPPED  # noqa: E731
    assert probe.until(stopped, 10.0), graph.output
    stop = next((at, v) for at, v in verdicts if at > start and v.status == Verdict.STOPPED)
    assert probe.until(lambda: commands[-1][0] > stop[0] and base[-1][0] > stop[0], 5.0)
    assert "falling" in stop[1].reasons
    assert max(next(c for at, c in commands if at >= stop[0]).stiffness) == 0.0, "stop category of an unbalanced robot: damp"
    then = next(m.pose.pose.position.z for at, m in base if at >= stop[0])
    report(f"push {push} N s: damped at a pelvis height of {then:.2f} m")
    assert then > LANDED
    assert probe.until(lambda: height(base) < LANDED, 10.0), "it does fall: nothing balances it"
    assert not probe.call(Trigger, "safety/reset", Trigger.Request()).success, "a robot that lies must not get up by itself"
