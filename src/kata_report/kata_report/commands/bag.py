# SPDX-License-Identifier: Apache-2.0
"""Look after recorded bags: grade them, repair what was cut, propose segments.

kata bag check FOLDER…      say how good episodes are, each and together, with grades from A to F and reasons
kata bag repair FOLDER…     complete recordings whose recorder died, save what is whole of damaged ones
kata bag segment BAG…       propose where motions and contacts begin and end; the proposal is a file to edit
"""

import argparse
import sys
from pathlib import Path

from kata_report.commands import bag_check

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser(
        "check",
        help="say how good episodes are",
        description=bag_check.TEXT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    bag_check.add_arguments(check)
    actions.add_parser("stream", help="for programs: grade the bags that the input names, answer each with a line of JSON")
    repair = actions.add_parser("repair", help="complete recordings that were cut, save what is whole of damaged ones")
    repair.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="bag, or folder that holds bags at any depth")
    segment = actions.add_parser("segment", help="propose where motions and contacts begin and end")
    segment.add_argument("bags", nargs="+", type=Path, metavar="BAG", help="bag, or folder that holds bags at any depth")
    segment.add_argument("--still", type=float, default=0.05, metavar="RAD_S", help="joints slower than this rest (default 0.05)")
    segment.add_argument("--force", type=float, default=2.0, metavar="N", help="more than this is contact (default 2)")
    segment.add_argument("--replace", action="store_true", help="replace segments that exist, edited or not")


def run(args: argparse.Namespace) -> int:
    """Check, repair, or propose segments."""
    if args.action == "check":
        return bag_check.run(args)
    if args.action == "stream":
        return bag_check.answer(sys.stdin)
    return _repair(args.folders) if args.action == "repair" else _segment(args)


def _repair(folders: list[Path]) -> int:
    """Repair all that is broken; 1 if something could not be saved."""
    from kata_data.bags.repair import find_broken, repair_bag
    from kata_model.errors import DataError

    broken = find_broken(folders)
    failed = 0
    for folder in broken:
        try:
            result = repair_bag(folder)
            print(result)
            failed += result.folder is None
        except DataError as error:
            print(error)
            failed += 1
    print(f"{len(broken) - failed} of {len(broken)} repaired" if broken else "nothing is broken")
    return 1 if failed else 0


def _segment(args: argparse.Namespace) -> int:
    from kata_data.bags.bag_info import find_bags
    from kata_data.episodes.segments import propose, write_segments
    from kata_data.recording import SegmentationConfig

    config = SegmentationConfig(still=args.still, force=args.force)
    for bag in find_bags(args.bags):
        segments = propose(bag, config)
        path = write_segments(bag, segments, replace=args.replace)
        print(f"{path}: {', '.join(f'{s.label} {s.start:.2f}-{s.end:.2f} s' for s in segments) or 'no segments'}")
    return 0
