# SPDX-License-Identifier: Apache-2.0
"""What is about processes: nodes killed and frozen by signals, floods through the middleware, exit codes, orphans.

The logic of faults is judged in lockstep (test_faults.py, test_graph.py). Here time is judged beside what the machine itself did
meanwhile, by a reference timer.
"""

import os
import random
import signal
import sys

import pytest
from fault_cases import NODE_CASES
from fault_judge import limp
from live_bench import LiveBench
from reference_timer import ReferenceTimer
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

from kata.cli import main
from kata_msgs.msg import JointCommand, Verdict
from kata_nodes import qos

pytestmark = [pytest.mark.ros, pytest.mark.slow]

SAFE = 50.0
"""Longest time from the verdict that names a fault to a safe command, and between two commands in a flood [ms]."""

OLD = 50.0
"""Lateness of the machine itself from which on joint states are too old, and the filter holds for that and names that [ms]."""

CASES = (
    "operator killed",
    "operator frozen",
    "retarget killed",
    "retarget frozen",
    "robot killed",
    "robot frozen",
    "safety killed",
    "safety frozen",
    "recorder killed",
    "recorder frozen",
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """Return all nodes at once, for all cases; at the end nothing may be left of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROS_DOMAIN_ID", str(random.SystemRandom().randint(1, 100)))
        with LiveBench(tmp_path_factory.mktemp("processes")) as bench:
            yield bench
        sys.stdout.write(bench.graph.output)
        assert bench.graph.process.returncode == 0
        assert bench.graph.orphans() == []


@pytest.mark.parametrize("case", [c for c in NODE_CASES if c.name in CASES], ids=lambda case: case.name.replace(" ", "_"))
def test_a_process_that_dies_or_freezes_is_met_by_a_safe_command_and_overcome(bench, report, case):
    with ReferenceTimer() as machine:
        result = bench.run(case)
    late = 1e3 * machine.worst
    report(f"{result.case}: named after {result.detected} ms, safe after {result.reaction} more; late by {late:.0f} at most")
    held_before = late > OLD and bool(result.reasons)
    assert [v for v in result.violations if not (held_before and v.startswith("not noticed"))] == [], result
    assert result.reaction is None or result.reaction < SAFE + late, result
    assert not case.deaf or result.safe is not None, "the robot was not damped when commands ended"


def test_a_frozen_simulator_does_not_keep_the_estop_from_working(bench):
    button = bench.node.create_publisher(Bool, "safety/estop", qos.EVENT)
    assert bench.until(lambda: button.get_subscription_count() == 1, 30.0)
    bench.freeze("sim")
    try:
        bench.wait(0.3)
        pressed = bench.now()
        button.publish(Bool(data=True))
        assert bench.until(lambda: (command := bench.newest("command", pressed)) is not None and limp(command), 30.0)
        assert bench.until(lambda: bench.newest("verdict").status == Verdict.STOPPED, 30.0)
        button.publish(Bool(data=False))
    finally:
        bench.thaw("sim")
        bench.destroy(button)
    bench.follow("operator")


def test_a_flood_of_targets_does_not_slow_the_filter(bench, report):
    assert bench.call(Trigger, "safety/reset").success
    flood = bench.node.create_publisher(JointCommand, "target", qos.STREAM)
    bad = bench.newest("command")
    bad.position = [float("nan")] * len(bad.names)
    assert bench.until(lambda: flood.get_subscription_count() > 0, 30.0), "the filter does not hear of the flood's publisher"
    bench.take()
    with ReferenceTimer() as machine:
        start = bench.now()
        for sent in range(20_000):
            flood.publish(bad)
            if sent % 20 == 0:
                bench.wait(0.001)
        end = bench.now()
    assert bench.until(
        lambda: (verdict := bench.newest("verdict", end)) is not None and "not_finite" not in verdict.reasons, 30.0
    )
    gap, late = bench.gap(start, end), 1e3 * machine.worst
    report(f"{20e12 / (end - start):.0f} targets/s: longest time between commands {gap:.0f} ms; late by {late:.0f} at most")
    assert gap < SAFE + late
    assert [v for at, v in bench.take()["verdict"] if start < at < end and "not_finite" in v.reasons]
    bench.destroy(flood)
    bench.follow("operator")


def test_a_source_that_dies_ends_its_launch_with_a_code_and_not_the_robots(launch, probe):
    robot, source = launch("sim", "camera_rate:=0"), launch("parts/source_operator", "time:=real")
    verdicts = probe.hear(Verdict, "verdict")
    assert probe.until(lambda: verdicts and "[launch] started retarget" in source.output, 60.0), robot.output + source.output
    os.kill(source.pid_of("retarget"), signal.SIGKILL)
    assert source.process.wait(60) == 128 + signal.SIGKILL, "a node's failure is the launch's"
    assert source.orphans() == []
    assert robot.process.poll() is None and robot.stop() == 0, robot.output
    assert robot.orphans() == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("teleop", "speeed:=2"), "unknown argument 'speeed'"),
        (("deploy",), "argument 'policy' has no value"),
        (("record", "source:=ghost"), "source_ghost"),
        (("teleop", "source:=mocap"), "argument 'clip' has no value"),
    ],
)
def test_mistakes_are_one_line(capfd, arguments, words):
    assert main(["launch", *arguments]) == 2
    said = "".join(capfd.readouterr()).strip().splitlines()
    assert len(said) == 1 and words in said[0]


def test_a_missing_clip_ends_the_graph_with_one_line(launch):
    graph = launch("parts/source_mocap", "time:=real", "clip:=nowhere.bvh")
    assert graph.process.wait(90) != 0
    said = [line for line in graph.output.splitlines() if line.startswith("[mocap]")]
    assert len(said) == 1
    assert "nowhere.bvh" in said[0]
    assert graph.orphans() == []
