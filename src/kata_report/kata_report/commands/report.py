# SPDX-License-Identifier: Apache-2.0
"""Write a page that shows what was recorded and learned.

RUNDIR holds what `make demo` leaves: demonstrations/ and rollouts/ (bags), train/ and dataset/. What is
missing is left out of the page. The page is one file with all pictures inside.

With --clip, RUNDIR holds bags (in bags/ or anywhere below) of a robot that followed motion capture: the
page sets human and robot side by side, and says what was limited.

Examples:
  kata report runs/demo --out runs/demo/report.html
  kata report runs/demo/clip --clip --out runs/demo/clip/report.html
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kata_data.episodes.episode import Episode
    from kata_model.robot import RobotModel


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("rundir", type=Path, metavar="RUNDIR", help="folder of the run")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="page to write, e.g. report.html")
    parser.add_argument("--clip", action="store_true", help="report on a robot that followed motion capture")
    parser.add_argument("--robot", default="g1", help="robot that was recorded (default: g1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to a file")


def run(args: argparse.Namespace) -> int:
    """Write the page, and the figures if asked for."""
    import json

    from kata_model.atomic import new_file
    from kata_model.robot import load_robot

    robot = load_robot(args.robot)
    text, numbers = _clip(args, robot) if args.clip else _reach(args, robot)
    with new_file(args.out) as partial:
        partial.write_text(text, encoding="utf-8")
    if args.json:
        with new_file(args.json) as partial:
            partial.write_text(json.dumps(numbers, indent=1) + "\n")
    print(f"report    {args.out} ({args.out.stat().st_size / 1e6:.1f} MB)")
    return 0


def _reach(args: argparse.Namespace, robot: "RobotModel") -> tuple[str, dict[str, float]]:
    from kata_model.errors import DataError
    from kata_report.pages.reach_report import gather, render

    demonstrations, rollouts = (_episodes(args.rundir / name, robot) for name in ("demonstrations", "rollouts"))
    if not demonstrations and not rollouts:
        raise DataError("holds neither demonstrations nor rollouts", where=str(args.rundir), fix="record some, e.g. `make demo`")
    report = gather(args.rundir, robot, demonstrations, rollouts)
    return render(report), report.numbers()


def _clip(args: argparse.Namespace, robot: "RobotModel") -> tuple[str, dict[str, float]]:
    from kata_report.pages.clip_report import gather, render

    bags = args.rundir / "bags"
    report = gather(_episodes(bags if bags.is_dir() else args.rundir, robot), robot)
    return render(report), report.numbers()


def _episodes(folder: Path, robot: "RobotModel") -> "list[Episode]":
    """Read all bags below a folder; none if there is no such folder."""
    from tqdm import tqdm

    from kata_data.bags.bag_info import find_bags
    from kata_data.episodes.episode import read_episode

    bags = find_bags([folder]) if folder.is_dir() else []
    return [read_episode(bag, robot.layout) for bag in tqdm(bags, desc=f"reading {folder.name}", unit="bag", disable=None)]
