# SPDX-License-Identifier: Apache-2.0
"""Attack the safety filter of a simulated G1 and count what gets through.

Random, adversarial (aimed at limits and at collisions) and malformed targets, broken joint states, clock jumps and
stops (safety_attack.py) drive the filter, whose commands drive the simulated robot. Every command is checked, by rules that
share no code with the filter (safety_check.py). Commands come in chunks, each
from a seed of its own, so that the result does not depend on the number of jobs and any chunk can be repeated alone.

    python benchmarks/safety_fuzz.py --commands 1000000 --seed 1 --jobs 16 --json fuzz.json
    python benchmarks/safety_fuzz.py --commands 1000000 --seed 1 --chunk 17
"""

import argparse
import functools
import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from safety_attack import ALARMS, Attacker, Collisions, broken_state, broken_target
from safety_check import KINDS, Checker, Count, graze_by_design
from tqdm import tqdm

from kata_core import RobotModel, Status, load_robot
from kata_core.safety import NOTHING, SafetyConfig, SafetyFilter, Senses, Shapes, load_shapes
from kata_sim import SimConfig, Simulation

CHUNK = 5_000
"""Commands that one seed decides."""


@functools.cache
def bench() -> tuple[RobotModel, Shapes, Simulation, Collisions, frozenset[tuple[str, str]]]:
    """Return what all chunks of a process use, made once; each chunk puts it back to its beginning."""
    robot = load_robot("g1")
    simulation = Simulation(robot, SimConfig())
    # The pelvis is held so low that the feet reach the floor, which the filter does not know: the robot hangs free.
    floor = simulation.model.geom_bodyid == 0
    simulation.model.geom_contype[floor] = simulation.model.geom_conaffinity[floor] = 0
    return robot, load_shapes(robot), simulation, Collisions(robot), graze_by_design(robot)


def fuzz_chunk(commands: int, seed: int, chunk: int) -> Count:
    """Attack with the commands of one chunk."""
    rng, count = np.random.default_rng([seed, chunk]), Count(commands)
    robot, shapes, simulation, collisions, grazing = bench()
    simulation.time, collisions.found = 0, []
    attacker, done = Attacker(robot, collisions, rng), 0
    while done < commands:
        length = min(int(rng.integers(500, 2000)), commands - done)
        # Half of the runs open the gate of the engage, so that the limits behind it meet the full attack.
        wide = {"engage_refusal": 7.0, "engage_tolerance": 7.0} if rng.random() < 0.5 else {}
        session = Session(robot, shapes, grazing, simulation, attacker, SafetyConfig(**wide), count)
        _session(session, length, int(rng.integers(2**31)))
        done += length
    return count


def fuzz(commands: int, seed: int, jobs: int = 1, only: int | None = None) -> Count:
    """Attack with a number of commands, or with those of one chunk alone."""
    chunks = range(-(-commands // CHUNK)) if only is None else [only]
    sizes = [min(CHUNK, commands - chunk * CHUNK) for chunk in chunks]
    total = Count()
    with tqdm(total=sum(sizes), unit=" commands", disable=not sys.stderr.isatty()) as bar:
        for chunk, count in zip(chunks, _counts(sizes, seed, chunks, jobs), strict=True):
            total.add(count, chunk)
            bar.update(count.commands)
            bar.set_postfix(violations=sum(total.violations.values()))
    return total


def _counts(sizes: list[int], seed: int, chunks: range | list[int], jobs: int) -> Iterator[Count]:
    """Yield the counts of chunks in order; the first is done here, so that kernels are compiled once only."""
    yield fuzz_chunk(sizes[0], seed, chunks[0])
    rest = (sizes[1:], [seed] * (len(sizes) - 1), chunks[1:])
    if jobs < 2 or len(sizes) < 3:
        yield from map(fuzz_chunk, *rest)
        return
    with ProcessPoolExecutor(min(jobs, len(sizes) - 1), get_context("spawn")) as pool:
        yield from pool.map(fuzz_chunk, *rest)


@dataclass
class Session:
    """One run of a filter from a reset on."""

    robot: RobotModel
    shapes: Shapes
    grazing: frozenset[tuple[str, str]]
    simulation: Simulation
    attacker: Attacker
    config: SafetyConfig
    count: Count


def _session(session: Session, length: int, seed: int) -> None:
    simulation, attacker, robot = session.simulation, session.attacker, session.robot
    simulation.reset(seed)
    filter_ = SafetyFilter(robot, session.config, shapes=session.shapes)
    checker = Checker(robot, session.config, session.grazing, session.count)
    offset, target, held = 0, None, None
    for _ in range(length):
        now = simulation.time + offset
        clean = attacker.next(now, simulation.joint_state().position)
        fault = attacker.fault if attacker.left == 0 or attacker.left % 3 else ""
        if fault in ("back", "ahead") and attacker.left == 1:
            offset += -500_000_000 if fault == "back" else 700_000_000
            now = simulation.time + offset
        state = broken_state(simulation, now, fault, held)
        held = state or held
        target = broken_target(clean, now, fault, target, robot)
        senses = Senses((str(attacker.rng.choice(ALARMS)),)) if fault == "alarm" else NOTHING
        if fault == "stop" and attacker.left == 1:
            filter_.stop()
        verdict = filter_.step(state, target, now, senses)
        checker.check(verdict, target, simulation, now)
        if verdict.command is not None:
            simulation.command(verdict.command)
        simulation.step(2)
        if verdict.status is Status.STOPPED and attacker.rng.random() < 0.02:
            filter_.reset()


def main() -> int:
    """Run, print, write; the exit code is 1 if anything got through."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commands", type=int, default=20_000, help="commands to check")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="processes to share the work; the result is the same")
    parser.add_argument("--chunk", type=int, help=f"repeat one chunk of {CHUNK} commands alone")
    parser.add_argument("--json", type=Path, help="write the counts as one flat object")
    arguments = parser.parse_args()
    if arguments.commands < 1 or arguments.jobs < 1:
        parser.error("--commands and --jobs must be at least 1")
    if arguments.chunk is not None and not 0 <= arguments.chunk < -(-arguments.commands // CHUNK):
        parser.error(f"--chunk {arguments.chunk} is beyond the {arguments.commands} commands")
    count = fuzz(arguments.commands, arguments.seed, arguments.jobs, arguments.chunk)
    result: dict[str, int] = {
        "commands": count.commands,
        "seed": arguments.seed,
        "violations": sum(count.violations.values()),
    }
    result |= {f"violations_{kind}": count.violations[kind] for kind in KINDS}
    result |= {f"reason_{name}": number for name, number in sorted(count.reasons.items())}
    result |= {f"status_{name.lower()}": number for name, number in sorted(count.statuses.items())}
    for name, number in result.items():
        print(f"{name:<32} {number:>10}")
    for joint, depth in count.deepest.most_common():
        unit = "m deep" if joint.startswith("grazing") else "rad beyond its limit"
        print(f"{joint}: {depth:.4f} {unit} at most")
    for example in count.examples:
        print(example)
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")
    return 1 if result["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
