# SPDX-License-Identifier: Apache-2.0
"""Measure how well each policy learns each task: train on the same demonstrations, attempt in simulation, write one table.

Demonstrations, trainings, attempts and cells are pieces of work with files of their own under --out; what is there is not done
again, so that the run may be cut off and go on at any time. `--table` writes the table of what there is. Cells are small; the
measured ones are kept in the repository (`--cells benchmarks/measured`), so that a table can grow over days and machines.

Examples:
  python benchmarks/tasks.py --small --json small.json
  python benchmarks/tasks.py --only push/mlp push/act --cells benchmarks/measured
  python benchmarks/tasks.py --ablations --cells benchmarks/measured
  python benchmarks/tasks.py --table --cells benchmarks/measured --doc docs/benchmark.md
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from task_cells import Cell, ablations, small_table, whole_table
from task_data import demonstrations, recorded
from task_table import document, kept, this_machine
from tqdm import tqdm

from kata_data.dataset import Dataset
from kata_learning.augmentation.episodes import more_episodes
from kata_learning.evaluation.evaluation import EvaluationConfig, evaluate_file
from kata_learning.export.exporting import export_policy
from kata_learning.training.run_folder import About, RunWriter, begin_run, finished, load_losses, load_run, read_about
from kata_learning.training.train import Watch, train_policy
from kata_model import KataError, load_robot
from kata_model.atomic import new_file
from kata_model.robot import RobotModel
from kata_model.version import code_version
from kata_policy.onnx_policy import OnnxPolicy

_ATTEMPTS = 10
"""Attempts that are made in one go."""
_CPU = "cpu_seconds"
"""File in a run's folder: CPU time of its training so far [s]."""


def main() -> int:
    """Measure the cells that are asked for and not there yet, and print the table."""
    args = _arguments()
    cells, place = list(_cells(args)), args.cells or args.out / "cells"
    robot = load_robot("g1")
    for number, cell in enumerate(cells, 1):
        path = place / f"{cell.name}.json"
        if path.is_file() or args.table:
            continue
        print(f"=== {number}/{len(cells)} {cell.task}/{cell.policy}, seed {cell.seed}", flush=True)
        figures = measure(cell, robot, args.out, args.jobs)
        with new_file(path) as partial:
            partial.write_text(json.dumps(figures, indent=1) + "\n")
        print(f"    {figures['successes']} of {figures['rollouts']}, {figures['train_cpu_s']:.0f} CPU-s", flush=True)
    measured = [(cell, json.loads(path.read_text())) for cell in cells if (path := place / f"{cell.name}.json").is_file()]
    text = document(measured, [cell for cell in cells if cell.name not in {one.name for one, _ in measured}])
    print(text)
    if args.doc:
        page = f"{text}\n{kept(args.doc)}"
        with new_file(args.doc) as partial:
            partial.write_text(page)
    if args.json:
        with new_file(args.json) as partial:
            partial.write_text(json.dumps(_rates(measured), indent=1) + "\n")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--small", action="store_true", help="reach by MLP and ACT, few demonstrations and attempts: three minutes"
    )
    parser.add_argument("--ablations", action="store_true", help="the ablations on push instead of the table")
    parser.add_argument("--only", nargs="+", default=(), metavar="TASK/POLICY", help="measure only these")
    parser.add_argument("--seeds", type=int, default=3, help="seeds at most (default: 3)")
    parser.add_argument("--table", action="store_true", help="measure nothing, write the table of what there is")
    parser.add_argument("--jobs", type=int, default=1, help="attempts at a time (default: 1)")
    parser.add_argument("--out", type=Path, default=Path("runs/benchmark"), help="folder of pieces (default: runs/benchmark)")
    parser.add_argument("--cells", type=Path, metavar="DIR", help="folder of measured cells (default: cells, in that folder)")
    parser.add_argument(
        "--doc", type=Path, metavar="FILE", help="also write the table to a page, above what is written there by hand"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write success by task/policy; small/… and ablations/… before those"
    )
    return parser.parse_args()


def _cells(args: argparse.Namespace) -> Iterator[Cell]:
    if args.table:
        every = [*whole_table(), *small_table(), *ablations()]
    else:
        every = list(small_table() if args.small else ablations() if args.ablations else whole_table())
    for cell in every:
        if cell.seed < args.seeds and (not args.only or f"{cell.task}/{cell.policy}" in args.only):
            yield cell


def measure(cell: Cell, robot: RobotModel, folder: Path, jobs: int) -> dict[str, object]:
    """Train, export and attempt, going on from what there is; return the figures of a cell."""
    dataset = demonstrations(robot, cell.task, cell.data, cell.demonstrations, folder / "data")
    path = folder / "policies" / f"{cell.name}.onnx"
    augment, seed = cell.recipe.augment, cell.recipe.train.seed
    run = _trained(cell, more_episodes(dataset, robot, augment, seed), folder / "runs" / cell.name)
    if not path.is_file():
        export_policy(load_run(run), dataset, path)
    parts = [_attempts(cell, path, robot, number, folder / "attempts", jobs) for number in range(-(-cell.rollouts // _ATTEMPTS))]
    losses = load_losses(run)
    return {
        "task": cell.task,
        "policy": cell.policy,
        "seed": cell.seed,
        "successes": round(sum(part["success_rate"] * part["rollouts"] for part in parts)),
        "rollouts": sum(part["rollouts"] for part in parts),
        "parts": parts,
        "train_cpu_s": float((run / _CPU).read_text()),
        "latency_ms": _latency(OnnxPolicy.load(path, robot), dataset),
        "parameters": sum(value.numel() for value in load_run(run).network.parameters()),
        "epochs": len(losses),
        "validation": min(loss.validation for loss in losses),
        "data_hash": dataset.manifest.hash,
        "commit": read_about(run).commit[:12],
        "machine": this_machine(),
        "day": date.today().isoformat(),
    }


def _trained(cell: Cell, dataset: Dataset, run: Path) -> Path:
    """Train, or finish a training that was cut off; the run's folder counts the CPU time of all its parts."""
    if finished(run):
        return run
    if not run.is_dir():
        begin_run(About(cell.recipe, run, dataset.manifest.hash, code_version(), cell.task), run)
    writer, begun = RunWriter(run, cell.recipe.train.save_every), time.process_time()
    start = writer.checkpoint()
    spent = float((run / _CPU).read_text()) if start else 0.0

    def save(state):
        if writer.save(state):
            _note(run, spent + time.process_time() - begun)

    with tqdm(total=cell.recipe.train.epochs, desc="training", unit="epoch", disable=None) as bar:
        bar.update(start["course"]["epoch"] if start else 0)
        trained = train_policy(dataset, cell.recipe, Watch(lambda _: bar.update() and None, save), start)
    _note(run, spent + time.process_time() - begun)
    writer.finish(trained)
    return run


def _note(run: Path, seconds: float) -> None:
    with new_file(run / _CPU) as partial:
        partial.write_text(f"{seconds:.1f}")


def _attempts(cell: Cell, path: Path, robot: RobotModel, number: int, folder: Path, jobs: int) -> dict[str, float]:
    """Return the figures of a few attempts, made once."""
    place = folder / f"{cell.name}-{number}.json"
    if not place.is_file():
        count = min(_ATTEMPTS, cell.rollouts - number * _ATTEMPTS)
        config = EvaluationConfig(rollouts=count, seed=1000 + number * _ATTEMPTS)
        figures = evaluate_file(path, robot, cell.task, config, jobs).numbers()
        with new_file(place) as partial:
            partial.write_text(json.dumps(figures, indent=1) + "\n")
    return json.loads(place.read_text())


def _latency(policy: OnnxPolicy, dataset) -> float:
    """Return the median time of an inference [ms], one thread."""
    took = []
    for observation in recorded(dataset, policy):
        begun = time.perf_counter()
        policy.act(observation)
        took.append(time.perf_counter() - begun)
    return 1e3 * float(np.median(took))


def _rates(measured: list[tuple[Cell, dict[str, float]]]) -> dict[str, float]:
    counts: dict[str, list[int]] = {}
    for cell, figures in measured:
        part = "" if cell.part == "table" else f"{cell.part}/"
        counts.setdefault(f"{part}{cell.task}/{cell.policy}", []).append((figures["successes"], figures["rollouts"]))
    return {name: sum(wins for wins, _ in pairs) / sum(trials for _, trials in pairs) for name, pairs in counts.items()}


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KataError as error:
        print(f"tasks: error: {error}", file=sys.stderr)
        sys.exit(2)
