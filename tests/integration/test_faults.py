# SPDX-License-Identifier: Apache-2.0
"""Faults on the live graph: every node killed, frozen, slowed and flooded, clocks that jump, rivals, an e-stop.

The cases are in fault_cases.py, what is judged in fault_bench.py; benchmarks/faults.py repeats them and makes the table.
"""

import os
import random
import signal
import sys
import time

import numpy as np
import pytest
from fault_bench import Bench
from fault_cases import CLOCK_CASES, NODE_CASES
from std_msgs.msg import Bool, Empty
from std_srvs.srv import Trigger

from kata_core import load_robot
from kata_msgs.msg import JointCommand, Verdict
from kata_nodes import qos

pytestmark = [pytest.mark.ros, pytest.mark.slow]


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
        assert probe.until(lambda since=start: first(commands, since, limp) is not None, 5.0)
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


@pytest.fixture(scope="module")
def benches(tmp_path_factory):
    """Return a function that gives a graph for all cases of one clock; at the end nothing may be left of it."""
    started = {}
    before = os.environ.get("ROS_DOMAIN_ID")

    def bench(clock):
        if clock not in started:
            os.environ["ROS_DOMAIN_ID"] = str(random.SystemRandom().randint(1, 100))
            started[clock] = Bench(tmp_path_factory.mktemp(clock), clock)
        return started[clock]

    yield bench
    os.environ["ROS_DOMAIN_ID"] = before
    for bench in started.values():
        bench.__exit__()
        sys.stdout.write(bench.graph.output)
        assert bench.graph.process.returncode == 0
        assert bench.graph.orphans() == []


CASES = [("system", case) for case in NODE_CASES] + [("simulated", case) for case in CLOCK_CASES]


@pytest.mark.parametrize(("clock", "case"), CASES, ids=[case.name.replace(" ", "_") for _, case in CASES])
def test_a_fault_is_met_by_a_safe_command_within_limits_and_overcome(benches, report, clock, case):
    result = benches(clock).run(case)
    report(f"{result.case}: named after {result.detected} ms, then safe after {result.reaction}, safe after {result.safe}")
    assert result.violations == [], result
    if case.reasons:
        # With the simulator's clock a jump comes twice, there and back, and the robot's time stands still in between.
        assert clock == "simulated" or result.reaction is None or result.reaction < 50.0, result
    if case.deaf:
        assert result.safe is not None, "the robot was not damped when commands ended"


def test_a_retargeter_that_dies_ends_the_graph_without_a_trace(launch, probe):
    graph = launch("teleop", "camera_rate:=0", "console:=false")
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
    assert probe.until(lambda: flood.get_subscription_count() > 0, 20.0), "the filter does not hear of the flood's publisher"
    end, sent, start = time.monotonic() + 2.0, 0, len(verdicts)
    while time.monotonic() < end:
        flood.publish(bad)
        sent += 1
        if sent % 20 == 0:
            probe.until(lambda: False, 0.001)
    names_it = lambda v: "not_finite" in v.reasons  # noqa: E731
    told = lambda: [k for k in range(start, len(verdicts)) if names_it(verdicts[k][1])]  # noqa: E731
    # the probe reads nothing while it sends: what it hears next may have waited for seconds
    assert probe.until(told, 20.0), "no verdict says that the targets hold no numbers"
    assert probe.until(lambda: not names_it(verdicts[-1][1]), 20.0), "verdicts go on about targets that are sent no more"
    stamps = [stamp_of(v) for _, v in verdicts[start:]]
    gap = max(np.diff(stamps)) * 1e-6
    report(f"{sent / 2.0:.0f} targets/s: largest gap between verdicts {gap:.0f} ms of the robot's time")
    assert verdicts[-1][1].status in (Verdict.HOLDING, Verdict.STANDBY)
    check_commands(commands)
