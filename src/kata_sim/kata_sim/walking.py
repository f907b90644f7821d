# SPDX-License-Identifier: Apache-2.0
"""Walking: a free robot that is told velocities and pushed, at 50 Hz, until it falls or time is up."""

from dataclasses import dataclass

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.config.params import param
from kata_model.joints import JointCommand, JointState
from kata_model.robot import RobotModel
from kata_sim.config import SimConfig
from kata_sim.simulation import Simulation

__all__ = ["Stride", "WalkConfig", "WalkScene"]

_FALLEN_TILT = 1.0
"""Tilt of the base beyond which the robot has fallen [rad]."""
_FALLEN_HEIGHT = 0.6
"""Height of the base, as a share of that at rest, below which it has."""


@dataclass(frozen=True)
class WalkConfig:
    """What is asked of a walking robot."""

    rate: float = param(50.0, unit="Hz", low=10.0, high=500.0, doc="Rate of decisions.")
    forward: float = param(0.8, unit="m/s", low=0.0, high=2.0, doc="Fastest commanded speed forward.")
    sideways: float = param(0.3, unit="m/s", low=0.0, high=2.0, doc="Fastest to either side.")
    turn: float = param(0.5, unit="rad/s", low=0.0, high=2.0, doc="Fastest turn.")
    change: float = param(3.0, unit="s", low=0.5, high=100.0, doc="Time between two commands.")
    push: float = param(0.0, unit="N*s", low=0.0, high=100.0, doc="Impulse of each push, in a random direction; 0 is never.")
    push_every: float = param(2.0, unit="s", low=0.5, high=100.0, doc="Time between two pushes.")


@dataclass(frozen=True, slots=True)
class Stride:
    """What a walking robot senses at one step.

    Attributes:
        joints: Measured joints.
        gravity: Direction of gravity in the base's frame, shape (3,).
        turning: Angular velocity of the base in its own frame, shape (3,), [rad/s].
        command: Wanted velocity forward and to the left [m/s] and wanted turn [rad/s], shape (3,).
    """

    joints: JointState
    gravity: FloatArray
    turning: FloatArray
    command: FloatArray


class WalkScene:
    """A robot on a plane.

    Args:
        robot: The robot.
        config: What is asked of it.

    Raises:
        RobotError: MuJoCo cannot use the robot's description.
    """

    def __init__(self, robot: RobotModel, config: WalkConfig) -> None:
        """Build the scene."""
        self.robot, self.config = robot, config
        self.simulation = Simulation(robot, SimConfig(base="floating"))
        self._steps = round(1.0 / (config.rate * self.simulation.config.timestep))
        self._rng = np.random.default_rng(0)
        self._count, self._command = 0, np.zeros(3)

    def reset(self, seed: int | list[int], position: FloatArray, height: float) -> Stride:
        """Stand the robot on its feet and begin anew.

        Args:
            seed: Of commands and pushes.
            position: Of the joints, shape (n,), [rad].
            height: Of the base over the floor [m].
        """
        self._rng, self._count = np.random.default_rng(seed), 0
        self.simulation.reset(seed)
        self.simulation.stand(position, height)
        self._draw()
        return self.sense()

    def step(self, command: JointCommand) -> Stride:
        """Let a step's time pass under a command, and return what is sensed then."""
        self._count += 1
        if self._count % round(self.config.rate * self.config.change) == 0:
            self._draw()
        if self.config.push and self._count % round(self.config.rate * self.config.push_every) == 0:
            way = self._rng.uniform(0.0, 2.0 * np.pi)
            self.simulation.push(self.config.push * np.array([np.cos(way), np.sin(way), 0.0]))
        self.simulation.command(command)
        self.simulation.step(self._steps)
        return self.sense()

    def sense(self) -> Stride:
        """Return what is sensed now."""
        base = self.simulation.base()
        x, y, z, w = base.orientation_xyzw
        down = np.array([2.0 * (w * y - x * z), -2.0 * (y * z + w * x), 2.0 * (x * x + y * y) - 1.0])
        return Stride(self.simulation.joint_state(), down, base.angular_velocity, self._command)

    @property
    def fallen(self) -> bool:
        """Whether the robot lies, or is about to."""
        low = self.simulation.base().position[2] < _FALLEN_HEIGHT * self.robot.description.base_height
        return bool(low) or not self.sense().gravity[2] < -np.cos(_FALLEN_TILT)

    def _draw(self) -> None:
        c = self.config
        self._command = self._rng.uniform([0.0, -c.sideways, -c.turn], [c.forward, c.sideways, c.turn])
