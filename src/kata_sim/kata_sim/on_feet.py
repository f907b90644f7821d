# SPDX-License-Identifier: Apache-2.0
"""A simulated robot on its own feet under the safety filter, in one process: for tests, benchmarks and rollouts."""

import time
from collections.abc import Callable

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.joints import JointCommand
from kata_model.robot import RobotModel
from kata_model.verdict import Verdict
from kata_safety import Received, SafetyConfig, SafetyFilter, SafetyInputs, StabilityMonitor
from kata_safety.balance import BalanceConfig, BalanceController
from kata_sim.config import SimConfig
from kata_sim.simulation import Simulation

__all__ = ["Motion", "OnFeet", "swinging"]

Motion = Callable[[float], FloatArray]
"""Returns the joints' target at a time since the start [s], shape (n,), [rad]."""


class OnFeet:
    """Robot, filter, and the loop between them at the filter's rate.

    Attributes:
        simulation: The robot; `Simulation.push` pushes it.
        balance_controller: What keeps it on its feet.
        filter: The safety filter.
        time: Since the last restart [s].
        heights: Of the base after each tick [m].
        margins: Of the capture point inside the support at each tick [m].
        cpu: CPU time of each decision [s].
        reasons: All that verdicts gave.
    """

    def __init__(self, robot: RobotModel, balance: BalanceConfig | None = None) -> None:
        """Build simulation and filter, and hang the robot on its gantry."""
        self._limits = SafetyConfig()
        self.simulation = Simulation(robot, SimConfig(base="floating"))
        self.balance_controller = BalanceController(robot, self._limits, balance)
        self._robot, self._standing, self._still = robot, StabilityMonitor(robot), np.zeros(len(robot.layout))
        self._steps = round(1.0 / (self._limits.rate * self.simulation.config.timestep))
        self.restart()

    def restart(self) -> None:
        """Hang the robot up again, with a new filter."""
        self.simulation.reset(0)
        self.filter = SafetyFilter(self._robot, self._limits, balance=self.balance_controller)
        self.time = 0.0
        self.heights: list[float] = []
        self.margins: list[float] = []
        self.cpu: list[float] = []
        self.reasons: set[str] = set()

    def run(self, seconds: float, motion: Motion | None, alarms: tuple[str, ...] = ()) -> Verdict:
        """Let time pass; return the last verdict.

        Args:
            seconds: How long, at least a tick [s].
            motion: What is wished for; None for nothing.
            alarms: Causes of stops that last meanwhile.
        """
        for _ in range(max(round(seconds * self._limits.rate), 1)):
            verdict = self._tick(motion, alarms)
        return verdict

    def _tick(self, motion: Motion | None, alarms: tuple[str, ...]) -> Verdict:
        joints, base, now = self.simulation.joint_state(), self.simulation.base(), self.simulation.time
        target, stands = None, self._standing.look(joints, base)
        if motion is not None:
            wanted = JointCommand(now, motion(self.time), self._still, self._still, self._robot.stiffness, self._robot.damping)
            target = Received(wanted, now)
        before = time.thread_time()
        verdict = self.filter.step(joints, target, now, SafetyInputs(alarms, stands, base))
        self.cpu.append(time.thread_time() - before)
        if verdict.command is not None:
            self.simulation.command(verdict.command)
        self.simulation.step(self._steps)
        self.time += 1.0 / self._limits.rate
        self.heights.append(float(self.simulation.base().position[2]))
        self.margins.append(stands.margin)
        self.reasons |= set(verdict.reasons)
        return verdict


def swinging(robot: RobotModel) -> Motion:
    """Return a motion of shoulders and elbows by 0.6 rad at 0.6 Hz, the arms out of step.

    The legs' target is the rest posture, as from a source that knows hands alone.
    """
    moved = [i for i, name in enumerate(robot.layout.names) if "shoulder_pitch" in name or "elbow" in name]
    side = np.array([1.0 if "left" in robot.layout.names[i] else -1.0 for i in moved])

    def at(seconds: float) -> FloatArray:
        position = np.array(robot.rest)
        position[moved] += 0.6 * min(seconds, 1.0) * side * np.sin(2.0 * np.pi * 0.6 * seconds)
        return position

    return at
