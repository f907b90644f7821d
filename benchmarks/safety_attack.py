# SPDX-License-Identifier: Apache-2.0
"""Hostile targets and broken inputs for a safety filter: random, aimed at limits and collisions, malformed."""

from dataclasses import replace

import mujoco
import numpy as np

from kata_model import JointCommand, JointState, Reason, RobotModel
from kata_safety import Received
from kata_sim import SimConfig, Simulation
from kata_sim.contacts import self_contacts

__all__ = ["ALARMS", "TICK", "Attacker", "Collisions", "broken_state", "broken_target"]

TICK = 4_000_000
GOALS = ("random", "limits", "collide", "alternate", "wave", "near", "return")
FAULTS = ("nan", "infinite", "huge", "short", "unconverted", "stale", "future", "reordered", "duplicate", "silence",
          "no_state", "old_state", "nan_state", "back", "ahead", "alarm", "stop")  # fmt: skip
ALARMS = (Reason.TWO_SOURCES, Reason.UNSURE_POLICY, Reason.FOREIGN_COMMAND, Reason.LOST_OPERATOR, Reason.LOOP_OVERRUN)


class Attacker:
    """Makes targets, a few dozen ticks of one kind at a time."""

    def __init__(
        self, robot: RobotModel, collisions: "Collisions", rng: np.random.Generator, faults: tuple[str, ...] = ()
    ) -> None:
        """Start calmly; faults are made beside those that every robot knows."""
        self.robot, self.rng, self.collisions, self.faults = robot, rng, collisions, (*FAULTS, *faults)
        self.goal, self.kind, self.fault, self.left, self.age = np.array(robot.rest), "near", "", 0, 0

    def next(self, now: int, position: np.ndarray) -> JointCommand:
        """Return a well-formed target for a time [ns]."""
        if self.left <= 0:
            self.kind, self.left = str(self.rng.choice(GOALS)), int(self.rng.integers(5, 150))
            self.fault = str(self.rng.choice(self.faults)) if self.rng.random() < 0.25 else ""
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


def broken_state(state: JointState, fault: str, held: JointState | None) -> JointState | None:
    """Return the measured joint state, or what a fault makes of it; held is the last one that came."""
    if fault == "no_state":
        return None
    if fault == "old_state":
        return held
    return replace(state, position=state.position * np.nan) if fault == "nan_state" else state


def broken_target(clean: JointCommand, now: int, fault: str, last: Received | None, robot: RobotModel) -> Received | None:
    """Return a well-formed target as it is received, or what a fault makes of it; last is the one before."""

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
