# SPDX-License-Identifier: Apache-2.0
"""How fast the robot is safe when something breaks: every node killed, frozen, slowed and flooded, clocks that jump, rivals.

The real graph runs, started by `kata launch`, with the simulator as the robot's driver on the system's clock (jumps of the
clock: on the simulator's). A fault comes while the robot moves. One observer hears command, verdict and joint states; their times
are those at which they were sent, by the stamps of their senders' middleware, so that a late observer adds nothing. The safe
command is found in the commands themselves: the first from which on no joint is told to be faster. Columns: from the fault to the
verdict that names it (deadlines included), from there to the safe command, from the fault to that or, where the safety
node itself fails, to joints that only damp; the largest gap between two commands.

    python benchmarks/faults.py --repeat 10 --json faults.json     # exit code 1 if a limit was broken or a fault not noticed
    python benchmarks/faults.py --repeat 1 --keep results.jsonl    # again and again: the table is of all that the file holds
"""

import argparse
import dataclasses
import json
import os
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("ROS_DOMAIN_ID", str(random.SystemRandom().randint(1, 100)))
os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/integration"))

import numpy as np
from fault_cases import CLOCK_CASES, NODE_CASES
from fault_judge import Case, Result
from live_bench import LiveBench

COLUMNS = {"detected": "named", "reaction": "then safe", "safe": "safe", "gap": "gap"}


def inject(cases: Sequence[Case], clock: str, repeat: int) -> list[Result]:
    """Return what came of all cases, each repeated, in one graph."""
    found = []
    with tempfile.TemporaryDirectory() as folder, LiveBench(Path(folder), clock) as bench:
        for turn in range(repeat):
            for case in cases:
                found.append(bench.run(case))
                print(
                    f"{turn + 1}/{repeat} {case.name}: {'; '.join(found[-1].violations) or 'well'}", file=sys.stderr, flush=True
                )
    return found


def summary(results: Sequence[Result], column: str) -> dict[str, float]:
    """Return n, median, 99th percentile and maximum of a column [ms]; empty if no result has it."""
    values = [value for result in results if (value := getattr(result, column)) is not None]
    if not values:
        return {}
    p50, p99 = np.percentile(values, [50, 99])
    return {"n": len(values), "p50_ms": float(p50), "p99_ms": float(p99), "max_ms": max(values)}


def row(name: str, results: Sequence[Result]) -> str:
    """Return a line of the table: median, p99 and maximum of each column."""
    cells = []
    for column in COLUMNS:
        s = summary(results, column)
        cells.append(f"{s['p50_ms']:.1f} / {s['p99_ms']:.1f} / {s['max_ms']:.1f}" if s else "")
    return f"| {name} | {len(results)} | {' | '.join(cells)} | {sum(map(bool, (r.violations for r in results)))} |"


def kept(file: Path, results: Sequence[Result]) -> list[Result]:
    """Append results to a file, one JSON object a line; return all that it then holds."""
    with file.open("a") as lines:
        lines.writelines(json.dumps(dataclasses.asdict(result)) + "\n" for result in results)
    return [Result(**json.loads(line)) for line in file.read_text().splitlines()]


def main() -> int:
    """Inject all faults, print the table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3, help="times that each fault is injected (default 3)")
    parser.add_argument("--only", default="", help="faults whose name contains this")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write {fault: {column: {n, p50_ms, p99_ms, max_ms}}} here")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="add each result to this file, and tell of all in it")
    args = parser.parse_args()
    results: list[Result] = []
    for cases, clock in ((NODE_CASES, "system"), (CLOCK_CASES, "simulated")):
        chosen = [case for case in cases if args.only in case.name]
        results += inject(chosen, clock, args.repeat) if chosen else []
    if args.keep:
        results = kept(args.keep, results)
    names = list(dict.fromkeys(result.case for result in results))
    table = {name: [result for result in results if result.case == name] for name in names}
    print(f"| fault | n | {' | '.join(f'{title}, ms' for title in COLUMNS.values())} | failed |")
    print("|---" * (len(COLUMNS) + 3) + "|")
    for name, found in [*table.items(), ("all", results)]:
        print(row(name, found))
    figures = {name: {column: summary(found, column) for column in COLUMNS} for name, found in [*table.items(), ("all", results)]}
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 1 if any(result.violations for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
