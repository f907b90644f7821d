# SPDX-License-Identifier: Apache-2.0
"""How long a person's hand takes to become a command, from an emulated headset over the real socket; and whether it keeps up.

Starts the real nodes `console`, `retarget` and `safety` on the system clock and stands in for the robot (joint states
where the last command wanted them, a camera of 320x240 at 30 Hz). A process of its own stands in for the headset: it pairs,
squeezes, and moves a hand at 60 Hz while it receives robot states and pictures. All processes share one monotonic clock, so
a command's latency is taken from when its frame was made, whatever the server thinks of the headset's clock.

Stages: browser (frame made -> given to the socket), socket (-> heard on `frames`), retarget (-> target at the safety filter),
safety (-> command decided), transport (-> command heard). What a real browser adds is reported by tests/integration/test_vr.py.
frames_lost: sent, and never heard on `frames`. backlog: frames sent more than one period ago that had not been heard yet.

    python benchmarks/teleop.py --seconds 300 --json teleop.json
"""

import argparse
import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("ROS_DOMAIN_ID", str(random.SystemRandom().randint(1, 100)))
os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/integration"))

import cv2
import numpy as np
import rclpy
from emulated_headset import EmulatedHeadset, controller
from latency import Bench, nodes
from sensor_msgs.msg import CompressedImage

from kata_msgs.msg import HumanFrames as HumanFramesMsg
from kata_msgs.msg import Verdict
from kata_nodes import qos
from kata_nodes.console.policy_host import node_program
from kata_nodes.convert import from_time, jpeg_to
from kata_nodes.spin import executor

STAGES = ("browser", "socket", "retarget", "safety", "transport")
_RATE = 60.0
_WARM = 2.0  # first seconds of driving, which do not count
_NEAR = 6e6  # a command's stamp belongs to the frame made this near to it [ns]


class RobotBench(Bench):
    """The robot: joint states, a camera; it notes when frames come by on their topic."""

    def __init__(self) -> None:
        """Start the camera."""
        super().__init__(_RATE)
        self.frames: dict[int, int] = {}
        self.heard_safety = False
        self._jpegs = [_picture(k) for k in range(8)]
        self._shown = 0
        self._camera = self.create_publisher(CompressedImage, "camera/head/image_raw/compressed", qos.STREAM)
        self.create_subscription(HumanFramesMsg, "frames", self._on_frames, qos.STREAM)
        self.create_timer(1.0 / 30.0, self._shoot)

    def _move(self) -> None:
        """Leave the hand to the headset."""

    def _on_frames(self, message: HumanFramesMsg) -> None:
        self.frames.setdefault(from_time(message.header.stamp), self._now())

    def _on_verdict(self, message: Verdict) -> None:
        self.heard_safety = True
        super()._on_verdict(message)

    def _shoot(self) -> None:
        self._shown += 1
        self._camera.publish(jpeg_to(self._now(), self._jpegs[self._shown % 8], "camera"))


def _picture(seed: int) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    return bytes(cv2.imencode(".jpg", cv2.resize(noise, (320, 240)))[1])


async def wear(url: str, code: str, seconds: float) -> dict[str, object]:
    """Be the headset for a time; return when each frame was made and sent [ns, monotonic], and what was seen."""
    made, sent = [], []
    async with EmulatedHeadset(url, code) as headset:
        await headset.operate()
        await headset.ask("camera", on=True, rate=30)
        begin = time.perf_counter()
        for k in range(round((seconds + _WARM) * _RATE)):
            await asyncio.sleep(max(0.0, begin + k / _RATE - time.perf_counter()))
            turn = 2.0 * np.pi * 0.4 * k / _RATE
            right = controller(0.2, 1.0 + 0.08 * np.sin(turn), -0.3 + 0.08 * np.cos(turn), squeeze=k > 20)
            made.append(await headset.show(right))
            sent.append(time.perf_counter_ns())
        engaged = [m["state"] for m in headset.heard["engage"]].count("engaged")
        link = headset.last("link")
        pictures = [t for t, _ in headset.pictures]
    return {"made": made, "sent": sent, "engaged": engaged, "link": link, "pictures": pictures, "robot": headset.robot_frames}


@contextmanager
def console() -> Iterator[tuple[str, str]]:
    """Run the node `console`; give its address and a code."""
    program = node_program("console")
    if program is None:
        sys.exit("kata_nodes is not built (make setup, then . scripts/env.sh)")
    arguments = ["--ros-args", "-p", "show_qr:=false", "--log-level", "info"]
    process = subprocess.Popen([program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if found := re.search(r"open (http\S+)/#code=(\w+)", line):
                yield found.group(1), found.group(2)
                return
        sys.exit("the console did not start")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


def measure(seconds: float) -> tuple[RobotBench, dict[str, object], int]:
    """Run everything; return the robot's notes, the headset's, and the system's clock less the monotonic one [ns]."""
    rclpy.init()
    bench = RobotBench()
    loop = executor()
    loop.add_node(bench)
    with nodes("retarget", "safety"), console() as (url, code), tempfile.TemporaryDirectory() as folder:
        deadline = time.monotonic() + 120.0
        while not bench.heard_safety and time.monotonic() < deadline:
            loop.spin_once(timeout_sec=0.1)
        notes = Path(folder) / "notes.json"
        command = [sys.executable, __file__, "--seconds", str(seconds), "--headset", url, code, str(notes)]
        headset = subprocess.Popen(command)
        while headset.poll() is None:
            loop.spin_once(timeout_sec=0.05)
        if headset.returncode:
            sys.exit("the headset failed (its message is above)")
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            loop.spin_once(timeout_sec=0.05)
        seen = json.loads(notes.read_text())
    ahead = time.time_ns() - time.perf_counter_ns()
    bench.destroy_node()
    rclpy.try_shutdown()
    return bench, seen, ahead


def table(bench: RobotBench, seen: dict[str, object], ahead: int) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Return durations of stages [ms], and counts."""
    made, sent = (np.array(seen[name], dtype=np.int64) + ahead for name in ("made", "sent"))
    stamps = np.array(sorted(bench.frames), dtype=np.int64)
    heard = np.array([bench.frames[s] for s in stamps], dtype=np.int64)
    nearest = np.abs(made[:, None] - stamps[None, :]).argmin(axis=0) if len(stamps) < 2 else _nearest(made, stamps)
    good = np.abs(made[nearest] - stamps) < _NEAR
    arrival = {int(i): int(h) for i, h, ok in zip(nearest, heard, good, strict=True) if ok}
    rows = []
    for k, stamp, came in zip(nearest[good], stamps[good], heard[good], strict=True):
        if k < _WARM * _RATE or int(stamp) not in bench.verdicts or int(stamp) not in bench.received:
            continue
        target, decided = bench.verdicts[int(stamp)]
        rows.append((sent[k] - made[k], came - sent[k], target - came, decided - target, bench.received[int(stamp)] - decided))
    durations = np.array(rows, dtype=float).reshape(-1, len(STAGES)).T * 1e-6
    stages = dict(zip(STAGES, durations, strict=True))
    stages["latency"] = durations.sum(axis=0)
    counts = {
        "frames_sent": float(len(made)),
        "frames_lost": float(len(made) - len(arrival)),
        "backlog_max": float(_backlog(sent, arrival)),
        "pictures": float(len(seen["pictures"])),  # type: ignore[arg-type]
        "commands": float(len(rows)),
    }
    return stages, counts


def _nearest(made: np.ndarray, stamps: np.ndarray) -> np.ndarray:
    after = np.clip(np.searchsorted(made, stamps), 1, len(made) - 1)
    return after - (stamps - made[after - 1] < made[after] - stamps)


def _backlog(sent: np.ndarray, arrival: dict[int, int]) -> int:
    """Return the most frames that were over a period old and not there yet, looked at whenever one arrived."""
    period, worst = int(1e9 / _RATE), 0
    arrived = np.array([arrival.get(k, np.iinfo(np.int64).max) for k in range(len(sent))])
    there = arrived < np.iinfo(np.int64).max
    for k in np.flatnonzero(there):
        low = max(0, k - 120)
        waiting = there[low:k] & (sent[low:k] < arrived[k] - period) & (arrived[low:k] > arrived[k])
        worst = max(worst, int(waiting.sum()) + int(arrived[k] - sent[k] > period))
    return worst


def main() -> None:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="time measured (default 20)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write {name: number} here")
    parser.add_argument("--headset", nargs=3, metavar=("URL", "CODE", "FILE"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.headset:
        url, code, file = args.headset
        Path(file).write_text(json.dumps(asyncio.run(wear(url, code, args.seconds))))
        return
    bench, seen, ahead = measure(args.seconds)
    stages, figures = table(bench, seen, ahead)
    if not len(stages["latency"]):
        sys.exit(f"no frame became a command (engaged {seen['engaged']} times; {seen['link']})")
    print(f"{'stage':<10} {'p50':>7} {'p99':>7} {'max':>7}  ms, {len(stages['latency'])} samples")
    for name, values in stages.items():
        p50, p99 = np.percentile(values, [50, 99])
        print(f"{name:<10} {p50:7.2f} {p99:7.2f} {values.max():7.2f}")
        figures |= {f"{name}_p50_ms": float(p50), f"{name}_p99_ms": float(p99)}
    for name in ("frames_sent", "frames_lost", "backlog_max", "pictures"):
        print(f"{name:<12} {figures[name]:.0f}")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
