#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Covariate shift, shown and solved: students of a walking expert under pushes, cloned with and without disturbance.

Needs the expert of PyPI's holosoma-inference (requirements/walk.txt says how to get it), in no environment of Kata's:
  python benchmarks/walk.py --expert fastsac_g1_29dof.onnx --json walk.json
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import torch
from tqdm import tqdm

from kata_learning.walk import Network, StudentConfig, collect_labels, load_expert, survival, train_student
from kata_model.atomic import new_file
from kata_model.robot import load_robot
from kata_sim import WalkConfig

PUSH = 8.0
"""Impulse of the pushes in tests [N·s]."""
NOISE = 0.3
"""Of the expert's actions, where it is disturbed; 0.25 rad is 1."""


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--expert", type=Path, required=True, help="ONNX file of the expert")
    parser.add_argument("--labels", type=int, default=StudentConfig.labels, help="labels of each student (default: %(default)s)")
    parser.add_argument("--rollouts", type=int, default=20, help="walks of each (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="also write the figures to a file")
    args = parser.parse_args()
    torch.set_num_threads(1)
    figures = measure(args.expert, args.labels, args.rollouts)
    for name, value in figures.items():
        print(f"{name:32} {value:g}")
    if args.json:
        with new_file(args.json) as partial:
            partial.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


def measure(path: Path, labels: int, rollouts: int) -> dict[str, float]:
    """Return walks of 10 s that were survived by expert and students, calm and pushed, and what the students cost."""
    robot, (expert, facts) = load_robot("g1"), load_expert(path)
    calm, pushed = WalkConfig(), WalkConfig(push=PUSH)
    clean = StudentConfig(labels=labels)
    ways = {"bc": (clean, calm), "dart": (replace(clean, noise=NOISE), pushed)}
    figures: dict[str, float] = {"rollouts": rollouts, "labels": labels}
    walkers: dict[str, Network] = {"expert": expert}
    for name, (config, walk) in ways.items():
        begun = time.process_time()
        shown = collect_labels(robot, expert, facts, walk, config)
        walkers[name], figures[f"{name}/loss"] = train_student(shown, config)
        figures[f"{name}/falls_while_shown"], figures[f"{name}/cpu_s"] = shown.falls, time.process_time() - begun
    for name, walker in walkers.items():
        for kind, walk in (("calm", calm), ("pushed", pushed)):
            with tqdm(total=rollouts, desc=f"{name}, {kind}", disable=None) as bar:
                lasted = survival(
                    robot, walker, facts, walk, range(10_000, 10_000 + rollouts), lambda _, b=bar: b.update() and None
                )
            figures[f"{name}/{kind}"] = float((lasted >= 10.0 - 1e-9).sum())
            figures[f"{name}/{kind}_median_s"] = sorted(lasted.tolist())[rollouts // 2]
    return figures


if __name__ == "__main__":
    raise SystemExit(main())
