# SPDX-License-Identifier: Apache-2.0
"""Check recorded or retargeted motions with the safety layer, offline.

INPUTS are bags, trajectories of `kata retarget` (.npz), or folders that hold some. Tells what breaks a limit of
position, velocity, acceleration, effort or self-collision, how near the rest comes, and what the safety filter would
change. Of a bag the targets are checked (--stream for another stream), and recorded verdicts are compared with what the
filter decides today. Exit code: 0 all clean, 1 violations, 2 an input could not be checked.

Examples:
  kata check walk.npz --out check.html
  kata check runs/demo/demonstrations --json check.json
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kata_data.replay.checking import Checked, Checker
    from kata_safety.check import UsageMeter


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("inputs", nargs="+", type=Path, metavar="INPUTS", help="bags, trajectories, or folders of them")
    parser.add_argument("--robot", default="g1", help="robot that was recorded (default: g1)")
    parser.add_argument(
        "--stream", choices=("target", "command", "measured"), default="", help="of a bag (default: the first of these it has)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write a page with pictures, e.g. check.html")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to a file")


def run(args: argparse.Namespace) -> int:
    """Check all inputs and tell."""
    import json

    from kata_data.replay.checking import Checker, find_inputs
    from kata_model.atomic import new_file
    from kata_model.robot import load_robot
    from kata_safety import SafetyConfig

    paths = find_inputs(args.inputs)
    checker = Checker(load_robot(args.robot), SafetyConfig(), args.stream)
    results, bad = _check(checker, paths)
    if args.json:
        files = [checked.numbers() for checked in results]
        total = {"files": files, "clean": sum(checked.clean for checked in results), "bad": bad}
        with new_file(args.json) as partial:
            partial.write_text(json.dumps(total, indent=1) + "\n")
    if args.out and results:
        from kata_report.pages.check_report import render

        with new_file(args.out) as partial:
            partial.write_text(render(results, bad, checker.robot, checker.meter), encoding="utf-8")
        print(f"report    {args.out} ({args.out.stat().st_size / 1e6:.1f} MB)")
    violations = sum(len(checked.violations) for checked in results)
    print(
        f"{sum(c.clean for c in results)} of {len(results)} clean, {violations} violations"
        + (f", {len(bad)} unusable" if bad else "")
    )
    return 2 if bad else int(not all(checked.clean for checked in results))


def _check(checker: "Checker", paths: list[Path]) -> "tuple[list[Checked], list[str]]":
    """Return what was found, and one line for each file that could not be checked."""
    from tqdm import tqdm

    from kata_model.errors import KataError

    results, bad = [], []
    with tqdm(paths, desc="checking", unit="file", disable=None) as bar:
        for path in bar:
            try:
                results.append(checker.check(path))
                bar.write(_line(results[-1], checker.meter))
            except KataError as error:
                bad.append(str(error))
                bar.write(f"kata: error: {error}", file=sys.stderr)
    return results, bad


def _line(checked: "Checked", meter: "UsageMeter") -> str:
    from kata_safety.check import KINDS

    parts = []
    for kind in KINDS:
        found = [violation for violation in checked.violations if violation.kind == kind]
        if found:
            worst = found[0]
            size = f"{1e3 * meter.overlap(worst.share):.0f} mm" if kind == "collision" else f"{worst.share:.0%}"
            parts.append(f"{kind} {len(found)} (worst {worst.joint} {size} at {worst.worst:.2f} s)")
    parts += [f"{count} samples {reason}" for reason, count in checked.motion.faults.items()]
    ticks = max(1, len(checked.passage.verdicts))
    acted = sum(count for name, count in checked.passage.statuses.items() if name not in ("following", "standby")) / ticks
    told = f"; filter acted in {acted:.0%} of its ticks"
    if checked.replayed:
        told += f"; {checked.replayed.equal} of {checked.replayed.compared} verdicts as recorded"
    return f"{checked.path}: {', '.join(parts) or 'clean'}{told}"
