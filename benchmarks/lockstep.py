# SPDX-License-Identifier: Apache-2.0
"""Lockstep: how fast time goes, whether equal seeds give equal bags whatever the machine does, and how the demo's policy fares.

What a policy's monitor promises is measured by benchmarks/monitor.py, which this runs in the end.

Each pair of runs records the same session twice, the second time beside busy loops; bags are equal if every message is, value by
value, with its receive stamp. The demo's way follows: 40 demonstrations, a policy, attempts of it, all through the real graph.
"""

import argparse
import dataclasses
import hashlib
import multiprocessing
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import monitor
from figures import tell
from live import own_domain

from kata_data.bags.bag_info import find_bags
from kata_data.bags.reader import read_bag

KATA = (sys.executable, "-m", "kata")


def main() -> None:
    """Measure, print a table, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5, help="pairs of equal runs (default: 5)")
    parser.add_argument("--episodes", type=int, default=40, help="demonstrations to learn from; 0 leaves that out (default: 40)")
    parser.add_argument("--rollouts", type=int, default=100, help="attempts of its policy (default: 100)")
    parser.add_argument("--loops", type=int, default=4, help="busy loops beside the second run of a pair (default: 4)")
    parser.add_argument("--json", type=Path, help="file to write the figures to, as one flat object")
    parser.add_argument("--trainings", type=int, default=5, help="of each task, whose monitors are tried; 0: none (default: 5)")
    parser.add_argument("--pieces", default="runs/monitor", help="folder of the monitors' pieces (default: runs/monitor)")
    arguments = parser.parse_args()
    own_domain()
    with TemporaryDirectory(prefix="kata-lockstep-") as folder:
        figures = pairs(Path(folder), arguments.pairs, arguments.loops)
        if arguments.episodes:
            figures |= demo(Path(folder), arguments.episodes, arguments.rollouts)
    if arguments.trainings:
        asked = ["--trainings", f"{arguments.trainings}", "--out", arguments.pieces]
        figures |= monitor.collect(monitor.options().parse_args(asked))
    tell(figures, arguments.json)


def pairs(folder: Path, count: int, loops: int) -> dict[str, float]:
    """Return how many pairs of runs gave the same bags."""
    same = 0
    for seed in range(count):
        digests = []
        for name, load in (("quiet", 0), ("busy", loops)):
            out = folder / f"{seed}-{name}"
            with busy(load):
                session("record", out, "episodes:=3", f"seed:={seed}")
            digests.append(digest(out))
        same += digests[0] == digests[1]
        print(f"pair {seed + 1} of {count}: {'the same' if digests[0] == digests[1] else 'DIFFERENT'}", flush=True)
    return {"same_bags": same, "pairs": count}


def demo(folder: Path, episodes: int, rollouts: int) -> dict[str, float]:
    """Return real-time factors of recording and deploying, and how often the policy succeeded [%]."""
    shown, data, run, policy, tried = (folder / name for name in ("shown", "data", "run", "policy.onnx", "tried"))
    record = session("record", shown, f"episodes:={episodes}")
    kata("dataset", "build", str(shown), "--out", str(data), "--image-height", "60")
    kata("train", "--data", str(data), "--out", str(run))
    kata("export", str(run), "--out", str(policy))
    deploy = session("deploy", tried, f"policy:={policy}", f"episodes:={rollouts}", "seed:=10000")
    won = sum("task_success: 'true'" in (bag / "metadata.yaml").read_text() for bag in tried.iterdir())
    return {
        "realtime_factor_record": record,
        "realtime_factor_deploy": deploy,
        "demo_success_percent": 100.0 * won / rollouts,
        "rollouts": rollouts,
    }


def session(name: str, out: Path, *arguments: str) -> float:
    """Run a session of episodes; return simulated over real time, from the start of the command to its end."""
    begin = time.monotonic()
    kata("launch", name, *arguments, f"out:={out}")
    return last_stamp(out) * 1e-9 / (time.monotonic() - begin)


def kata(*arguments: str) -> None:
    """Run a command of Kata; what it printed is shown if it fails."""
    done = subprocess.run([*KATA, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        sys.exit(f"kata {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}")


@contextmanager
def busy(loops: int) -> Iterator[None]:
    """Keep the processor busy meanwhile."""
    processes = [multiprocessing.Process(target=_spin, daemon=True) for _ in range(loops)]
    for process in processes:
        process.start()
    yield
    for process in processes:
        process.kill()
        process.join()


def _spin() -> None:
    while True:
        pass


def digest(out: Path) -> dict[str, str]:
    """Return a hash of all messages by episode and topic: their values and receive stamps, not their padded bytes."""
    hashes: dict[str, str] = {}
    for bag in find_bags([out]):
        for topic, stream in read_bag(bag, lambda topic, _: topic).streams.items():
            rows = zip(stream.received.tolist(), map(values, stream.messages), strict=True)
            hashes[f"{bag.name} {topic}"] = hashlib.sha256(repr(list(rows)).encode()).hexdigest()
    return hashes


def values(message: Any) -> Any:
    """Return a decoded message as nested tuples."""
    if dataclasses.is_dataclass(message):
        return tuple(values(getattr(message, field.name)) for field in dataclasses.fields(message))
    if isinstance(message, list | tuple):
        return tuple(map(values, message))
    return message.tobytes() if hasattr(message, "tobytes") else message


def last_stamp(out: Path) -> int:
    """Return the receive stamp of the last message of the last episode [ns]."""
    streams = read_bag(find_bags([out])[-1], lambda topic, _: topic).streams.values()
    return max(int(stream.received[-1]) for stream in streams)


if __name__ == "__main__":
    main()
