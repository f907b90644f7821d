# SPDX-License-Identifier: Apache-2.0
"""Attack the safety filter of a simulated G1 and count what gets through.

Random, adversarial (aimed at limits and at collisions) and malformed targets, broken joint states, clock jumps and
stops drive the filter, whose commands drive the simulated robot. Every command is checked here, by rules that
share no code with the filter; self-collision is checked on the meshes by the simulator. Commands come in chunks, each
from a seed of its own, so that the result does not depend on the number of jobs and any chunk can be repeated alone.

    python benchmarks/safety_fuzz.py --commands 1000000 --seed 1 --jobs 16 --json fuzz.json
    python benchmarks/safety_fuzz.py --commands 1000000 --seed 1 --chunk 17
"""

import argparse
import collections
import functools
import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import mujoco
import numpy as np
from tqdm import tqdm

from kata_core import JointCommand, JointState, Reason, RobotModel, Status, Verdict, load_robot
from kata_core.collision import load_capsules
from kata_core.safety import NOTHING, Received, SafetyConfig, SafetyFilter, Senses, Shapes, load_shapes
from kata_sim import SimConfig, Simulation
from kata_sim.contacts import self_contacts

TICK = 4_000_000
CHUNK = 5_000
"""Commands that one seed decides."""
KINDS = ("position", "velocity", "acceleration", "effort", "self_collision", "age", "malformed", "not_finite")
RESTARTS = {Reason.TRACKING_ERROR, Reason.CLOCK_JUMP}
GOALS = ("random", "limits", "collide", "alternate", "wave", "near", "return")
FAULTS = ("nan", "infinite", "huge", "short", "unconverted", "stale", "future", "reordered", "duplicate", "silence",
          "no_state", "old_state", "nan_state", "back", "ahead", "alarm", "stop")  # fmt: skip
ALARMS = (Reason.TWO_SOURCES, Reason.UNSURE_POLICY, Reason.FOREIGN_COMMAND, Reason.LOST_OPERATOR, Reason.LOOP_OVERRUN)


@dataclass
class Count:
    """What was seen."""

    commands: int = 0
    violations: collections.Counter = field(default_factory=collections.Counter)
    reasons: collections.Counter = field(default_factory=collections.Counter)
    statuses: collections.Counter = field(default_factory=collections.Counter)
    deepest: collections.Counter = field(default_factory=collections.Counter)
    examples: list[str] = field(default_factory=list)

    def violated(self, kind: str, text: str) -> None:
        """Count a violation and keep the first examples."""
        self.violations[kind] += 1
        if self.violations[kind] <= 5:
            self.examples.append(f"{kind}: {text}")

    def add(self, other: "Count", chunk: int) -> None:
        """Take in what a chunk saw."""
        self.commands += other.commands
        for mine, its in ((self.violations, other.violations), (self.reasons, other.reasons), (self.statuses, other.statuses)):
            mine.update(its)
        for name, depth in other.deepest.items():
            self.deepest[name] = max(self.deepest[name], depth)
        self.examples += [f"chunk {chunk}: {text}" for text in other.examples]


class Attacker:
    """Makes targets, a few dozen ticks of one kind at a time."""

    def __init__(self, robot: RobotModel, collisions: "Collisions", rng: np.random.Generator) -> None:
        """Start calmly."""
        self.robot, self.rng, self.collisions = robot, rng, collisions
        self.goal, self.kind, self.fault, self.left, self.age = np.array(robot.rest), "near", "", 0, 0

    def next(self, now: int, position: np.ndarray) -> JointCommand:
        """Return a well-formed target for a time [ns]."""
        if self.left <= 0:
            self.kind, self.left = str(self.rng.choice(GOALS)), int(self.rng.integers(5, 150))
            self.fault = str(self.rng.choice(FAULTS)) if self.rng.random() < 0.25 else ""
            self.left = min(self.left, 20) if self.fault else self.left
            self.age = int(self.rng.integers(0, 70_000_000)) // TICK * TICK
            self._choose(position)
        self.left -= 1
        goal, velocity = self.goal, np.zeros(len(self.goal))
        if self.kind == "alternate" and self.left % 2:
            goal = self.robot.lower + self.robot.upper - goal
        if self.kind == "wave":
            phase = 2 * np.pi * self.rate * now * 1e-9
            goal, velocity = goal + self.swing * np.sin(phase), self.swing * self.rate * 2 * np.pi * np.cos(phase)
        stamp = now - self.age + (0 if self.age else -int(self.rng.integers(0, 2)) * TICK)
        return JointCommand(stamp, goal, velocity, 0 * goal, self.robot.stiffness, self.robot.damping)

    def _choose(self, position: np.ndarray) -> None:
        low, high, rng = self.robot.lower, self.robot.upper, self.rng
        self.rate, self.swing = rng.uniform(0.5, 8.0), rng.uniform(0.0, 1.5, len(low))
        choice = {
            "random": lambda: rng.uniform(low, high),
            "limits": lambda: np.where(rng.random(len(low)) < 0.5, low - rng.uniform(0, 1), high + rng.uniform(0, 1)),
            "collide": lambda: self.collisions.worst(rng),
            "alternate": lambda: rng.uniform(low, high),
            "wave": lambda: rng.uniform(low, high),
            "near": lambda: position + rng.normal(0.0, 0.3, len(low)),
            "return": lambda: np.array(self.robot.rest),
        }
        self.goal = choice[self.kind]()
        if rng.random() < 0.5:  # legs at rest: the arms then meet them where they hang
            self.goal[:12] = self.robot.rest[:12]


class Collisions:
    """Postures in which the meshes collide, found once by the simulator."""

    def __init__(self, robot: RobotModel) -> None:
        """Build a simulation of its own to try postures in."""
        self.robot, self.simulation = robot, Simulation(robot, SimConfig())
        self.joints = [self.simulation.model.joint(name).qposadr[0] for name in robot.layout.names]
        self.found: list[np.ndarray] = []

    def worst(self, rng: np.random.Generator) -> np.ndarray:
        """Return a posture with contact; new ones are looked for now and then."""
        while len(self.found) < 5 or rng.random() < 0.3:
            share = rng.choice([0.6, 1.0])
            posture = self.robot.rest + share * (rng.uniform(self.robot.lower, self.robot.upper) - self.robot.rest)
            self.simulation.data.qpos[self.joints] = posture
            mujoco.mj_forward(self.simulation.model, self.simulation.data)
            if self_contacts(self.simulation, 0.005):
                self.found.append(posture)
        return self.found[int(rng.integers(len(self.found)))].copy()


class Checker:
    """Checks every command and the robot that obeys it."""

    def __init__(self, robot: RobotModel, config: SafetyConfig, count: Count) -> None:
        """Check against the robot's own limits and a config's deadlines."""
        self.robot, self.config, self.count = robot, config, count
        self.grazing = load_capsules(robot).ignored
        self.velocity = np.minimum(robot.max_velocity, config.max_velocity) * (1 + 1e-9)
        self.acceleration = config.max_acceleration
        self.last: Verdict | None = None
        self.before: Verdict | None = None
        self.grace = 0

    def check(self, verdict: Verdict, target: Received | None, simulation: Simulation, now: int) -> None:
        """Compare a verdict with what is allowed."""
        count, command = self.count, verdict.command
        self.before, self.last = self.last, verdict
        count.reasons.update(verdict.reasons)
        count.statuses[verdict.status.name] += 1
        limp = command is None or not command.stiffness.any()
        # After the joints were limp, or the command was torn off, the robot may be anywhere, its legs even tangled: it
        # is led back first. What counts are violations from the next admissible state on.
        if limp or RESTARTS & set(verdict.reasons):
            self.grace = 2
        elif self.grace >= 0:
            self.grace -= self._admissible(verdict, simulation)
            count.statuses["LED_BACK"] += 1
        if command is not None:
            self._check_command(verdict, command, limp)
        following = verdict.status in (Status.FOLLOWING, Status.LIMITED)
        if (
            following
            and command is not None
            and not -self.config.max_future <= (now - command.stamp) * 1e-9 <= self.config.max_target_age
        ):
            count.violated("age", f"{(now - command.stamp) * 1e-9:.3f} s")
        if following and (target is None or target.command is None or not np.isfinite(target.command.position).all()):
            count.violated("malformed", "followed")
        if self.grace < 0:
            self._check_robot(simulation)

    def _check_command(self, verdict: Verdict, command: JointCommand, limp: bool) -> None:
        count, robot = self.count, self.robot
        for name in ("position", "velocity", "effort", "stiffness", "damping"):
            if not np.isfinite(getattr(command, name)).all():
                count.violated("not_finite", name)
        if limp:
            return
        if self.grace < 0 and not ((robot.lower <= command.position) & (command.position <= robot.upper)).all():
            beyond = np.maximum(robot.lower - command.position, command.position - robot.upper)
            count.violated(
                "position",
                f"command {robot.layout.names[int(beyond.argmax())]} {beyond.max():.4f} {verdict.status.name} {verdict.reasons}",
            )
        if not (np.abs(command.velocity) <= self.velocity).all():
            count.violated("velocity", f"command {np.abs(command.velocity).max():.2f}")
        if self.grace < 0 and not (np.abs(command.effort) <= robot.max_effort).all():
            count.violated("effort", "feed-forward")
        before = self.before.command if self.before else None
        if before is not None and before.stiffness.any() and not RESTARTS & set(verdict.reasons):
            change = np.abs(command.velocity - before.velocity).max() / 0.004
            moved = np.abs(command.position - before.position - 0.004 * command.velocity).max()
            if not change <= self.acceleration * (1 + 1e-9):
                count.violated("acceleration", f"{change:.1f} rad/s^2")
            if not moved <= 1e-9:
                count.violated("velocity", f"position jumped by {moved:.2g} rad")

    def _admissible(self, verdict: Verdict, simulation: Simulation) -> bool:
        """Return whether the robot is within all limits and where its command is."""
        position, command = simulation.joint_state().position, verdict.command
        inside = ((self.robot.lower <= position) & (position <= self.robot.upper)).all()
        followed = command is not None and np.abs(command.position - position).max() < 0.05
        return bool(inside and followed and Reason.OUTSIDE not in verdict.reasons and not self_contacts(simulation))

    def _check_robot(self, simulation: Simulation) -> None:
        count, state = self.count, simulation.joint_state()
        beyond = np.maximum(self.robot.lower - state.position, state.position - self.robot.upper)
        worst = int(beyond.argmax())
        if beyond[worst] > 0.0:
            joint = self.robot.layout.names[worst]
            count.deepest[joint] = max(count.deepest[joint], float(beyond[worst]))
            count.violated("position", f"measured {joint} {beyond[worst]:.4f} rad beyond; {self._situation(state)}")
        if not (np.abs(state.velocity) <= self.robot.max_velocity).all():
            count.violated("velocity", f"measured {np.abs(state.velocity).max():.1f} rad/s")
        for touch in self_contacts(simulation):
            # Links that graze by design are left to the house's metric of self-collision, 5 mm on the meshes.
            pair = tuple(sorted((touch.first, touch.second)))
            if pair in self.grazing:
                name = f"grazing {pair[0]} {pair[1]}"
                count.deepest[name] = max(count.deepest[name], touch.depth)
            if pair in self.grazing and touch.depth <= 0.005:
                continue
            text = f"{touch.first} {touch.second} {1000 * touch.depth:.1f} mm"
            count.violated("self_collision", f"{text}; {self._situation(state)}")

    def _situation(self, state: JointState) -> str:
        """Return what the filter said, and how far the robot is from the command."""
        if self.last is None or self.last.command is None:
            return ""
        lag = np.abs(self.last.command.position - state.position).max()
        return f"{self.last.status.name} {', '.join(self.last.reasons)}; lag {lag:.3f} rad"


@functools.cache
def bench() -> tuple[RobotModel, Shapes, Simulation, "Collisions"]:
    """Return what all chunks of a process use, made once; each chunk puts it back to its beginning."""
    robot = load_robot("g1")
    simulation = Simulation(robot, SimConfig())
    # The pelvis is held so low that the feet reach the floor, which the filter does not know: the robot hangs free.
    floor = simulation.model.geom_bodyid == 0
    simulation.model.geom_contype[floor] = simulation.model.geom_conaffinity[floor] = 0
    return robot, load_shapes(robot), simulation, Collisions(robot)


def fuzz_chunk(commands: int, seed: int, chunk: int) -> Count:
    """Attack with the commands of one chunk."""
    rng, count = np.random.default_rng([seed, chunk]), Count(commands)
    robot, shapes, simulation, collisions = bench()
    simulation.time, collisions.found = 0, []
    attacker, done = Attacker(robot, collisions, rng), 0
    while done < commands:
        length = min(int(rng.integers(500, 2000)), commands - done)
        # Half of the runs open the gate of the engage, so that the limits behind it meet the full attack.
        wide = {"engage_refusal": 7.0, "engage_tolerance": 7.0} if rng.random() < 0.5 else {}
        session = Session(robot, shapes, simulation, attacker, SafetyConfig(**wide), count)
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
    simulation: Simulation
    attacker: Attacker
    config: SafetyConfig
    count: Count


def _session(session: Session, length: int, seed: int) -> None:
    simulation, attacker, robot = session.simulation, session.attacker, session.robot
    simulation.reset(seed)
    filter_ = SafetyFilter(robot, session.config, shapes=session.shapes)
    checker = Checker(robot, session.config, session.count)
    checker.grace = 1
    offset, target, held = 0, None, None
    for _ in range(length):
        now = simulation.time + offset
        clean = attacker.next(now, simulation.joint_state().position)
        fault = attacker.fault if attacker.left == 0 or attacker.left % 3 else ""
        if fault in ("back", "ahead") and attacker.left == 1:
            offset += -500_000_000 if fault == "back" else 700_000_000
            now = simulation.time + offset
        state = _state(simulation, now, fault, held)
        held = state or held
        target = _target(clean, now, fault, target, robot)
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


def _state(simulation: Simulation, now: int, fault: str, held: JointState | None) -> JointState | None:
    measured = simulation.joint_state()
    state = JointState(now, measured.position, measured.velocity, measured.effort)
    if fault == "no_state":
        return None
    if fault == "old_state":
        return held
    return JointState(now, state.position * np.nan, state.velocity, state.effort) if fault == "nan_state" else state


def _target(clean: JointCommand, now: int, fault: str, last: Received | None, robot: RobotModel) -> Received | None:
    def with_position(position: np.ndarray, stamp: int = clean.stamp) -> Received:
        n = len(position)
        return Received(JointCommand.at(stamp, position, robot.stiffness[:n], robot.damping[:n]), now)

    poisoned = clean.position.copy()
    poisoned[::7] = np.nan if fault == "nan" else np.inf if fault == "infinite" else 1e300
    match fault:
        case "nan" | "infinite" | "huge":
            return with_position(poisoned)
        case "short":
            return with_position(clean.position[:5])
        case "unconverted":
            return Received(None, now, Reason.WRONG_JOINTS)
        case "stale":
            return with_position(clean.position, now - 200_000_000)
        case "future":
            return with_position(clean.position, now + 300_000_000)
        case "reordered":
            return with_position(clean.position, clean.stamp - 40_000_000)
        case "duplicate" if last is not None and last.command is not None:
            return Received(JointCommand.at(last.command.stamp, clean.position, robot.stiffness, robot.damping), now)
        case "silence":
            return last
    return Received(clean, now)


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
