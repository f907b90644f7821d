# SPDX-License-Identifier: Apache-2.0
"""Measure datasets: how fast bags become one, and how fast batches come out of it.

The bags are made here: a robot's joint states, targets, commands and verdicts at 250 Hz, two cameras of 320×240
at 30 Hz, no two bags with the same pictures. The loader is compared, in the same run and for windows of the same kind,
with a plain torch Dataset that reads LeRobot's layout: numbers from Parquet, pictures from MP4 by seeking to a
key frame and decoding from there.

What a busy machine must not change is measured by CPU time (`build_speedup`: recorded seconds by CPU second, times the cores
that the build uses, as on free cores) or as ratios of what takes turns within a second (`build_over_decoding`: CPU time against
merely decoding the same pictures; `image_loader_ratio`). Seconds of the wall and samples a second are those of this run.

  python benchmarks/dataset.py --json dataset.json
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import av
import cv2
import numpy as np
import pyarrow.parquet as pq
import torch
from torch.utils.data import DataLoader, Dataset

from kata.cli import main as kata
from kata_data.bags.reader import read_bag
from kata_data.dataset import load_dataset
from kata_data.dataset.loader import WindowLoader, WindowSpec
from kata_learning.training.torch_windows import TorchWindows
from kata_model.robot import load_robot

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/makers"))
from synthetic import make_jpegs, simulate_reach, write_bag

CAMERAS = ("head", "wrist")
HORIZON, STATE_BATCH, IMAGE_BATCH = 16, 256, 64
EXPORTED = 4
"""Episodes that the plain reader draws from; ours draws from all, which is the harder thing for a cache."""


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    parser.add_argument("--bags", type=int, default=16, metavar="N", help="bags to build from (default: 16)")
    parser.add_argument("--seconds", type=float, default=20.0, metavar="S", help="length of each (default: 20)")
    parser.add_argument("--measure", type=float, default=5.0, metavar="S", help="time given to each loader (default: 5)")
    parser.add_argument("--at", type=Path, metavar="DIR", help="keep the bags here, and take those that are here already")
    args = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="kata-dataset-") as temporary:
        bags = args.at or Path(temporary) / "bags"
        make_bags(bags, args.bags, args.seconds)
        figures = measure(Path(temporary), bags, args.bags * args.seconds, args.measure)
    for name, value in figures.items():
        print(f"{name:<26} {value:.4g}")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


def measure(folder: Path, bags: Path, recorded: float, given: float) -> dict[str, float]:
    """Return all figures; so much was recorded [s], and each loader is given a time [s]."""
    bare = decoding_cpu(bags)
    wall, cpu = timed_build(bags, folder / "dataset")
    dataset, exported = load_dataset(folder / "dataset"), folder / "lerobot"
    kata(["dataset", "select", str(folder / "dataset"), "--episodes", f"0-{EXPORTED - 1}", "--out", str(folder / "part")])
    kata(["dataset", "export", str(folder / "part"), "--out", str(exported)])
    states = WindowLoader(dataset, "train", WindowSpec(horizon=HORIZON))
    pictures = WindowLoader(dataset, "train", WindowSpec(horizon=HORIZON, cameras=CAMERAS))
    readers = {
        "state_loader": forever(lambda: TorchWindows(states, STATE_BATCH)),
        "image_loader": forever(lambda: TorchWindows(pictures, IMAGE_BATCH)),
        "plain": forever(lambda: plain_batches(exported, 0)),
        "plain_workers": forever(lambda: plain_batches(exported, os.cpu_count() or 1)),
    }
    rates = take_turns(readers, given)
    return {
        **build_figures(recorded, wall, cpu, bare, min(os.cpu_count() or 1, len(list(bags.iterdir())))),
        **{f"{name}_samples_s": found.wall for name, found in rates.items()},
        "image_loader_ratio": rates["image_loader"].cpu / rates["plain"].cpu,
    }


def build_figures(recorded: float, wall: float, cpu: float, bare: float, cores: int) -> dict[str, float]:
    """Return what is said of a build; all times in [s].

    Args:
        recorded: Length of what was recorded.
        wall: How long the build took.
        cpu: CPU time of all its processes.
        bare: CPU time of decoding its pictures and no more.
        cores: How many cores it uses where they are free.
    """
    return {
        "recorded_s": recorded,
        "build_wall_s": wall,
        "build_cpu_s": cpu,
        "build_speedup": cores * recorded / cpu,
        "build_cores": cpu / wall,
        "build_over_decoding": cpu / bare,
    }


def decoding_cpu(bags: Path) -> float:
    """Return the CPU time of decoding all pictures of some bags once, measured on those of one of them [s]."""
    found = sorted(bags.iterdir())
    raw = read_bag(found[0], lambda topic, _: topic if topic.endswith("compressed") else None)
    begin = time.process_time()
    for stream in raw.streams.values():
        for data in stream.data:
            cv2.imdecode(np.frombuffer(data, np.uint8)[bytes(data).index(b"\xff\xd8") :], cv2.IMREAD_COLOR)
    return (time.process_time() - begin) * len(found)


def make_bags(folder: Path, count: int, seconds: float) -> None:
    """Write bags that differ in their pictures, but for those that are there."""
    robot = load_robot("g1")
    reach = simulate_reach(robot, np.random.default_rng(0), seconds)
    for i in range(count):
        if (folder / f"episode_{i:04d}" / "metadata.yaml").exists():
            continue
        jpegs = {camera: make_jpegs(30, 320, 240, 2 * i + j) for j, camera in enumerate(CAMERAS)}
        write_bag(folder / f"episode_{i:04d}", robot, reach, pictures=jpegs)


def timed_build(bags: Path, out: Path) -> tuple[float, float]:
    """Build the dataset by the command, as a user would; return wall and CPU time [s], those of its processes included."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "kata", "dataset", "build", str(bags), "--out", str(out)]
    subprocess.run(command, check=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def forever(epoch: Callable[[], Any]) -> Iterator[int]:
    """Yield the size of batch after batch."""
    while True:
        for batch in epoch():
            yield len(batch["action"])


class Rate(NamedTuple):
    """How fast a reader was, in samples by second of the wall, and by second of CPU time of this process [Hz]."""

    wall: float
    cpu: float


def take_turns(readers: dict[str, Iterator[int]], given: float, rounds: int = 5) -> dict[str, Rate]:
    """Return each reader's median over rounds in which all have a turn, so that they meet the same machine."""
    found: dict[str, list[Rate]] = {name: [] for name in readers}
    for _ in range(rounds):
        for name, sizes in readers.items():
            found[name].append(rate(sizes, given / rounds))
    return {name: Rate(*np.median(rates, axis=0).tolist()) for name, rates in found.items()}


def rate(sizes: Iterator[int], given: float) -> Rate:
    """Measure for a time [s], after what opened files or was gathered ahead while another reader had its turn."""
    for _ in range(2 * (os.cpu_count() or 1) + 1):
        next(sizes)
    start, before, count = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - start < given:
        count += next(sizes)
    return Rate(count / (time.perf_counter() - start), count / (time.process_time() - before))


class PlainLeRobot(Dataset[dict[str, torch.Tensor]]):
    """A plain map-style dataset over LeRobot's layout: one sample at a time, pictures by seeking in the MP4."""

    def __init__(self, folder: Path) -> None:
        """Read the numbers; videos are opened when they are asked for, in the process that asks."""
        table = pq.read_table(next((folder / "data").rglob("*.parquet")))
        self._columns = {key: np.stack(table[key].to_numpy()) for key in ("observation.state", "action")}
        rows = pq.read_table(next((folder / "meta/episodes").rglob("*.parquet"))).to_pylist()
        self._episodes, self._episode = rows, table["episode_index"].to_numpy()
        self._time = table["timestamp"].to_numpy().astype(float)
        self._videos = {camera: next((folder / "videos").glob(f"*.{camera}/*/*.mp4")) for camera in CAMERAS}
        self._open: dict[str, Any] = {}

    def __len__(self) -> int:
        """Return the number of steps."""
        return len(self._episode)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        """Return one window."""
        episode = self._episodes[self._episode[index]]
        ahead = np.minimum(np.arange(index, index + HORIZON), episode["dataset_to_index"] - 1)
        pictures = {}
        for camera in CAMERAS:
            begin = episode[f"videos/observation.images.{camera}/from_timestamp"]
            pictures[camera] = torch.from_numpy(self._picture(camera, begin + self._time[index]))
        state, action = self._columns["observation.state"][index], self._columns["action"][ahead]
        return {"observation.state": torch.from_numpy(state), "action": torch.from_numpy(action), **pictures}

    def _picture(self, camera: str, seconds: float) -> np.ndarray:
        if camera not in self._open:
            self._open[camera] = av.open(str(self._videos[camera]))
        container = self._open[camera]
        stream = container.streams.video[0]
        container.seek(int((seconds - 1e-4) / stream.time_base), stream=stream)
        for frame in container.decode(stream):
            if frame.time >= seconds - 1e-3:
                return frame.to_ndarray(format="rgb24")
        raise IndexError(seconds)


def plain_batches(folder: Path, workers: int) -> DataLoader:
    """Return torch's own loader over the plain dataset."""
    return DataLoader(PlainLeRobot(folder), batch_size=IMAGE_BATCH, shuffle=True, num_workers=workers)


if __name__ == "__main__":
    raise SystemExit(main())
