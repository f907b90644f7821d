# SPDX-License-Identifier: Apache-2.0
"""Check every command of a safety filter, and the robot that obeys it, by rules that share no code with the filter.

Self-collision is checked on the meshes by the simulator.
"""

import collections
from dataclasses import dataclass, field

import numpy as np

from kata_model import JointCommand, JointFlag, JointState, Reason, RobotModel, Status, Verdict
from kata_model.collision import load_capsules
from kata_safety import Received, SafetyConfig
from kata_sim import Simulation
from kata_sim.contacts import self_contacts

__all__ = ["KINDS", "Checker", "Count", "graze_by_design"]

GRAZING = 0.004
"""How deep the meshes of the G1's wrists overlap within their joints' own ranges [m]; see `graze_by_design`."""
ASTRAY = 0.3
"""How far a joint may be measured from its command while the robot follows [rad]."""
LEG_ASTRAY = 1.0
"""The same of legs that stand [rad]."""
CALM = 0.5
"""How fast joints may move while a robot on its feet is taken to stand [rad/s]."""
KINDS = ("position", "velocity", "acceleration", "effort", "self_collision", "age", "malformed", "not_finite", "astray")


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


@dataclass(frozen=True, slots=True)
class Told:
    """What the filter was told of the joints.

    Attributes:
        state: None if nothing.
        honest: Whether it was true, and what was told of a free base.
    """

    state: JointState | None
    honest: bool = True


class Checker:
    """Checks every command and the robot that obeys it."""

    def __init__(
        self,
        robot: RobotModel,
        config: SafetyConfig,
        grazing: frozenset[tuple[str, str]],
        count: Count,
        *,
        grace: int = 1,
        stands: bool = False,
    ) -> None:
        """Check against the robot's own limits and a config's deadlines.

        Args:
            robot: The robot.
            config: Of the filter.
            grazing: Pairs of links that may touch by a few mm, see `graze_by_design`.
            count: Receives what is seen.
            grace: Admissible ticks after which a robot that may begin anywhere is judged.
            stands: Whether it stands on its own feet.
        """
        self.robot, self.config, self.grazing, self.count, self.grace = robot, config, grazing, count, grace
        self.velocity = np.minimum(robot.max_velocity, config.max_velocity) * (1 + 1e-9)
        self.acceleration = config.max_acceleration
        legs = [stands and any(part in name for part in ("hip", "knee", "ankle")) for name in robot.layout.names]
        self.astray = np.where(legs, LEG_ASTRAY, ASTRAY) + 0.004 * self.velocity
        self.misled = -1
        self.last: Verdict | None = None
        self.sent: JointCommand | None = None

    def check(self, verdict: Verdict, target: Received | None, told: Told, simulation: Simulation, now: int) -> None:
        """Compare a verdict with what is allowed."""
        count, command = self.count, verdict.command
        self.last = verdict
        count.reasons.update(verdict.reasons)
        count.statuses[verdict.status.name] += 1
        limp = command is None or not command.stiffness.any()
        # After the joints were limp the robot may be anywhere, its legs even tangled: it is led back first. What counts are
        # violations from the next admissible state on. A robot whose encoders lie strays unseen: only its velocity counts.
        if limp:
            self.grace = 2
        elif self.grace >= 0:
            self.grace -= self._admissible(verdict, simulation)
            count.statuses["LED_BACK"] += 1
        self.misled = 2 if not told.honest else self.misled - (self.misled >= 0 and self._admissible(verdict, simulation))
        if command is not None:
            self._check_command(verdict, command, limp)
        self._check_following(verdict, target, told, now)
        if self.grace < 0:
            self._check_robot(simulation)

    def _check_following(self, verdict: Verdict, target: Received | None, told: Told, now: int) -> None:
        """Check that what is followed is fit for that: the target, and the robot."""
        count, command, config = self.count, verdict.command, self.config
        if Reason.TRACKING_ERROR in verdict.reasons and not (verdict.joint_flags & JointFlag.FEEDBACK).any():
            count.violated("astray", "no joint is named")
        if verdict.status not in (Status.FOLLOWING, Status.LIMITED) or command is None:
            return
        if not -config.max_future <= (now - command.stamp) * 1e-9 <= config.max_target_age:
            count.violated("age", f"{(now - command.stamp) * 1e-9:.3f} s")
        if target is None or target.command is None or not np.isfinite(target.command.position).all():
            count.violated("malformed", "followed")
        if told.state is None or not (np.abs(command.position - told.state.position) <= self.astray).all():
            count.violated("astray", f"followed {verdict.reasons}")

    def _check_command(self, verdict: Verdict, command: JointCommand, limp: bool) -> None:
        count, robot = self.count, self.robot
        for name in ("position", "velocity", "effort", "stiffness", "damping"):
            if not np.isfinite(getattr(command, name)).all():
                count.violated("not_finite", name)
        before, self.sent = self.sent, command
        if not (np.abs(command.velocity) <= self.velocity).all():
            count.violated("velocity", f"command {np.abs(command.velocity).max():.2f}")
        if limp:
            return
        if self.grace < 0 and not ((robot.lower <= command.position) & (command.position <= robot.upper)).all():
            beyond = np.maximum(robot.lower - command.position, command.position - robot.upper)
            count.violated(
                "position",
                f"command {robot.layout.names[int(beyond.argmax())]} {beyond.max():.4f} {verdict.status.name} {verdict.reasons}",
            )
        if self.grace < 0 and not (np.abs(command.effort) <= robot.max_effort).all():
            count.violated("effort", "feed-forward")
        if before is not None and before.stiffness.any():
            change = np.abs(command.velocity - before.velocity).max() / 0.004
            moved = np.abs(command.position - before.position - 0.004 * command.velocity).max()
            if not change <= self.acceleration * (1 + 1e-9):
                count.violated("acceleration", f"{change:.1f} rad/s^2")
            if not moved <= 1e-9:
                count.violated("velocity", f"position jumped by {moved:.2g} rad")

    def _admissible(self, verdict: Verdict, simulation: Simulation) -> bool:
        """Return whether the robot is within all limits and where its command is; on its feet, not sinking or falling either."""
        state, command = simulation.joint_state(), verdict.command
        position, fast = state.position, simulation.floating and np.abs(state.velocity).max() > CALM
        inside = ((self.robot.lower <= position) & (position <= self.robot.upper)).all()
        followed = command is not None and np.abs(command.position - position).max() < 0.05
        return bool(inside and followed and not fast and Reason.OUTSIDE not in verdict.reasons and not self_contacts(simulation))

    def _check_robot(self, simulation: Simulation) -> None:
        count, state = self.count, simulation.joint_state()
        if not (np.abs(state.velocity) <= self.robot.max_velocity).all():
            count.violated("velocity", f"measured {np.abs(state.velocity).max():.1f} rad/s; {self._situation(state)}")
        if self.misled >= 0:
            return
        beyond = np.maximum(self.robot.lower - state.position, state.position - self.robot.upper)
        worst = int(beyond.argmax())
        if beyond[worst] > 0.0:
            joint = self.robot.layout.names[worst]
            count.deepest[joint] = max(count.deepest[joint], float(beyond[worst]))
            count.violated("position", f"measured {joint} {beyond[worst]:.4f} rad beyond; {self._situation(state)}")
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
