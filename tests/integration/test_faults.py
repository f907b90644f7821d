# SPDX-License-Identifier: Apache-2.0
"""Faults on the live graph: rivals, frozen and killed nodes, floods, an e-stop that needs nobody else.

Reaction is measured in the robot's time, from the fault's first trace to the first safe command.
"""

import os
import signal
import time

import numpy as np
import pytest
from std_msgs.msg import Bool, Empty
from std_srvs.srv import SetBool, Trigger

from kata_core import load_robot
from kata_msgs.msg import HumanFrames, JointCommand, Verdict
from kata_nodes import qos

pytestmark = [pytest.mark.ros, pytest.mark.slow]

FOLLOWING = (Verdict.FOLLOWING, Verdict.LIMITED)


def stamp_of(message) -> int:
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


def limp(command) -> bool:
    return max(command.stiffness) == 0.0 < min(command.damping)


def first(heard, since: float, condition):
    """Return how long after a wall time the first message fulfils a condition [ms], None if none does."""
    return next((1e3 * (at - since) for at, message in heard if at > since and condition(message)), None)


def check_commands(commands) -> None:
    """Every command that was sent is finite and within limits; a robot that sank while it was limp is led back."""
    robot, sank = load_robot("g1"), False
    for _, message in commands:
        position, velocity = np.array(message.position), np.array(message.velocity)
        assert np.isfinite(position).all() and np.isfinite(velocity).all()
        sank = sank or limp(message)
        if not sank:
            assert (robot.lower <= position).all() and (position <= robot.upper).all()
        assert (np.abs(velocity) <= robot.max_velocity).all()


def test_rivals_are_noticed_and_an_estop_latches(launch, probe, report):
    launch("sim", "camera_rate:=0")
    verdicts, commands = probe.hear(Verdict, "verdict"), probe.hear(JointCommand, "command")
    assert probe.until(lambda: len(commands) > 50, 60.0)

    rival = probe.node.create_publisher(JointCommand, "target", qos.STREAM)
    other = probe.node.create_publisher(JointCommand, "target", qos.STREAM)
    names = list(load_robot("g1").layout.names)
    zeros, ones = [0.0] * len(names), [1.0] * len(names)
    start, seen = time.monotonic(), lambda: "two_sources" in verdicts[-1][1].reasons
    while not seen() and time.monotonic() < start + 5.0:
        for publisher, position in ((rival, zeros), (other, [0.2] * len(names))):
            now = verdicts[-1][1].header
            publisher.publish(
                JointCommand(
                    header=now, names=names, position=position, velocity=zeros, effort=zeros, stiffness=ones, damping=ones
                )
            )
            probe.until(seen, 0.01)
    report(f"two sources at 50 Hz noticed after {first(verdicts, start, lambda v: 'two_sources' in v.reasons):.0f} ms")
    probe.node.destroy_publisher(rival)
    probe.node.destroy_publisher(other)
    assert probe.until(lambda: not seen(), 5.0)

    rival = probe.node.create_publisher(JointCommand, "command", qos.STREAM)
    start = time.monotonic()
    assert probe.until(lambda: verdicts[-1][1].status == Verdict.STOPPED, 5.0)
    report(f"foreign command stopped after {first(verdicts, start, lambda v: v.status == Verdict.STOPPED):.0f} ms")
    assert "foreign_command" in verdicts[-1][1].reasons
    refused = probe.call(Trigger, "safety/reset", Trigger.Request())
    assert not refused.success and "foreign_command" in refused.message
    probe.node.destroy_publisher(rival)
    assert probe.until(lambda: probe.call(Trigger, "safety/reset", Trigger.Request()).success, 5.0)

    button = probe.node.create_publisher(Bool, "safety/estop", qos.EVENT)
    assert probe.until(lambda: button.get_subscription_count() == 1, 5.0)
    delays = []
    for _ in range(10):
        start = time.monotonic()
        button.publish(Bool(data=True))
        assert probe.until(lambda: limp(commands[-1][1]), 5.0)
        delays.append(first(commands, start, limp))
        assert not probe.call(Trigger, "safety/reset", Trigger.Request()).success, "the button is still pressed"
        button.publish(Bool(data=False))
        assert probe.until(lambda: probe.call(Trigger, "safety/reset", Trigger.Request()).success, 5.0)
        assert probe.until(lambda: not limp(commands[-1][1]), 5.0)
    report(f"e-stop to damping command: median {np.median(delays):.0f} ms, worst {max(delays):.0f} ms of {len(delays)}")
    check_commands(commands)


def test_an_operator_whose_heartbeat_ends_stops_the_robot(launch, probe):
    launch("sim", "camera_rate:=0")
    verdicts = probe.hear(Verdict, "verdict")
    beat = probe.node.create_publisher(Empty, "operator/heartbeat", qos.STREAM)
    assert probe.until(lambda: len(verdicts) > 50 and beat.get_subscription_count() == 1, 60.0)
    beat.publish(Empty())
    assert probe.until(lambda: verdicts[-1][1].status == Verdict.STOPPED, 5.0)
    assert "lost_operator" in verdicts[-1][1].reasons
    assert "lost_operator" in probe.call(Trigger, "safety/reset", Trigger.Request()).message


def test_a_retargeter_that_freezes_is_held_and_followed_again(launch, probe, report):
    graph = launch("teleop", "camera_rate:=0")
    verdicts, commands = probe.hear(Verdict, "verdict"), probe.hear(JointCommand, "command")
    frames = probe.hear(HumanFrames, "frames")
    assert probe.until(lambda: len(verdicts) > 20 and len(frames) > 20, 60.0), graph.output
    assert probe.until(lambda: probe.call(SetBool, "operator/engage", SetBool.Request(data=True)).success, 30.0)
    assert probe.until(lambda: verdicts[-1][1].status in FOLLOWING, 20.0), graph.output
    pid = graph.pid_of("retarget")
    os.kill(pid, signal.SIGSTOP)
    assert probe.until(lambda: verdicts[-1][1].status == Verdict.HOLDING, 5.0)
    held = next(v for _, v in reversed(verdicts) if v.status in FOLLOWING)
    source = held.source_stamp.sec * 10**9 + held.source_stamp.nanosec
    report(f"frozen retargeter: followed for {(stamp_of(held) - source) * 1e-6:.0f} ms after its last sample, then held")
    assert (stamp_of(held) - source) * 1e-9 <= 0.1
    os.kill(pid, signal.SIGCONT)
    assert probe.until(lambda: verdicts[-1][1].status in FOLLOWING, 20.0), "no restart"
    check_commands(commands)


def test_a_retargeter_that_dies_ends_the_graph_without_a_trace(launch, probe):
    graph = launch("teleop", "camera_rate:=0")
    commands = probe.hear(JointCommand, "command")
    assert probe.until(lambda: len(commands) > 20, 60.0), graph.output
    os.kill(graph.pid_of("retarget"), signal.SIGKILL)
    assert graph.process.wait(30) != 0, "a node's failure is the launch's"
    assert graph.orphans() == []
    check_commands(commands)


def test_a_frozen_simulator_does_not_keep_the_estop_from_working(launch, probe):
    graph = launch("sim", "camera_rate:=0")
    verdicts, commands = probe.hear(Verdict, "verdict"), probe.hear(JointCommand, "command")
    assert probe.until(lambda: len(commands) > 50, 60.0)
    button = probe.node.create_publisher(Bool, "safety/estop", qos.EVENT)
    assert probe.until(lambda: button.get_subscription_count() == 1, 5.0)
    pid = graph.pid_of("sim")
    os.kill(pid, signal.SIGSTOP)
    try:
        probe.until(lambda: False, 0.3)
        button.publish(Bool(data=True))
        assert probe.until(lambda: limp(commands[-1][1]) and verdicts[-1][1].status == Verdict.STOPPED, 5.0)
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_flood_of_targets_does_not_slow_the_filter(launch, probe, report):
    launch("sim", "camera_rate:=0")
    verdicts, commands = probe.hear(Verdict, "verdict"), probe.hear(JointCommand, "command")
    assert probe.until(lambda: len(commands) > 50, 60.0)
    flood = probe.node.create_publisher(JointCommand, "target", qos.STREAM)
    names = list(load_robot("g1").layout.names)
    zeros, ones = [0.0] * len(names), [1.0] * len(names)
    bad = JointCommand(
        names=names, position=[float("nan")] * len(names), velocity=zeros, effort=zeros, stiffness=ones, damping=ones
    )
    end, sent, start = time.monotonic() + 2.0, 0, len(verdicts)
    while time.monotonic() < end:
        flood.publish(bad)
        sent += 1
        if sent % 20 == 0:
            probe.until(lambda: False, 0.001)
    probe.until(lambda: False, 0.2)
    stamps = [stamp_of(v) for _, v in verdicts[start:]]
    gap = max(np.diff(stamps)) * 1e-6
    report(f"{sent / 2.0:.0f} targets/s: largest gap between verdicts {gap:.0f} ms of the robot's time")
    assert verdicts[-1][1].status in (Verdict.HOLDING, Verdict.STANDBY)
    assert "not_finite" in {r for _, v in verdicts[start:] for r in v.reasons}
    check_commands(commands)
