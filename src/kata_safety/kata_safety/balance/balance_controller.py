# SPDX-License-Identifier: Apache-2.0
"""A robot on its own feet, as the safety filter sees it."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.base_motion import BaseMotion
from kata_model.joints import JointState
from kata_model.robot import RobotModel
from kata_safety.balance.com_controller import ComController
from kata_safety.balance.config import BalanceConfig
from kata_safety.balance.constraints import BalanceConstraints
from kata_safety.balance.floating_body import FloatingBody
from kata_safety.balance.postures import load_postures, standing_height
from kata_safety.balance.standing_controller import Posture, StandingController
from kata_safety.balance.support_polygon import SupportPolygon
from kata_safety.config import SafetyConfig
from kata_safety.qp.motion import Commanded, FilteredStep
from kata_safety.qp.qp_filter import QPFilter
from kata_safety.qp.shapes import Shapes, load_shapes
from kata_safety.state import BalanceMemory

__all__ = ["BalanceController"]

_LOW = 0.02
"""Height of the base over the safe posture's from which on a retreat has arrived [m]."""

_SHY = 0.05
"""Distance from a leg joint's end over which the balance loses its say in what pushes the joint there [rad]."""

_BRAKING = 100.0
"""Deceleration that a leg's drive manages with ease [rad/s²]: where the joint could stop is what counts as its distance."""


class BalanceController:
    """Keeps a robot on its feet: constraints on what is commanded, a controller for what is measured."""

    def __init__(self, robot: RobotModel, limits: SafetyConfig, config: BalanceConfig | None = None) -> None:
        """Prepare for a robot.

        Raises:
            ConfigError: The robot has no retargeting table, which says where its soles are.
            RobotError: Its postures are unusable, or a leg has not six joints.
        """
        config = config or BalanceConfig()
        body = FloatingBody(robot)
        self._robot, self.body, self._period = robot, body, 1.0 / limits.rate
        postures = load_postures(robot)
        self.safe_posture = postures.squat
        self.constraints = BalanceConstraints(body, limits, config)
        self.qp_filter = QPFilter(robot, _closer(load_shapes(robot), postures.closer), limits, self.constraints)
        self._fastest = float(self.qp_filter.limits.velocity[body.legs].min())
        self._stance = ComController(body, standing_height(robot, postures.standing), config)
        self._low = SupportPolygon(body, robot.rest).wish(self.safe_posture)[0] + _LOW
        self._controller = StandingController(body, config)
        self._tracking = np.full(len(robot.layout), limits.max_tracking_error)
        self._tracking[body.legs] = config.leg_tracking_error
        self._pull, self._drag = robot.stiffness[body.legs], robot.damping[body.legs]
        self._ends = robot.lower[body.legs], robot.upper[body.legs]

    @property
    def tracking(self) -> FloatArray:
        """Largest distance of command and measurement that is no fault, shape (n,), [rad]."""
        return self._tracking

    def lead(self, at: Commanded, wanted: FloatArray, goal: FloatArray, cap: float) -> FloatArray:
        """Return a desired velocity that the legs can follow, [rad/s]; arguments as in `ComController`."""
        soles, posture = self.constraints.soles(at.stance), self.constraints.posture(at)
        return self._stance.lead(soles, posture, wanted, goal, min(cap, self._fastest))

    def arrived(self, at: Commanded, tolerance: float) -> bool:
        """Return whether a commanded posture is the safe one: the base as low, the other joints within a tolerance [rad]."""
        apart = np.abs(at.position - self.safe_posture)[self.body.upper]
        return bool(apart.max(initial=0.0) <= tolerance and self.constraints.posture(at).height <= self._low)

    def effort(
        self, memory: BalanceMemory, step: FilteredStep, measured: JointState | None, base: BaseMotion | None
    ) -> tuple[FloatArray, BalanceMemory]:
        """Return feed-forward efforts that keep the balance, shape (n,), [N·m], and what to remember of them.

        The legs' drives pull towards the commanded posture; the controller wants certain efforts in all. What the drives
        will add at the measured state is therefore taken off, but not from a joint on its way to its end: a leg that lost
        the floor would drift there. Without a measurement the last efforts stay, and without a first one they are those
        of the commanded motion.

        Args:
            memory: Of the last command.
            step: What is commanded.
            measured: Joints, None if not known.
            base: Base, None if not known.
        """
        acceleration = (step.velocity - memory.velocity) / self._period
        if measured is None or base is None or not _finite(measured, base):
            return step.effort if memory.effort is None else memory.effort, BalanceMemory(step.velocity, memory.effort)
        posture = Posture(step.position, step.velocity, acceleration)
        effort = self._controller.efforts(posture, measured, base).effort
        legs = self.body.legs
        apart, slower = step.position - measured.position, step.velocity - measured.velocity
        effort[legs] -= self._pull * apart[legs] + self._drag * slower[legs]
        effort[legs] = self._shy(effort[legs], measured.position[legs], measured.velocity[legs])
        return effort, BalanceMemory(step.velocity, effort)

    def _shy(self, effort: FloatArray, position: FloatArray, velocity: FloatArray) -> FloatArray:
        """Return the legs' efforts without what would push a joint onto its end, shape (legs,) each."""
        stop = position + velocity * np.abs(velocity) / (2.0 * _BRAKING)
        left = np.where(effort < 0.0, stop - self._ends[0], self._ends[1] - stop)
        shied: FloatArray = effort * np.clip(left / _SHY, 0.0, 1.0)
        return shied


def _finite(joints: JointState, base: BaseMotion) -> bool:
    values = (joints.position, joints.velocity, base.position, base.orientation_xyzw, base.linear_velocity, base.angular_velocity)
    return bool(np.isfinite(np.concatenate(values)).all() and base.orientation_xyzw @ base.orientation_xyzw > 0.25)


def _closer(shapes: Shapes, closer: Mapping[int, float]) -> Shapes:
    """Return shapes whose pairs of the base and of the link behind a joint may be nearer, by joint index [m]."""

    def less(first: int, second: int) -> float:
        bodies = sorted((shapes.capsules[first].body, shapes.capsules[second].body))
        return closer.get(bodies[1] - 1, 0.0) if bodies[0] == 0 else 0.0

    gaps = (gap if gap.border else gap._replace(clearance=gap.clearance - less(gap.first, gap.second)) for gap in shapes.gaps)
    return replace(shapes, gaps=tuple(gaps))
