# SPDX-License-Identifier: Apache-2.0
"""A robot on its feet in the live graph: it stands and takes a push; one that is too much ends limp before the ground."""

import time

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
SPEED = 0.3
"""Simulated over real time: a busy machine must not be what makes it fall."""


def height(heard) -> float:
    return heard[-1][1].pose.pose.position.z


def stamp(message) -> float:
    return message.header.stamp.sec + 1e-9 * message.header.stamp.nanosec


def test_it_stands_and_goes_limp_when_it_falls(launch, probe, report):
    graph = launch("sim", "base:=floating", "camera_rate:=0", f"speed:={SPEED}")
    verdicts, commands = probe.hear(Verdict, "verdict"), probe.hear(JointCommand, "command")
    base = probe.hear(Odometry, "odom")
    pusher = probe.node.create_publisher(Vector3, "sim/push", qos.EVENT)
    stiff = lambda: commands and max(commands[-1][1].stiffness) > 0.0  # noqa: E731
    assert probe.until(lambda: stiff() and len(base) > 20 and pusher.get_subscription_count() == 1, 90.0), graph.output
    assert base[-1][1].header.frame_id == "odom" and base[-1][1].child_frame_id == "pelvis"

    start = stamp(base[-1][1])
    for push in (None, (5.0, 0.0, 0.0), (0.0, 8.0, 0.0)):
        if push:
            pusher.publish(Vector3(x=push[0], y=push[1], z=push[2]))
        begun = stamp(base[-1][1])
        assert probe.until(lambda begun=begun: stamp(base[-1][1]) > begun + 2.0 or height(base) < STANDS, 60.0)
        assert height(base) > STANDS, f"it fell: {verdicts[-1][1].reasons} after push {push}\n{graph.output}"
    report(f"stood for {stamp(base[-1][1]) - start:.1f} s on its own feet, pushed by 5 and 8 N s")
    assert verdicts[-1][1].status == Verdict.STANDBY

    begun = time.monotonic()
    pusher.publish(Vector3(x=40.0))
    stopped = lambda: verdicts[-1][0] > begun and verdicts[-1][1].status == Verdict.STOPPED  # noqa: E731
    assert probe.until(stopped, 30.0), graph.output
    stop = next((at, v) for at, v in verdicts if at > begun and v.status == Verdict.STOPPED)
    assert probe.until(lambda: commands[-1][0] > stop[0] and base[-1][0] > stop[0], 5.0)
    assert "falling" in stop[1].reasons
    assert max(next(c for at, c in commands if at >= stop[0]).stiffness) == 0.0, "stop category of an unbalanced robot: damp"
    then = next(m.pose.pose.position.z for at, m in base if at >= stop[0])
    report(f"pushed by 40 N s: damped at a pelvis height of {then:.2f} m")
    assert then > LANDED
    assert probe.until(lambda: height(base) < LANDED, 30.0), "limp, it does fall"
    assert not probe.call(Trigger, "safety/reset", Trigger.Request()).success, "a robot that lies must not get up by itself"
