# SPDX-License-Identifier: Apache-2.0
"""How much of each limit a motion uses: a share by joint and sample, 1 at the limit, more beyond it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.kinematics.tree import forward
from kata_model.robot import RobotModel
from kata_safety import JointLimits, SafetyConfig, load_shapes
from kata_safety.check.motion import Motion
from kata_safety.qp.dynamics_model import make_dynamics_model, new_scratch
from kata_safety.qp.efforts import inverse_dynamics
from kata_safety.qp.separation import place, separations

__all__ = ["KINDS", "Usage", "UsageMeter"]

KINDS = ("position", "velocity", "acceleration", "effort", "collision")

_NEAR = 0.2
"""Separations beyond this use nothing of their limit [m]."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Shares of limits at N samples of n joints.

    Attributes:
        share: By kind of limit, shape (N, n). Position: distance from the middle of the range over half of the range.
            Collision: margin / (margin + distance) of the nearest pair that the joint moves, 1 where two parts touch and
            above 1 by their overlap in margins. Others: size over limit.
        apart: Least distance of two parts that must stay apart, shape (N,), [m].
    """

    share: Mapping[str, FloatArray]
    apart: FloatArray

    @property
    def risk(self) -> FloatArray:
        """Return the largest share of any kind, shape (N, n)."""
        worst: FloatArray = np.max([self.share[kind] for kind in KINDS], axis=0)
        return worst


class UsageMeter:
    """Measures motions of one robot; limits are the robot's own, acceleration the filter's, for a URDF has none."""

    def __init__(self, robot: RobotModel, config: SafetyConfig) -> None:
        """Prepare; compiles the kernels on the first run on a machine."""
        self._robot = robot
        self._acceleration = np.asarray(JointLimits.of(robot, config).acceleration)
        self._margin = max(config.collision_margin, 1e-3)
        self._plant = make_dynamics_model(robot, load_shapes(robot))
        self._scratch = new_scratch(self._plant)
        self._moves = self._plant.reach > 0.0
        self._gaps = np.zeros(len(self._plant.first))

    def measure(self, motion: Motion) -> Usage:
        """Return what a motion uses; efforts are those of a robot whose base is handle."""
        robot, velocity, acceleration = self._robot, motion.velocity(), motion.acceleration()
        middle, half = (robot.lower + robot.upper) / 2.0, (robot.upper - robot.lower) / 2.0
        effort, near, apart = np.empty_like(velocity), np.empty_like(velocity), np.empty(len(motion))
        for i, position in enumerate(motion.position):
            effort[i], near[i], apart[i] = self._look(position, velocity[i], acceleration[i])
        share = {
            "position": np.abs(motion.position - middle) / half,
            "velocity": np.abs(velocity) / robot.max_velocity,
            "acceleration": np.abs(acceleration) / self._acceleration,
            "effort": np.abs(effort) / robot.max_effort,
            "collision": near,
        }
        return Usage(share, apart)

    def _look(self, position: FloatArray, velocity: FloatArray, acceleration: FloatArray) -> tuple[FloatArray, FloatArray, float]:
        """Return efforts, shape (n,), [N·m], shares of collision, shape (n,), and the least separation [m]."""
        forward(self._plant.tree, np.ascontiguousarray(position), self._scratch.pose)
        inverse_dynamics(self._plant, self._scratch, velocity, acceleration)
        place(self._plant, self._scratch)
        separations(self._plant, self._scratch, self._gaps)
        rows = np.flatnonzero(self._gaps < _NEAR)
        nearest = np.where(self._moves[rows], self._gaps[rows, None], np.inf).min(axis=0, initial=np.inf)
        margin = self._margin
        share = np.where(nearest >= 0.0, margin / (margin + np.maximum(nearest, 0.0)), 1.0 - nearest / margin)
        return self._scratch.effort.copy(), share, float(self._gaps.min(initial=np.inf))

    def overlap(self, share: float) -> float:
        """Return the overlap that a share of collision means [m], negative where parts are apart."""
        return (share - 1.0) * self._margin if share > 1.0 else -self._margin * (1.0 / share - 1.0)
