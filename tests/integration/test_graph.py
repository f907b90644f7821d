# SPDX-License-Identifier: Apache-2.0
"""The graph in lockstep: still before a deliberate engage; stops that latch; rivals, floods and silence, to the tick."""

from itertools import pairwise

import numpy as np
import pytest
from std_msgs.msg import Bool, Empty
from std_srvs.srv import Trigger

from kata_model import load_robot
from kata_msgs.msg import HumanFrames, JointCommand, TaskState, Verdict
from kata_nodes import qos
from kata_nodes.convert import from_time, to_time

pytestmark = [pytest.mark.ros, pytest.mark.slow]

TICK = 4_000_000
"""[ns]."""

RELEASED = 0.5
"""How long a press of the emergency stop counts whatever is heard of releases [s]."""


def limp(command) -> bool:
    return max(command.stiffness) == 0.0 < min(command.damping)


def check_commands(commands) -> None:
    """Every command is finite and within limits, one at least in each tick; a robot that sank while it was limp is led back."""
    robot, sank = load_robot("g1"), False
    assert {b - a for (a, _), (b, _) in pairwise(commands)} <= {0, TICK}
    for _, message in commands:
        position, velocity = np.array(message.position), np.array(message.velocity)
        assert np.isfinite(position).all()
        sank = sank or limp(message)
        if not sank:
            assert (robot.lower <= position).all() and (position <= robot.upper).all()
        assert (np.abs(velocity) <= robot.max_velocity).all()


def target(graph, position) -> JointCommand:
    """Return a target for all joints, stamped now."""
    names = list(load_robot("g1").layout.names)
    zeros, ones, message = [0.0] * len(names), [1.0] * len(names), JointCommand()
    message.header.stamp = to_time(graph.now)
    message.names, message.position = names, [position] * len(names)
    message.velocity, message.effort, message.stiffness, message.damping = zeros, zeros, ones, ones
    return message


@pytest.fixture
def heard(graph):
    """Start the robot with its filter, and return verdicts and commands; each as (time, message)."""
    graph.launch("sim", "camera_rate:=0")
    verdicts, commands = graph.hear(Verdict, "verdict"), graph.hear(JointCommand, "command")
    graph.run(0.2)
    return verdicts, commands


def test_one_publisher_of_commands_and_nothing_moves_before_a_deliberate_engage(graph):
    graph.launch("teleop", "camera_rate:=0", "console:=false")
    verdicts, commands = graph.hear(Verdict, "verdict"), graph.hear(JointCommand, "command")
    frames, tasks, targets = (
        graph.hear(HumanFrames, "frames"),
        graph.hear(TaskState, "task/state"),
        graph.hear(JointCommand, "target"),
    )
    graph.run(2.0)
    assert [p.node_name for p in graph.node.get_publishers_info_by_topic("command")] == ["safety"]
    assert len(frames) >= 118 and len(tasks) >= 98 and not targets
    first = next(k for k, (_, v) in enumerate(verdicts) if v.status == Verdict.STANDBY)
    assert first <= 1 and {v.status for _, v in verdicts[first:]} == {Verdict.STANDBY}
    assert len(commands) >= 498
    still = np.array([message.position for _, message in commands])
    assert np.ptp(still, axis=0).max() < 1e-3, "a robot that nobody moves stays where it was"


def test_stop_and_reset(graph, heard):
    verdicts, commands = heard
    assert graph.call(Trigger, "safety/stop").success
    graph.run(0.1)
    assert verdicts[-1][1].status == Verdict.STOPPED and limp(commands[-1][1])
    assert graph.call(Trigger, "safety/reset").success
    graph.run(0.1)
    assert verdicts[-1][1].status == Verdict.STANDBY and not limp(commands[-1][1])


def test_two_sources_that_take_turns_are_noticed(graph, heard):
    verdicts, commands = heard
    one, other = (graph.node.create_publisher(JointCommand, "target", qos.STREAM) for _ in range(2))
    begun, seen = graph.now, lambda: "two_sources" in verdicts[-1][1].reasons
    for _ in range(10):
        one.publish(target(graph, 0.0))
        graph.run(0.008)
        other.publish(target(graph, 0.2))
        graph.run(0.012)
    first = next(at for at, v in verdicts if at > begun and "two_sources" in v.reasons)
    assert first - begun <= 100_000_000
    assert seen() and verdicts[-1][1].status == Verdict.HOLDING
    graph.node.destroy_publisher(one)
    graph.node.destroy_publisher(other)
    assert graph.until(lambda: not seen(), 0.6)
    check_commands(commands)


def test_a_foreign_command_stops_until_nobody_sends_any(graph, heard):
    verdicts, commands = heard
    rival = graph.node.create_publisher(JointCommand, "command", qos.STREAM)
    graph.run(0.024)
    assert verdicts[-1][1].status == Verdict.STOPPED and "foreign_command" in verdicts[-1][1].reasons
    refused = graph.call(Trigger, "safety/reset")
    assert not refused.success and "foreign_command" in refused.message
    graph.node.destroy_publisher(rival)
    graph.run(0.024)
    assert graph.call(Trigger, "safety/reset").success
    check_commands(commands)


def test_an_emergency_stop_latches_in_the_tick_that_hears_it(graph, heard):
    verdicts, commands = heard
    button = graph.node.create_publisher(Bool, "safety/estop", qos.EVENT)
    for _ in range(10):
        begun = graph.now
        button.publish(Bool(data=True))
        graph.run(0.1)
        assert next(at for at, command in commands if at > begun and limp(command)) - begun <= TICK
        refused = graph.call(Trigger, "safety/reset")
        assert not refused.success and "emergency_stop" in refused.message, "the button is still pressed"
        button.publish(Bool(data=False))
        graph.run(RELEASED)
        assert limp(commands[-1][1]) and verdicts[-1][1].status == Verdict.STOPPED, "a release alone ends nothing"
        assert graph.call(Trigger, "safety/reset").success
        graph.run(0.1)
        assert not limp(commands[-1][1])
    check_commands(commands)


def test_an_operator_whose_heartbeat_ends_stops_the_robot(graph, heard):
    verdicts, _ = heard
    graph.node.create_publisher(Empty, "operator/heartbeat", qos.STREAM).publish(Empty())
    graph.run(0.29)
    assert verdicts[-1][1].status == Verdict.STANDBY
    graph.run(0.04)
    assert verdicts[-1][1].status == Verdict.STOPPED and "lost_operator" in verdicts[-1][1].reasons
    assert "lost_operator" in graph.call(Trigger, "safety/reset").message


def test_a_flood_of_targets_is_held_in_each_tick_and_then_forgotten(graph, heard):
    verdicts, commands = heard
    flood, start = graph.node.create_publisher(JointCommand, "target", qos.STREAM), len(verdicts)
    for _ in range(100):
        bad = target(graph, float("nan"))
        for _ in range(50):  # 12,500 a second
            flood.publish(bad)
        graph.tick()
    told = [v for _, v in verdicts[start:]]
    assert len(told) == 100
    assert {v.status for v in told[1:]} <= {Verdict.HOLDING} and all("not_finite" in v.reasons for v in told[1:])
    graph.run(0.6)
    assert "not_finite" not in verdicts[-1][1].reasons
    assert {from_time(b.header.stamp) - from_time(a.header.stamp) for (_, a), (_, b) in pairwise(verdicts)} == {TICK}
    check_commands(commands)
