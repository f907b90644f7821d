# SPDX-License-Identifier: Apache-2.0
"""`kata bag check`: how good recorded episodes are."""

import argparse
import os
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kata_data.grading.from_bag import GradedBag, GradedSet

_WAY = 10
"""By how much a stream of grades gives way to who records."""

TEXT = """Say how good recorded episodes are, each by itself and all together.

Of each episode: rates, losses, gaps, skew and delay of its streams; rest, chatter, tremor, jumps and use of limits of its
motion; what the safety filter did; success. Together: consistency of the ways, coverage of starts and goals, variety
between operators (label operator=NAME), outliers. Grades: A nothing to mend, B one warning, C several, D one failure, F
more. Thresholds: config/quality.yaml. Exit code: 0 all at the bar or above, 1 some below it, 2 a bag could not be read.

Examples:
  kata bag check runs/demo/demonstrations --out quality.html
  kata bag check runs/demo/demonstrations --bar B --json quality.json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="bag, or folder that holds bags at any depth")
    parser.add_argument("--robot", default="", help="robot that was recorded (default: the one that each bag names)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write a page with pictures, e.g. quality.html")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to a file")
    parser.add_argument("--bar", choices="ABCDF", default="C", help="worst grade that is good enough (default: C)")
    parser.add_argument("--thresholds", type=Path, default=Path("quality.yaml"), metavar="FILE", help="other thresholds")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="bags at a time (default: all cores)")


def run(args: argparse.Namespace) -> int:
    """Grade all bags and tell."""
    from kata_data.bags.bag_info import find_bags
    from kata_data.grading import load_grading
    from kata_model.errors import ConfigError

    if args.jobs < 1:
        raise ConfigError(f"--jobs is {args.jobs}", fix="give at least 1")
    config = load_grading(args.thresholds)
    found = _grade(args, find_bags(args.folders), config)
    _write(args, found)
    print(_summary(found, args.bar))
    return 2 if found.bad else int(bool(found.below(args.bar)))


def answer(paths: IO[str]) -> int:
    """Grade one bag a line, and answer each with a line of JSON: path, grade and reasons. Gives way to other processes."""
    import json

    from kata_data.grading import load_grading
    from kata_data.grading.from_bag import grade_one
    from kata_model.errors import KataError

    os.nice(_WAY)
    config = load_grading()
    for line in paths:
        path = line.rstrip("\n")
        try:
            grade = grade_one(Path(path), config).grade
            said = {"path": path, "grade": grade.letter, "reasons": grade.reasons}
        except KataError as error:
            said = {"path": path, "grade": "", "reasons": [f"not graded: {error}"]}
        print(json.dumps(said), flush=True)
    return 0


def _grade(args: argparse.Namespace, paths: list[Path], config: Any) -> "GradedSet":
    """Grade with a progress bar, and one line for each bag."""
    from tqdm import tqdm

    from kata_data.grading.from_bag import grade_bags

    with tqdm(total=len(paths), desc="grading", unit="bag", disable=None) as bar:

        def tell(outcome: "GradedBag | str") -> None:
            broken = isinstance(outcome, str)
            line = f"kata: error: {outcome}" if isinstance(outcome, str) else _line(outcome)
            bar.write(line, file=sys.stderr if broken else sys.stdout)
            bar.update()

        return grade_bags(paths, args.robot, config, args.jobs, tell)


def _line(bag: "GradedBag") -> str:
    reasons = "; ".join(bag.grade.reasons)
    return f"{bag.grade.letter}  {bag.path}{f': {reasons}' if reasons else ''}"


def _write(args: argparse.Namespace, found: "GradedSet") -> None:
    import json

    from kata_model.atomic import new_file

    if args.json:
        with new_file(args.json) as partial:
            partial.write_text(json.dumps(found.numbers(), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    if args.out and found.bags:
        from kata_report.pages.grading_report import render

        with new_file(args.out) as partial:
            partial.write_text(render(found, args.bar), encoding="utf-8")
        print(f"report    {args.out} ({args.out.stat().st_size / 1e6:.1f} MB)")


def _summary(found: "GradedSet", bar: str) -> str:
    lines = []
    for task, together in found.collections.items():
        about = [f"{outlier.name} {outlier.reason}" for outlier in together.outliers]
        lines += [f"{task or 'no task text'}: {line}" for line in (*together.notes, *about)]
    count = len(found.bags)
    good = count - len(found.below(bar))
    told = f"{good} of {count} at {bar} or better; nine of ten are {found.letter} or better" if count else "nothing graded"
    return "\n".join([*lines, told + (f"; {len(found.bad)} unreadable" if found.bad else "")])
