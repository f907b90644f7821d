# SPDX-License-Identifier: Apache-2.0
"""How long a human's sample takes to become a command on the topic, across processes.

Starts the real `retarget` and `safety` nodes on the system clock and stands in for the person and the robot: it
publishes frames of a moving hand, and joint states that are where the last command wanted them. Sim time would
be no clock to measure with: its resolution is the 4 ms of a simulator's tick. A command belongs to the sample
whose stamp it bears; the first one that does counts. The safety filter decides at 250 Hz, so that up to 4 ms, 2 in
the mean, are waiting for its tick.

Stages, by the stamps of the verdict: retarget, from the sample's stamp to the target's arrival at the filter;
safety, from there to the decision; transport, from the decision to the command's arrival here.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import rclpy
from live import node_program, own_domain, stopped_after
from rclpy.node import Node
from sensor_msgs.msg import JointState as JointStateMsg

from kata_model import HumanFrames, JointState, load_robot
from kata_msgs.msg import HumanFrames as HumanFramesMsg
from kata_msgs.msg import JointCommand, Verdict
from kata_nodes import qos
from kata_nodes.convert import JointConverter, frames_to, from_time
from kata_nodes.spin import executor

STAGES = ("latency", "retarget", "safety", "transport")


class Bench(Node):
    """The person and the robot, who note when what comes back."""

    def __init__(self, rate: float) -> None:
        """Start publishing frames at a rate [Hz], and joint states at 250 Hz."""
        super().__init__("latency")
        robot = load_robot("g1")
        self._joints = JointConverter(robot.layout)
        self._position = np.array(robot.rest)
        self._still = np.zeros(len(robot.layout))
        self.received: dict[int, int] = {}
        self.verdicts: dict[int, tuple[int, int]] = {}
        self._frames = self.create_publisher(HumanFramesMsg, "frames", qos.STREAM)
        self._states = self.create_publisher(JointStateMsg, "joint_states", qos.STREAM)
        self.create_subscription(JointCommand, "command", self._on_command, qos.STREAM)
        self.create_subscription(Verdict, "verdict", self._on_verdict, qos.STREAM)
        self.create_timer(0.004, self._measure)
        self.create_timer(1.0 / rate, self._move)

    def _now(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    def _measure(self) -> None:
        self._states.publish(self._joints.state_to(JointState(self._now(), self._position, self._still, self._still)))

    def _move(self) -> None:
        now = self._now()
        turn = 2.0 * np.pi * 0.4 * now * 1e-9
        hand = np.array([[0.3 + 0.08 * np.sin(turn), -0.2, 1.0 + 0.08 * np.cos(turn)]])
        upright = np.array([[0.0, 0.0, 0.0, 1.0]])
        self._frames.publish(frames_to(HumanFrames(now, "latency", True, ("right_hand",), hand, upright, np.ones(1))))

    def _on_command(self, message: JointCommand) -> None:
        self.received.setdefault(from_time(message.header.stamp), self._now())
        self._position = np.array(message.position)

    def _on_verdict(self, message: Verdict) -> None:
        if message.status in (Verdict.FOLLOWING, Verdict.LIMITED):
            stamps = (from_time(message.target_stamp), from_time(message.command_stamp))
            self.verdicts.setdefault(from_time(message.source_stamp), stamps)

    def table(self, since: int) -> dict[str, np.ndarray]:
        """Return durations of each stage [ms] for samples after a time [ns]."""
        rows = [
            (self.received[s] - s, target - s, decided - target, self.received[s] - decided)
            for s, (target, decided) in self.verdicts.items()
            if s > since and s in self.received
        ]
        return dict(zip(STAGES, np.array(rows, dtype=float).reshape(-1, 4).T * 1e-6, strict=True))


@contextmanager
def nodes(*names: str) -> Iterator[None]:
    """Run nodes of kata_nodes, on the system clock."""
    programs = [node_program(name) for name in names]
    with stopped_after([subprocess.Popen([program, "--ros-args", "--log-level", "warn"]) for program in programs]):
        yield


def measure(seconds: float, rate: float) -> dict[str, np.ndarray]:
    """Return durations of each stage [ms], shape (samples,) each; the first two seconds of motion do not count."""
    rclpy.init()
    bench = Bench(rate)
    loop = executor()
    loop.add_node(bench)
    try:
        with nodes("retarget", "safety"):
            deadline = time.monotonic() + 60.0
            while not bench.verdicts and time.monotonic() < deadline:
                loop.spin_once(timeout_sec=0.1)
            if not bench.verdicts:
                sys.exit("no sample became a command within 60 s")
            since = bench.get_clock().now().nanoseconds + 2_000_000_000
            end = time.monotonic() + 2.0 + seconds
            while time.monotonic() < end:
                loop.spin_once(timeout_sec=0.1)
        return bench.table(since)
    finally:
        bench.destroy_node()
        rclpy.try_shutdown()


def main() -> None:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="time measured (default 20)")
    parser.add_argument("--rate", type=float, default=60.0, help="human samples a second (default 60)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write {name: number} here")
    args = parser.parse_args()
    own_domain()
    stages = measure(args.seconds, args.rate)
    figures: dict[str, float] = {}
    print(f"{'stage':<10} {'p50':>7} {'p99':>7} {'max':>7}  ms, {len(stages['latency'])} samples")
    for name, values in stages.items():
        p50, p99 = np.percentile(values, [50, 99])
        print(f"{name:<10} {p50:7.2f} {p99:7.2f} {values.max():7.2f}")
        figures |= {f"{name}_p50_ms": float(p50), f"{name}_p99_ms": float(p99)}
    figures["samples"] = float(len(stages["latency"]))
    figures["lost_percent"] = 100.0 * max(0.0, 1.0 - figures["samples"] / (args.seconds * args.rate))
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
