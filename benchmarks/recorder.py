# SPDX-License-Identifier: Apache-2.0
"""What the recorder loses and costs under the load of a whole robot.

Two processes of their own publish 29 joints at 500 Hz, command, target and verdict at 250 Hz, and two raw cameras of
640 × 480 at 30 Hz; the real recorder node records one episode. Every message bears its number; the bag is then read
and counted. Lag is from the stamp just before publishing to the receive stamp; a message is in the bag a queue's
wait later (write lag), and survives the recorder's death a chunk later (0.5 s).

Sizes of RSS are compared a fifth of the way in and at the end.
"""

import argparse
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
import yaml
from live import node_program, own_domain, stopped_after
from mcap.stream_reader import StreamReader
from rclpy.node import Node
from recorder_load import CAMERAS, STATES

from kata_msgs.msg import EpisodeState
from kata_msgs.srv import SaveEpisode, StartEpisode
from kata_nodes import qos
from kata_nodes.services import Services
from kata_nodes.spin import executor

TYPES = {
    "joint_states": "sensor_msgs/msg/JointState",
    "command": "kata_msgs/msg/JointCommand",
    "target": "kata_msgs/msg/JointCommand",
    "verdict": "kata_msgs/msg/Verdict",
    **dict.fromkeys(CAMERAS, "sensor_msgs/msg/Image"),
}
TICKS = os.sysconf("SC_CLK_TCK")
_SAVE = 120.0
"""Longest time that saving may take, besides ten times what was recorded [s]: up to 2.8 GB of a minute of raw pictures are left
to write, to a disk that others may use too."""


@dataclass
class Usage:
    """What a process has used: CPU [s], memory [MB]."""

    cpu: float
    rss: float

    @classmethod
    def of(cls, pid: int) -> "Usage":
        """Read it from the kernel."""
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return cls((int(fields[11]) + int(fields[12])) / TICKS, pages * os.sysconf("SC_PAGE_SIZE") / 1e6)


class Operator(Node):
    """Calls the recorder's services, and keeps its last state."""

    def __init__(self) -> None:
        """Join the graph."""
        super().__init__(f"operator_{time.monotonic_ns()}")
        self.state: EpisodeState | None = None
        self.create_subscription(EpisodeState, "episode/state", self._keep, qos.LATCHED)
        self.questions = Services(self, {})
        self._loop = executor()
        self._loop.add_node(self)

    def _keep(self, message: EpisodeState) -> None:
        self.state = message

    def wait(self, seconds: float, until: Any = lambda: False) -> bool:
        """Listen for so long, or until something holds."""
        end = time.monotonic() + seconds
        while not until() and time.monotonic() < end:
            self._loop.spin_once(timeout_sec=0.05)
        return bool(until())

    def end(self) -> None:
        """Leave the graph."""
        self._loop.remove_node(self)
        self._loop.shutdown()
        self.destroy_node()

    def call(self, kind: Any, name: str, request: Any, patience: float = 60.0) -> Any:
        """Call a service, and end the benchmark if it refuses or does not answer for so long [s]."""
        self.questions.know(name, kind)
        question = self.questions.ask(name, request)
        if not self.wait(patience, lambda: question.look() is not None) or not question.answer.success:
            sys.exit(f"{name}: {question.answer.message if question.answer else 'no answer by ' + self.questions.whose(name)}")
        return question.answer


def start_recorder(out: Path, settings: dict[str, Any]) -> subprocess.Popen[bytes]:
    """Start the real node with parameters; it logs nothing but errors, for silence at the end of a load is no news."""
    file = out / "parameters.yaml"
    file.write_text(yaml.safe_dump({"recorder": {"ros__parameters": settings}}))
    return subprocess.Popen([node_program("recorder"), "--ros-args", "--params-file", file, "--log-level", "error"])


@contextmanager
def processes(out: Path, jpeg: bool) -> Iterator[tuple[subprocess.Popen[bytes], list[subprocess.Popen[bytes]]]]:
    """Run the recorder and the load."""
    rates = {**STATES, **CAMERAS}
    settings = {
        "directory": str(out),
        "topics": [f"{topic} {kind} {rates[topic]} {'raw' if topic in STATES else 'jpeg'}" for topic, kind in TYPES.items()],
        "images": "jpeg" if jpeg else "raw",
        "disk_time": 5.0,
    }
    recorder = start_recorder(out, settings)
    script = Path(__file__).with_name("recorder_load.py")
    load = [subprocess.Popen([sys.executable, script, group], stdout=subprocess.PIPE) for group in ("states", "cameras")]
    with stopped_after([recorder, *load]):
        yield recorder, load


def record(out: Path, seconds: float, jpeg: bool) -> tuple[Path, dict[str, int], dict[str, float]]:
    """Record an episode; return its folder, how often each topic was published in all, and the recorder's use."""
    operator = Operator()
    with processes(out, jpeg) as (recorder, load):
        alive = lambda: operator.state is not None and all(s.received for s in operator.state.streams)  # noqa: E731
        if not operator.wait(90.0, alive):
            sys.exit("the load does not reach the recorder")
        operator.call(StartEpisode, "episode/start", StartEpisode.Request(task="benchmark"))
        before, begin = Usage.of(recorder.pid), time.monotonic()
        operator.wait(0.2 * seconds)
        early = Usage.of(recorder.pid)
        operator.wait(0.8 * seconds)
        late, took = Usage.of(recorder.pid), time.monotonic() - begin
        for process in load:
            process.send_signal(signal.SIGINT)
        published: dict[str, int] = {}
        for process in load:
            published |= json.loads(process.communicate(timeout=30)[0])
        begin = time.monotonic()
        saved = operator.call(SaveEpisode, "episode/save", SaveEpisode.Request(task_success=True), _SAVE + 10.0 * seconds)
        took_to_save = time.monotonic() - begin
    figures = {
        "save_s": took_to_save,
        "cpu_cores": (late.cpu - before.cpu) / took,
        "rss_growth_mb": late.rss - early.rss,
        "rss_mb": late.rss,
    }
    operator.end()
    return Path(saved.path), published, figures


def count(bag: Path, published: dict[str, int]) -> dict[str, float]:
    """Count by the numbers inside the messages; the first one in the bag is where counting begins."""
    numbers: dict[str, list[int]] = {}
    lags: list[int] = []
    topics: dict[int, str] = {}
    with next(bag.glob("*.mcap")).open("rb") as file:
        for record in StreamReader(file, validate_crcs=True).records:
            if type(record).__name__ == "Channel":
                topics[record.id] = record.topic.removesuffix("/compressed")
            elif type(record).__name__ == "Message" and topics[record.channel_id] in published:
                seconds, nanoseconds = struct.unpack_from("<iI", record.data, 4)
                numbers.setdefault(topics[record.channel_id], []).append(int(record.data[16:24]))
                lags.append(record.log_time - seconds * 1_000_000_000 - nanoseconds)
    expected = sum(published[topic] - seen[0] + 1 for topic, seen in numbers.items())
    received = sum(len(set(seen)) for seen in numbers.values())
    lag = np.percentile(lags, [50, 99]) * 1e-6
    rows = {"lost": expected - received, "received": received, "lag_p50_ms": float(lag[0]), "lag_p99_ms": float(lag[1])}
    return {**rows, "silent_topics": len(published) - len(numbers)}


def measure(seconds: float, jpeg: bool) -> dict[str, float]:
    """Record and count once."""
    # On stderr, at once: whoever sends the figures away, or waits for them, must not be left in the dark.
    print(f"recording {seconds:g} s, JPEG {'on' if jpeg else 'off'}", file=sys.stderr, flush=True)
    out = Path(tempfile.mkdtemp(prefix="kata_recorder_"))
    try:
        bag, published, figures = record(out, seconds, jpeg)
        about = yaml.safe_load((bag / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
        size = sum(file.stat().st_size for file in bag.iterdir())
        claims = {
            "said_lost": float(about["custom_data"]["lost"]),
            "write_lag_p99_ms": float(about["custom_data"]["write_lag_p99_ms"]),
        }
        return {**count(bag, published), **figures, **claims, "mb_per_s": size / 1e6 / (about["duration"]["nanoseconds"] * 1e-9)}
    finally:
        shutil.rmtree(out, ignore_errors=True)  # a recorder that was killed may still be writing


def main() -> None:
    """Measure with JPEG off and on, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0, help="time recorded, each way (default 600)")
    parser.add_argument("--images", choices=("both", "raw", "jpeg"), default="both", help="how pictures are kept (default both)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write {name: number} here; those of raw bear no suffix")
    args = parser.parse_args()
    own_domain()
    rclpy.init()
    ways = ("raw", "jpeg") if args.images == "both" else (args.images,)
    figures: dict[str, float] = {}
    for way in ways:
        found = measure(args.seconds, way == "jpeg")
        figures |= found if way == ways[0] else {f"{name}_{way}": value for name, value in found.items()}
        print(
            f"JPEG {'on' if way == 'jpeg' else 'off'}",
            *(f"  {name:<18}{value:12.2f}" for name, value in found.items()),
            sep="\n",
            flush=True,
        )
        if args.json:
            args.json.write_text(json.dumps(figures, indent=2) + "\n")
    rclpy.shutdown()


if __name__ == "__main__":
    main()
