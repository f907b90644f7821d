# SPDX-License-Identifier: Apache-2.0
"""Attack the safety filter of a simulated G1 and count what gets through.

Random, adversarial (aimed at limits and at collisions) and malformed targets, broken joint states, clock jumps and
stops (safety_attack.py), and encoders that lie (safety_lies.py) drive the filter, whose commands drive the simulated robot, its
base held or on its own feet. Every command is checked, by rules that share no code with the filter (safety_check.py). Commands
come in chunks, each from a seed of its own, so that the result does not depend on the number of jobs and any chunk can be
repeated alone.

    python benchmarks/safety_fuzz.py --commands 1000000 --seed 1 --jobs 16 --json fuzz.json
    python benchmarks/safety_fuzz.py --commands 100000 --seed 1 --base floating --jobs 16
    python benchmarks/safety_fuzz.py --commands 1000000 --seed 1 --chunk 17
"""

import argparse
import functools
import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from safety_attack import ALARMS, Attacker, Collisions, broken_state, broken_target
from safety_check import KINDS, Checker, Count, Told, graze_by_design
from safety_lies import BASE_FAULTS, Liar, broken_base
from tqdm import tqdm

from kata_model import JointState, RobotModel, Status, load_robot
from kata_safety import UNKNOWN_BASE, SafetyConfig, SafetyFilter, SafetyInputs, Shapes, StabilityMonitor, load_shapes
from kata_safety.balance import BalanceController
from kata_sim import SimConfig, Simulation

CHUNK = 5_000
"""Commands that one seed decides."""


LYING = 0.45
"""Height of a floating base under which the robot lies, and is hung up again [m]."""


@dataclass(frozen=True)
class Bench:
    """What all chunks of a process use, made once; each chunk puts it back to its beginning."""

    robot: RobotModel
    shapes: Shapes
    simulation: Simulation
    collisions: Collisions
    grazing: frozenset[tuple[str, str]]
    standing: StabilityMonitor


@functools.cache
def bench(base: str = "fixed") -> Bench:
    """Return the bench of a robot whose base is held, or on its own feet."""
    robot = load_robot("g1")
    simulation = Simulation(robot, SimConfig(base=base))
    if base == "fixed":  # held so low that the feet reach the floor, which the filter does not know: the robot hangs free
        floor = simulation.model.geom_bodyid == 0
        simulation.model.geom_contype[floor] = simulation.model.geom_conaffinity[floor] = 0
    return Bench(robot, load_shapes(robot), simulation, Collisions(robot), graze_by_design(robot), StabilityMonitor(robot))


def fuzz_chunk(commands: int, seed: int, chunk: int, base: str = "fixed") -> Count:
    """Attack with the commands of one chunk."""
    rng, count, on = np.random.default_rng([seed, chunk]), Count(), bench(base)
    on.simulation.time, on.collisions.found = 0, []
    attacker = Attacker(on.robot, on.collisions, rng, BASE_FAULTS if base == "floating" else ())
    while count.commands < commands:
        length = min(int(rng.integers(500, 2000)), commands - count.commands)
        # Half of the runs open the gate of the engage, so that the limits behind it meet the full attack.
        wide = {"engage_refusal": 7.0, "engage_tolerance": 7.0} if rng.random() < 0.5 else {}
        Session(on, attacker, SafetyConfig(**wide), count, int(rng.integers(2**31))).run(length)
    return count


def fuzz(commands: int, seed: int, jobs: int = 1, only: int | None = None, base: str = "fixed") -> Count:
    """Attack with a number of commands, or with those of one chunk alone."""
    chunks = range(-(-commands // CHUNK)) if only is None else [only]
    sizes = [min(CHUNK, commands - chunk * CHUNK) for chunk in chunks]
    total = Count()
    with tqdm(total=sum(sizes), unit=" commands", disable=not sys.stderr.isatty()) as bar:
        for chunk, count in zip(chunks, _counts(sizes, seed, chunks, jobs, base), strict=True):
            total.add(count, chunk)
            bar.update(count.commands)
            bar.set_postfix(violations=sum(total.violations.values()))
    return total


def _counts(sizes: list[int], seed: int, chunks: range | list[int], jobs: int, base: str) -> Iterator[Count]:
    """Yield the counts of chunks in order; the first is done here, so that kernels are compiled once only."""
    yield fuzz_chunk(sizes[0], seed, chunks[0], base)
    left = len(sizes) - 1
    rest = (sizes[1:], [seed] * left, chunks[1:], [base] * left)
    if jobs < 2 or len(sizes) < 3:
        yield from map(fuzz_chunk, *rest)
        return
    with ProcessPoolExecutor(min(jobs, left), get_context("spawn")) as pool:
        yield from pool.map(fuzz_chunk, *rest)


class Session:
    """One run of a filter from a reset on, until its end or until the robot lies on the floor."""

    def __init__(self, on: Bench, attacker: Attacker, config: SafetyConfig, count: Count, seed: int) -> None:
        """Hang the robot up, at rest."""
        self.simulation, self.attacker, self.count, self.on = on.simulation, attacker, count, on
        self.simulation.reset(seed)
        floating = self.simulation.floating
        balance = BalanceController(on.robot, config) if floating else None
        self.filter = SafetyFilter(on.robot, config, shapes=on.shapes, balance=balance)
        self.checker = Checker(on.robot, config, on.grazing, count, stands=floating)
        self.liar, self.offset = Liar(on.robot, attacker.rng), 0
        self.target, self.held, self.base = None, None, None

    def run(self, length: int) -> None:
        """Attack with some commands."""
        for _ in range(length):
            self._tick()
            self.count.commands += 1
            if self.simulation.floating and self.simulation.base().position[2] < LYING:
                self.count.statuses["FELL"] += 1
                break

    def _tick(self) -> None:
        simulation, attacker = self.simulation, self.attacker
        measured, now = simulation.joint_state(), simulation.time + self.offset
        clean = attacker.next(now, measured.position)
        fault = attacker.fault if attacker.left == 0 or attacker.left % 3 else ""
        if fault in ("back", "ahead") and attacker.left == 1:
            self.offset += -500_000_000 if fault == "back" else 700_000_000
            now = simulation.time + self.offset
        told = self.liar.tell(JointState(now, measured.position, measured.velocity, measured.effort))
        state = broken_state(told, fault, self.held)
        self.held = state or self.held
        self.target = broken_target(clean, now, fault, self.target, self.on.robot)
        if fault == "stop" and attacker.left == 1:
            self.filter.stop()
        verdict = self.filter.step(state, self.target, now, self._safety_inputs(state, fault, now))
        self.checker.check(verdict, self.target, Told(state, not self.liar.kind and fault not in BASE_FAULTS), simulation, now)
        if verdict.command is not None:
            simulation.command(verdict.command)
        simulation.step(2)
        if verdict.status is Status.STOPPED and attacker.rng.random() < 0.02:
            self.filter.reset()

    def _safety_inputs(self, state: JointState | None, fault: str, now: int) -> SafetyInputs:
        """Return alarms, and of a floating base how it is said to stand."""
        rng = self.attacker.rng
        alarms = (str(rng.choice(ALARMS)),) if fault == "alarm" else ()
        if not self.simulation.floating:
            return SafetyInputs(alarms)
        self.base = broken_base(replace(self.simulation.base(), stamp=now), fault, self.base, rng)
        if self.base is None or state is None:
            return SafetyInputs(alarms, UNKNOWN_BASE, self.base)
        return SafetyInputs(alarms, self.on.standing.look(state, self.base), self.base)


def main() -> int:
    """Run, print, write; the exit code is 1 if anything got through."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commands", type=int, default=20_000, help="commands to check")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--base", choices=("fixed", "floating"), default="fixed", help="held, or on its own feet")
    parser.add_argument("--jobs", type=int, default=1, help="processes to share the work; the result is the same")
    parser.add_argument("--chunk", type=int, help=f"repeat one chunk of {CHUNK} commands alone")
    parser.add_argument("--json", type=Path, help="write the counts as one flat object")
    arguments = parser.parse_args()
    if arguments.commands < 1 or arguments.jobs < 1:
        parser.error("--commands and --jobs must be at least 1")
    if arguments.chunk is not None and not 0 <= arguments.chunk < -(-arguments.commands // CHUNK):
        parser.error(f"--chunk {arguments.chunk} is beyond the {arguments.commands} commands")
    count = fuzz(arguments.commands, arguments.seed, arguments.jobs, arguments.chunk, arguments.base)
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
