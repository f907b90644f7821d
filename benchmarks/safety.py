# SPDX-License-Identifier: Apache-2.0
"""Measure the safety filter: CPU time of a tick, latency across processes, jitter of the node.

The filter follows moving targets of the G1 that come near its limits and itself. The node runs on the steady clock
with a joint-state publisher and a source in processes of their own; latency is from the source's stamp to the
command's arrival here. Run on a quiet machine.

    python benchmarks/safety.py --json safety.json
"""

import argparse
import collections
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")

import numpy as np
from figures import tell

from kata_model import JointCommand, JointState, Status, load_robot
from kata_safety import Received, SafetyConfig, SafetyFilter

TICK = 4_000_000


def targets(robot, seconds: float, seed: int):
    """Yield positions and velocities at 250 Hz: slow waves of all joints, arms led to and past the body."""
    rng = np.random.default_rng(seed)
    n = len(robot.layout)
    phase, rate = rng.uniform(0, 2 * np.pi, n), rng.uniform(0.1, 0.5, n)
    room = np.minimum(robot.upper - robot.rest, robot.rest - robot.lower)
    swing = (
        np.array([0.6 if "shoulder" in name or "elbow" in name or "wrist" in name else 0.15 for name in robot.layout.names])
        * room
    )
    for k in range(round(seconds * 250)):
        t = k * 0.004
        ramp = min(t, 1.0)
        angle = 2 * np.pi * rate * t + phase
        yield robot.rest + ramp * swing * np.sin(angle), ramp * swing * 2 * np.pi * rate * np.cos(angle)


def measure_tick(seconds: float) -> dict[str, float]:
    """Return CPU times of `SafetyFilter.step`."""
    robot = load_robot("g1")
    safety = SafetyFilter(robot, SafetyConfig(engage_refusal=7.0, engage_tolerance=7.0))
    now, position, times, statuses = 10**9, np.array(robot.rest), [], dict.fromkeys(Status, 0)
    zero = np.zeros(len(position))
    for goal, velocity in targets(robot, seconds, 0):
        now += TICK
        state = JointState(now, position, zero, zero)
        target = Received(JointCommand(now, goal, velocity, zero, robot.stiffness, robot.damping), now)
        start = time.thread_time_ns()
        verdict = safety.step(state, target, now)
        times.append((time.thread_time_ns() - start) * 1e-6)
        position = verdict.command.position
        statuses[verdict.status] += 1
    print("statuses:", {s.name: c for s, c in statuses.items() if c})
    return {
        "constraints": safety.qp_filter.constraints,
        "capsule_pairs": safety.qp_filter.pairs,
        "tick_p50_ms": float(np.percentile(times, 50)),
        "tick_p99_ms": float(np.percentile(times, 99)),
        "tick_max_ms": float(np.max(times)),
    }


def measure_node(seconds: float) -> dict[str, float]:
    """Return latency and jitter of the node, driven by processes of their own."""
    os.environ.setdefault("ROS_DOMAIN_ID", str(np.random.default_rng().integers(1, 100)))
    here = [sys.executable, __file__, "--part"]
    # A wide gate, and no stop for overruns: a busy machine is to be measured.
    options = ("engage_refusal:=7.0", "engage_tolerance:=7.0", "overruns:=100")
    safety = [sys.executable, "-c", "from kata_nodes.safety.safety_node import main; main()", "--ros-args"]
    safety += [word for option in options for word in ("-p", option)]
    processes = [subprocess.Popen(command) for command in (safety, [*here, "robot"], [*here, "source"])]
    try:
        latency, ticks, seen = listen(seconds)
    finally:
        for process in processes:
            process.send_signal(signal.SIGINT)
        for process in processes:
            process.wait(10)
    if len(ticks) < 2:
        raise SystemExit(f"the node did not follow; verdicts by status and reasons: {seen}")
    numbers, stamps = np.array(ticks).T
    between = np.diff(stamps)[np.diff(numbers) == 1]  # of a verdict that was not heard, nothing is known
    jitter = np.abs(between * 1e-6 - 4.0)
    return {
        "latency_p50_ms": float(np.percentile(latency, 50)),
        "latency_p99_ms": float(np.percentile(latency, 99)),
        "jitter_p99_ms": float(np.percentile(jitter, 99)),
        "rate_hz": float(1e9 * (numbers[-1] - numbers[0]) / (stamps[-1] - stamps[0])),
    }


def listen(seconds: float) -> tuple[list[float], list[tuple[int, int]], collections.Counter]:
    """Return the latency of commands [ms], number and stamp [ns] of the ticks that followed, and what all verdicts said.

    Messages stay serialised until the end, and the middleware says when they came, so that a busy listener is not measured.
    """
    import rclpy
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.serialization import deserialize_message

    from kata_msgs.msg import JointCommand as CommandMsg
    from kata_msgs.msg import Verdict as VerdictMsg
    from kata_nodes import qos

    rclpy.init()
    node, executor = rclpy.create_node("probe"), SingleThreadedExecutor()
    commands: list[tuple[bytes, Any]] = []
    verdicts: list[tuple[bytes, Any]] = []
    following = (VerdictMsg.FOLLOWING, VerdictMsg.LIMITED)

    def spin(until: float, enough: Callable[[], bool] = lambda: False) -> None:
        end = time.monotonic() + until
        while time.monotonic() < end and not enough():
            executor.spin_once(timeout_sec=0.1)

    def engaged() -> bool:
        return len(verdicts) > 250 and deserialize_message(verdicts[-1][0], VerdictMsg).status in following

    node.create_subscription(CommandMsg, "command", lambda m, i: commands.append((m, i)), qos.RECORD, raw=True)
    node.create_subscription(VerdictMsg, "verdict", lambda m, i: verdicts.append((m, i)), qos.RECORD, raw=True)
    executor.add_node(node)
    spin(60.0, engaged)
    commands.clear()
    verdicts.clear()
    spin(seconds)
    node.destroy_node()
    rclpy.shutdown()
    told = [(deserialize_message(data, VerdictMsg), info["publication_sequence_number"]) for data, info in verdicts]
    ticks = [(number, stamp_of(verdict)) for verdict, number in told if verdict.status in following]
    seen = collections.Counter((verdict.status, tuple(verdict.reasons)) for verdict, _ in told)
    sent = [(deserialize_message(data, CommandMsg), info["received_timestamp"]) for data, info in commands]
    return latencies(sent), ticks, seen


def latencies(commands: list[tuple[Any, int]]) -> list[float]:
    """Return the time from each source sample to the first command that it caused [ms]; commands come with their arrival [ns]."""
    first: dict[int, int] = {}
    for command, received in commands:
        if command.stiffness[0] > 0.0:
            first.setdefault(stamp_of(command), received)
    return [(received - stamp) * 1e-6 for stamp, received in first.items()]


def stamp_of(message: Any) -> int:
    """Return a message's stamp [ns]."""
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


def play(part: str) -> int:
    """Be the robot (joint states at 250 Hz) or the source (targets at 50 Hz), until interrupted."""
    from kata_nodes.spin import run

    return run(_robot if part == "robot" else _source)


def _robot() -> Any:
    """Return a node that does at once what it is told."""
    import rclpy
    from sensor_msgs.msg import JointState as StateMsg

    from kata_msgs.msg import JointCommand as CommandMsg
    from kata_nodes import qos
    from kata_nodes.convert import JointConverter

    robot, node = load_robot("g1"), rclpy.create_node("robot")
    convert, zero = JointConverter(robot.layout), np.zeros(len(robot.layout))
    held = {"position": np.array(robot.rest)}
    states = node.create_publisher(StateMsg, "joint_states", qos.STREAM)

    def obey(message) -> None:
        held["position"] = convert.command_from(message).value.position

    def tell() -> None:
        states.publish(convert.state_to(JointState(time.time_ns(), held["position"], zero, zero)))

    node.create_subscription(CommandMsg, "command", obey, qos.LATEST)
    node.create_timer(0.004, tell)
    return node


def _source() -> Any:
    """Return a node that publishes targets."""
    import rclpy

    from kata_msgs.msg import JointCommand as CommandMsg
    from kata_nodes import qos
    from kata_nodes.convert import JointConverter

    robot, node = load_robot("g1"), rclpy.create_node("source")
    convert, zero = JointConverter(robot.layout), np.zeros(len(robot.layout))
    out, path = node.create_publisher(CommandMsg, "target", qos.STREAM), targets(robot, 3600.0, 1)

    def send() -> None:
        for _ in range(5):
            goal, velocity = next(path)
        out.publish(convert.command_to(JointCommand(time.time_ns(), goal, velocity, zero, robot.stiffness, robot.damping)))

    node.create_timer(0.02, send)
    return node


def main() -> int:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="simulated and real time of each part [s]")
    parser.add_argument("--json", type=Path, help="write the figures as one flat object")
    parser.add_argument("--core-only", action="store_true", help="leave the node out (needs no ROS)")
    parser.add_argument("--part", choices=("robot", "source"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        return play(arguments.part)
    result = measure_tick(arguments.seconds)
    if not arguments.core_only:
        result |= measure_node(arguments.seconds)
    tell(result, arguments.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
