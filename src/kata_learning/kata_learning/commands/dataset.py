# SPDX-License-Identifier: Apache-2.0
"""Turn recorded bags into a dataset to learn from.

BAGS are bag folders (one an episode) or folders that hold bags. Each step of the dataset takes the newest
sample of every stream; a step that lacks one is dropped, counted and reported. The action of a step is
the command that was really sent. Episodes that failed are left out unless you ask for them.

Example:
  kata dataset runs/demo/bags --out runs/demo/dataset
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kata_learning.dataset import Dataset


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from kata_learning.build import DatasetConfig
    from kata_learning.options import add_config

    parser.add_argument("bags", nargs="+", type=Path, metavar="BAGS", help="bag folders, or folders that hold bags")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write; must not exist")
    parser.add_argument("--replace", action="store_true", help="replace a dataset that lies there")
    parser.add_argument("--robot", default="g1", help="robot that was recorded (default: g1)")
    parser.add_argument(
        "--joints",
        nargs="+",
        default=(),
        metavar="JOINT",
        help="joints or groups (right_arm) that the policy moves; default: those that moved",
    )
    parser.add_argument("--terms", nargs="+", default=(), metavar="TERM", help="what the policy sees; default: by task")
    add_config(parser, DatasetConfig, "alignment and split")


def run(args: argparse.Namespace) -> int:
    """Build and write the dataset."""
    from tqdm import tqdm

    from kata_core.atomic import check_free
    from kata_core.robot import load_robot
    from kata_learning.bags import find_bags
    from kata_learning.build import DatasetConfig, build_dataset
    from kata_learning.dataset import MARKER, save_dataset
    from kata_learning.joints import expand_joints
    from kata_learning.options import take_config

    config = take_config(DatasetConfig, args)
    check_free(args.out, MARKER, replace=args.replace)
    robot = load_robot(args.robot)
    bags = find_bags(args.bags)
    progress = tqdm(bags, desc="reading bags", unit="bag", disable=None)
    dataset = build_dataset(progress, robot, config, joints=expand_joints(args.joints, robot), terms=args.terms)
    dataset = save_dataset(dataset, args.out, replace=args.replace)
    print(_summary(dataset, len(bags), args.out))
    return 0


def _summary(dataset: "Dataset", found: int, out: Path) -> str:
    about = dataset.manifest
    split = [entry.split for entry in about.episodes]
    dropped: dict[str, int] = {}
    for entry in about.episodes:
        for name, count in entry.dropped.items():
            dropped[name] = dropped.get(name, 0) + count
    drops = ", ".join(f"{count} for {name}" for name, count in dropped.items())
    return "\n".join(
        (
            f"dataset   {out}",
            f"episodes  {len(split)} of {found} bags: {split.count('train')} to train, {split.count('validation')} to validate",
            f"steps     {len(dataset)} at {about.rate:g} Hz ({len(dataset) / about.rate:.0f} s)",
            f"dropped   {sum(dropped.values())}{f' ({drops})' if drops else ''}",
            f"sees      {', '.join(about.terms)}",
            f"moves     {', '.join(about.joint_names)}",
            f"hash      {about.hash[:16]}",
        )
    )
