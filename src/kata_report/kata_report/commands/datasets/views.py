# SPDX-License-Identifier: Apache-2.0
"""`kata dataset select`, `split` and `merge`: parts and unions of datasets."""

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from kata_model.errors import ConfigError

if TYPE_CHECKING:
    from kata_data.dataset import Dataset
    from kata_data.dataset.assemble import Steps
    from kata_data.dataset.views import Filter

HELP = {
    "select": """Make a dataset of some episodes of another.

All conditions that are given must hold. Pictures are shared with the other dataset (hard links), so that a
selection costs hardly any space.""",
    "split": """Divide a dataset into several, by a label or at random.

Whole episodes only. Each part is a folder in --out, named by the label's value or part_0, part_1 …""",
    "merge": """Join datasets of one robot, task, rate and kind.

An episode that is in several counts once. Datasets that differ in joints, terms, rate or cameras are refused.""",
}


def add_arguments(parser: argparse.ArgumentParser, action: str) -> None:
    """Declare the command's arguments."""
    many = "+" if action == "merge" else None
    parser.add_argument("data", nargs=many, type=Path, metavar="DIR", help="dataset")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write; must not exist")
    parser.add_argument("--replace", action="store_true", help="replace a dataset that lies there")
    if action == "select":
        parser.add_argument("--label", action="append", default=[], metavar="NAME=VALUE", help="label of the episode; repeatable")
        outcome = parser.add_mutually_exclusive_group()
        outcome.add_argument("--success", action="store_true", default=None, help="episodes that succeeded")
        outcome.add_argument("--failure", dest="success", action="store_false", help="episodes that failed")
        parser.add_argument("--quality", nargs="+", default=(), metavar="GRADE", help="grades, e.g. A B")
        parser.add_argument("--episodes", nargs="+", default=(), metavar="N", help="numbers or ranges, e.g. 0-9 12")
    if action == "split":
        way = parser.add_mutually_exclusive_group(required=True)
        way.add_argument("--by", metavar="LABEL", help="one dataset for each value of a label, e.g. operator")
        way.add_argument("--shares", nargs="+", type=float, metavar="X", help="random parts of these relative sizes, e.g. 8 2")
    parser.add_argument("--validation", type=float, metavar="X", help="split into training and validation anew, with this share")
    parser.add_argument("--split-by", default="", metavar="LABEL", help="keep groups with one value of a label together in that")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of what is random (default: 0)")


def run(args: argparse.Namespace) -> int:
    """Write the datasets."""
    from kata_data.dataset import load_dataset

    if args.validation is not None and not 0.0 <= args.validation <= 0.9:
        raise ConfigError(f"--validation is {args.validation}", fix="give 0 to 0.9")
    if args.action == "merge":
        return _merge(args, {folder: load_dataset(folder) for folder in args.data})
    dataset = load_dataset(args.data)
    return _select(args, dataset) if args.action == "select" else _split(args, dataset)


def _select(args: argparse.Namespace, dataset: "Dataset") -> int:
    from kata_data.dataset.views import select

    _write(args, select(dataset, _filter(args).takes), [dataset], args.out)
    return 0


def _split(args: argparse.Namespace, dataset: "Dataset") -> int:
    from kata_data.dataset.views import group_by_label, group_by_share

    if args.by:
        groups = group_by_label(dataset, args.by)
    else:
        groups = {f"part_{i}": part for i, part in enumerate(group_by_share(dataset, args.shares, args.seed))}
    for name, episodes in groups.items():
        _write(args, episodes, [dataset], args.out / (re.sub(r"[^\w.-]+", "_", name).strip(".") or "none"))
    return 0


def _merge(args: argparse.Namespace, datasets: "dict[Path, Dataset]") -> int:
    from kata_data.dataset.views import merge

    _write(args, merge(datasets), list(datasets.values()), args.out)
    return 0


def _write(args: argparse.Namespace, episodes: "list[Steps]", sources: "list[Dataset]", out: Path) -> None:
    from kata_data.dataset.views import resplit, write_view

    if args.validation is not None or args.split_by:
        episodes = resplit(episodes, 0.15 if args.validation is None else args.validation, args.seed, args.split_by)
    dataset = write_view(sources[0].manifest, episodes, sources, out, replace=args.replace)
    split = [entry.split for entry in dataset.manifest.episodes]
    counts = f"{split.count('train')} to train, {split.count('validation')} to validate"
    print(f"{out}: {len(split)} episodes ({counts}), {len(dataset)} steps, hash {dataset.manifest.hash[:16]}")


def _filter(args: argparse.Namespace) -> "Filter":
    from kata_data.dataset.views import Filter

    labels: dict[str, tuple[str, ...]] = {}
    for pair in args.label:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ConfigError(f"--label is {pair!r}", fix="give NAME=VALUE, e.g. operator=anna")
        labels[name] = (*labels.get(name, ()), value)
    return Filter(labels, args.success, tuple(args.quality), _numbers(args.episodes))


def _numbers(given: list[str]) -> tuple[int, ...]:
    numbers: list[int] = []
    for part in given:
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", part)
        if not match:
            raise ConfigError(f"--episodes has {part!r}", fix="give numbers or ranges, e.g. 0-9 12")
        numbers.extend(range(int(match[1]), int(match[2] or match[1]) + 1))
    return tuple(numbers)
