# SPDX-License-Identifier: Apache-2.0
"""Kill the recorder at random moments, and see what is left.

The load of a robot's joints runs all the time. Again and again the real recorder node is started, records short episodes that are
saved and then a longer one, and gets SIGKILL at a random moment of all that. At the end every episode that was reported as
saved must be whole, and whatever was running must be repaired up to its last chunk (0.5 s before the kill).
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
import yaml
from live import own_domain, stopped_after
from recorder import Operator, start_recorder
from recorder_load import STATES

from kata_data.bags.reader import verify_bag
from kata_data.bags.repair import repair_bag
from kata_model.errors import KataError
from kata_msgs.srv import SaveEpisode, StartEpisode

TOPICS = {"joint_states": "sensor_msgs/msg/JointState", "command": "kata_msgs/msg/JointCommand"}
SHORTEST = 1.5
"""An episode that ran so long before the kill must leave something to repair [s]: a chunk, and a busy machine."""


class Hand(Operator):
    """The operator with services at hand."""

    def __init__(self) -> None:
        """Make the clients."""
        super().__init__()
        self.questions.know("episode/start", StartEpisode)
        self.questions.know("episode/save", SaveEpisode)


class Victim:
    """One life of the recorder."""

    def __init__(self, out: Path, operator: Hand, after: float) -> None:
        """Start it; it dies some time [s] after its first service was ready."""
        settings = {"directory": str(out), "topics": [f"{topic} {kind} {STATES[topic]}" for topic, kind in TOPICS.items()]}
        self._process = start_recorder(out, settings)
        self._operator, self._after = operator, after
        self._deadline = float("inf")
        self.saved: list[Path] = []
        self.killed = self.started = 0.0

    def live(self, rng: np.random.Generator) -> None:
        """Record until the end: three short episodes, then one that is never saved."""
        self._operator.state = None
        self._operator.wait(60.0, lambda: self._operator.state is not None and self._operator.state.streams)
        self._deadline = time.monotonic() + self._after
        for _ in range(3):
            if not (self._ask(StartEpisode, "start") and self._pause(float(rng.uniform(0.05, 0.4))) and self._save()):
                return
        if self._ask(StartEpisode, "start"):
            self.started = time.time()
            self._pause(self._after)

    def _save(self) -> bool:
        answer = self._ask(SaveEpisode, "save")
        if answer:
            self.saved.append(Path(answer.path))
        return bool(answer)

    def _pause(self, seconds: float) -> bool:
        self._operator.wait(seconds, self._die_in_time)
        return not self.killed

    def _ask(self, kind: Any, name: str) -> Any:
        """Call a service; None if the recorder died before it answered, or refused."""
        question = self._operator.questions.ask(f"episode/{name}", kind.Request())
        self._operator.wait(20.0, lambda: question.look() is not None or self._die_in_time())
        question.end()
        return question.answer if question.answer is not None and question.answer.success else None

    def _die_in_time(self) -> bool:
        if not self.killed and time.monotonic() > self._deadline:
            self.killed = time.time()
            self._process.kill()
            self._process.wait(20)
        return bool(self.killed)

    def end(self) -> None:
        """Kill it if it still lives."""
        self._deadline = 0.0
        self._die_in_time()


def last_stamp(bag: Path) -> float:
    """Return the last receive stamp of a bag [s]."""
    about = yaml.safe_load((bag / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    return float(about["starting_time"]["nanoseconds_since_epoch"] + about["duration"]["nanoseconds"]) * 1e-9


def judge(out: Path, victim: Victim, figures: dict[str, float]) -> None:
    """Look at what a dead recorder left."""
    for bag in victim.saved:
        figures["saved"] += 1
        figures["saved_damaged"] += not _sound(bag)
    for partial in sorted(out.glob(".partial-*")):
        figures["running"] += 1
        result = repair_bag(partial)
        if result.folder is None:
            figures["empty"] += 1
            figures["lost_running"] += bool(victim.started) and victim.killed - victim.started > SHORTEST
            shutil.rmtree(partial)
            continue
        figures["repaired"] += 1
        figures["repaired_damaged"] += not _sound(result.folder)
        if victim.started and victim.killed - victim.started > SHORTEST:
            figures["tail_max_s"] = max(figures["tail_max_s"], victim.killed - last_stamp(result.folder))


def _sound(bag: Path) -> bool:
    try:
        verify_bag(bag)
    except KataError as error:
        print(error)
        return False
    return True


def measure(kills: int, seed: int) -> dict[str, float]:
    """Kill so often, and count."""
    names = ("saved", "saved_damaged", "running", "repaired", "repaired_damaged", "empty", "lost_running", "tail_max_s")
    figures = dict.fromkeys(names, 0.0)
    rng, operator = np.random.default_rng(seed), Hand()
    script = Path(__file__).with_name("recorder_load.py")
    load = subprocess.Popen([sys.executable, script, "states"], stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory(prefix="kata_kill_") as place, stopped_after([load]):
        out = Path(place)
        for i in range(kills):
            victim = Victim(out, operator, float(rng.uniform(0.0, 4.0)))
            victim.live(rng)
            victim.end()
            judge(out, victim, figures)
            print(f"kill {i + 1}: {len(victim.saved)} saved", flush=True)
    return {"kills": float(kills), **figures}


def main() -> None:
    """Kill, print a table, write JSON; 1 if anything that was saved is damaged, or anything that ran is lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50, help="number of kills (default 50)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the moments (default 0)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write {name: number} here")
    args = parser.parse_args()
    own_domain()
    rclpy.init()
    figures = measure(args.kills, args.seed)
    rclpy.shutdown()
    print("\n".join(f"{name:<18}{value:8.2f}" for name, value in figures.items()))
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2) + "\n")
    sys.exit(1 if figures["saved_damaged"] + figures["repaired_damaged"] + figures["lost_running"] else 0)


if __name__ == "__main__":
    main()
