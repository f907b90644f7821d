# SPDX-License-Identifier: Apache-2.0
"""Check every command of a safety filter, and the robot that obeys it, by rules that share no code with the filter.

Self-collision is checked on the meshes by the simulator.
"""

import collections
from dataclasses import dataclass, field

import numpy as np

from kata_core import JointCommand, JointState, Reason, RobotModel, Status, Verdict
from kata_core.collision import load_capsules
from kata_core.safety import Received, SafetyConfig
from kata_sim import Simulation
from kata_sim.contacts import self_contacts

__all__ = ["KINDS", "Checker", "Count", "graze_by_design"]

GRAZING = 0.004
"""How deep the meshes of the G1's wrists overlap within their joints' own ranges [m]; see `graze_by_design`."""
KINDS = ("position", "velocity", "acceleration", "effort", "self_collision", "age", "malformed", "not_finite")
RESTARTS = {Reason.TRACKING_ERROR, Reason.CLOCK_JUMP}


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


class Checker:
    """Checks every command and the robot that obeys it."""

    def __init__(
        self, robot: RobotModel, config: SafetyConfig, grazing: frozenset[tuple[str, str]], count: Count, *, grace: int = 1
    ) -> None:
        """Check against the robot's own limits and a config's deadlines.

        Args:
            robot: The robot.
            config: Of the filter.
            grazing: Pairs of links that may touch by a few mm, see `graze_by_design`.
            count: Receives what is seen.
            grace: Admissible ticks after which a robot that may begin anywhere is judged.
        """
        self.robot, self.config, self.grazing, self.count, self.grace = robot, config, grazing, count, grace
        self.velocity = np.minimum(robot.max_velocity, config.max_velocity) * (1 + 1e-9)
        self.acceleration = config.max_acceleration
        self.last: Verdict | None = None
        self.before: Verdict | None = None

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
            pair = tuple(sorted((touch.first, touch.second)))
            if pair in self.grazing:
                name = f"grazing {pair[0]} {pair[1]}"
                count.deepest[name] = max(count.deepest[name], touch.depth)
            if pair in self.grazing and touch.depth <= GRAZING:
                continue
            text = f"{touch.first} {touch.second} {1000 * touch.depth:.1f} mm"
            count.violated("self_collision", f"{text}; {self._situation(state)}")

    def _situation(self, state: JointState) -> str:
        """Return what the filter said, and how far the robot is from the command."""
        if self.last is None or self.last.command is None:
            return ""
        lag = np.abs(self.last.command.position - state.position).max()
        return f"{self.last.status.name} {', '.join(self.last.reasons)}; lag {lag:.3f} rad"


def graze_by_design(robot: RobotModel) -> frozenset[tuple[str, str]]:
    """Return the links that the filter ignores because one joint between their own decides whether their meshes touch."""
    parents = list(robot.pinocchio.parents)
    body = {frame.name: int(frame.parentJoint) for frame in robot.pinocchio.frames}
    apart = {pair: sorted(body[link] for link in pair) for pair in load_capsules(robot).ignored}
    return frozenset(pair for pair, (first, second) in apart.items() if second and parents[parents[second]] == first)
