# SPDX-License-Identifier: Apache-2.0
"""`kata dataset build`: bags → dataset."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kata_data.dataset import Dataset

HELP = {
    "build": """Build a dataset from recorded bags.

BAGS are bag folders (one an episode) or folders that hold bags. Each step of the dataset takes the newest sample
of every stream; a step that lacks one is dropped, counted and listed. The action of a step is the command that
was really sent. Pictures are decoded once. Episodes that failed are left out unless you ask for them."""
}


def add_arguments(parser: argparse.ArgumentParser, _: str) -> None:
    """Declare the command's arguments."""
    from kata_data.building.build_config import DatasetConfig
    from kata_model.config.options import add_config

    parser.add_argument("bags", nargs="+", type=Path, metavar="BAGS", help="bag folders, or folders that hold bags")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    lying = parser.add_mutually_exclusive_group()
    lying.add_argument("--replace", action="store_true", help="replace a dataset that lies there")
    lying.add_argument("--update", action="store_true", help="add to the dataset that lies there: read only new and changed bags")
    parser.add_argument("--robot", default="g1", help="robot that was recorded (default: g1)")
    parser.add_argument(
        "--joints",
        nargs="+",
        default=(),
        metavar="JOINT",
        help="joints or groups (right_arm) that the policy moves; default: those that moved",
    )
    parser.add_argument("--terms", nargs="+", default=(), metavar="TERM", help="what the policy sees; default: by task")
    parser.add_argument("--cameras", nargs="*", metavar="NAME", help="cameras to store; without names none (default: all)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="bags at a time (default: all cores)")
    parser.add_argument(
        "--on-damage", choices=("refuse", "skip"), default="refuse", help="what to do with unreadable bags (default: refuse)"
    )
    add_config(parser, DatasetConfig, "alignment and split")


def run(args: argparse.Namespace) -> int:
    """Build and write the dataset."""
    from tqdm import tqdm

    from kata_data.bags.bag_info import find_bags
    from kata_data.building.build import BuildOptions, DatasetConfig, build_dataset
    from kata_data.building.joints import expand_joints
    from kata_data.dataset import MARKER, load_dataset, write_dataset
    from kata_model.atomic import check_free, new_folder
    from kata_model.config.options import take_config
    from kata_model.errors import ConfigError
    from kata_model.robot import load_robot

    if args.jobs < 1:
        raise ConfigError(f"--jobs is {args.jobs}", fix="give at least 1")
    config = take_config(DatasetConfig, args)
    known = load_dataset(args.out) if args.update and args.out.exists() else None
    replace = args.replace or known is not None
    check_free(args.out, MARKER, replace=replace)
    robot = load_robot(args.robot)
    bags = find_bags(args.bags)
    with new_folder(args.out, MARKER, replace=replace) as folder, tqdm(desc="reading bags", unit="bag", disable=None) as bar:
        options = BuildOptions(
            joints=expand_joints(args.joints, robot),
            terms=args.terms,
            cameras=None if args.cameras is None else tuple(args.cameras),
            folder=folder,
            jobs=args.jobs,
            skip_damaged=args.on_damage == "skip",
            known=known,
            on_bag=_mover(bar),
        )
        dataset = write_dataset(build_dataset(bags, robot, config, options), folder)
    print(_summary(dataset, len(bags), args.out))
    return 0


def _mover(bar: Any) -> Callable[[Path, int], None]:
    """Return what moves a progress bar by one bag."""

    def move(_: Path, total: int) -> None:
        bar.total = total
        bar.update()

    return move


def _summary(dataset: "Dataset", found: int, out: Path) -> str:
    about = dataset.manifest
    split = [entry.split for entry in about.episodes]
    lines = [
        f"dataset   {out}",
        f"episodes  {len(split)} of {found} bags: {split.count('train')} to train, {split.count('validation')} to validate",
        f"steps     {len(dataset)} at {about.rate:g} Hz ({len(dataset) / about.rate:.0f} s)",
        *_dropped(dataset),
        *_intervened(dataset),
        f"sees      {', '.join(about.terms)}",
        f"cameras   {', '.join(f'{name} {shape[1]}×{shape[0]}' for name, shape in about.cameras.items()) or 'none'}",
        f"moves     {', '.join(about.joint_names)}",
        *(f"skipped   {reason}" for reason in about.skipped.values()),
        f"hash      {about.hash[:16]}",
    ]
    return "\n".join(lines)


def _intervened(dataset: "Dataset") -> list[str]:
    steps = int(dataset.intervention.sum())
    return [f"human     acted in the policy's place in {steps} steps"] if steps else []


def _dropped(dataset: "Dataset") -> list[str]:
    """Say how many steps were dropped for which stream, and in which episodes."""
    sums: dict[str, int] = {}
    listed = []
    for entry in dataset.manifest.episodes:
        for name, count in entry.dropped.items():
            sums[name] = sums.get(name, 0) + count
        if entry.dropped:
            reasons = ", ".join(f"{count} for {name}" for name, count in entry.dropped.items())
            listed.append(f"          {Path(entry.bag).name}: {reasons}")
    reasons = ", ".join(f"{count} for {name}" for name, count in sums.items())
    more = [f"          … and {len(listed) - 10} more episodes (all in the manifest)"] if len(listed) > 10 else []
    return [f"dropped   {sum(sums.values())}{f' ({reasons})' if reasons else ''}", *listed[:10], *more]
