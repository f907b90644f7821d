# SPDX-License-Identifier: Apache-2.0
"""The step that keeps every limit: the wish, the nearest admissible velocity, or the brake.

A step is taken only with a certificate: the path that brakes from its end to rest keeps every limit. If none
is found, the robot brakes, which the last certificate allows (docs/safety.md has the proof).
"""

from typing import NamedTuple

import daqp
import numpy as np
import pinocchio as pin
from numpy.typing import NDArray

from kata_core.arrays import FloatArray
from kata_core.robot import RobotModel
from kata_core.safety.braking import follow_to_rest, new_braking_path
from kata_core.safety.config import SafetyConfig
from kata_core.safety.limits import Box, JointLimits
from kata_core.safety.plant import make_plant, new_scratch
from kata_core.safety.shapes import Shapes
from kata_core.safety.survey import new_survey, survey
from kata_core.verdict import JointFlag, Reason

__all__ = ["Guard", "GuardedStep", "Wish"]

SLACK = 1e-9
"""Rounding that a check forgives [m, N·m]."""

BETWEEN = 0.002
"""How much less than its margin a separation may be between two ticks, by a bound that is loose: asking for the
whole margin there would forbid every motion along an obstacle at the margin [m]."""

CREEP = 1e-6
"""How much parts that are too near may close in a tick by rounding and curvature [m]."""

_SOFT = 8
"""daqp's mark of a constraint that may be violated if necessary."""

CUSHION = 0.005
"""Distance beyond its margin at which a separation is already asked not to close [m]: else a motion along an
obstacle would fail its certificate, brake and start again."""

FEASIBLE = 0.95
"""Share of the effort limit that the program aims at: it takes inertia and weight from the tick's beginning."""


class Wish(NamedTuple):
    """What is wanted of a tick.

    Attributes:
        velocity: Shape (n,), [rad/s], finite.
        cap: Velocity limit of all joints beside their own [rad/s].
    """

    velocity: FloatArray
    cap: float = np.inf


class GuardedStep(NamedTuple):
    """What is admitted.

    Attributes:
        position: Shape (n,), [rad].
        velocity: Shape (n,), [rad/s].
        effort: Efforts of this motion, shape (n,), [N·m].
        flags: `JointFlag` bits of the limits that acted, shape (n,), uint8.
        reasons: Names from `Reason` that flags do not tell.
    """

    position: FloatArray
    velocity: FloatArray
    effort: FloatArray
    flags: NDArray[np.uint8]
    reasons: tuple[str, ...]


class Guard:
    """Moves a commanded position in ticks, within position, velocity, acceleration and effort limits and apart from obstacles."""

    def __init__(self, robot: RobotModel, shapes: Shapes, config: SafetyConfig) -> None:
        """Prepare for a robot; compiles the kernels on the first run on a machine."""
        self.limits = JointLimits.of(robot, config)
        self._config = config
        self._plant = make_plant(robot, shapes)
        self._scratch, self._path, self._survey = new_scratch(self._plant), new_braking_path(self._plant), new_survey(self._plant)
        self._model, self._data = robot.pinocchio, robot.pinocchio.createData()
        self._margin = np.where(self._plant.border, config.workspace_margin, config.collision_margin)
        self._near = float(self._margin.max(initial=0.0)) + 0.001
        self._most = config.effort_scale * robot.max_effort
        self._change, self._period = self.limits.change, self.limits.period
        self._identity = np.eye(len(robot.layout))
        self.constraints = 6 * len(robot.layout) + len(self._margin)
        """Inequalities that every tick keeps: two each of position, velocity and effort limits, and the separations."""
        self.pairs = self._plant.gaps
        """Pairs of capsules among them."""
        self.place(robot.rest, np.zeros(len(robot.layout)))
        self.step(Wish(np.full(len(robot.layout), 0.1)))
        self.place(robot.rest, np.zeros(len(robot.layout)))

    def place(self, position: FloatArray, velocity: FloatArray) -> None:
        """Start anew from any state, certified or not; position in [rad], velocity in [rad/s], shape (n,), finite."""
        self.position, self.velocity = position, velocity
        self._proven = False
        self._loose = np.zeros(len(self._margin), dtype=bool)
        self._floor, self._ceiling = self._margin, self._most

    def brake(self) -> FloatArray:
        """Return the velocity of a tick of braking, shape (n,), [rad/s]."""
        slower: FloatArray = self.velocity - np.clip(self.velocity, -self._change, self._change)
        return slower

    def halt(self) -> GuardedStep:
        """Brake; a joint outside its limits is led back in."""
        box = self.limits.box(self.position, self.velocity, np.zeros_like(self.velocity))
        bounded = np.clip(0.0, box.low, box.high)
        self._look(bounded, box, recovery=0.0)
        self._relax()
        return self._certified(bounded, box.flags, ())

    def step(self, wish: Wish) -> GuardedStep:
        """Take the tick that is nearest to a wish."""
        box = self.limits.box(self.position, self.velocity, wish.velocity, wish.cap)
        bounded = np.clip(wish.velocity, box.low, box.high)
        count = self._look(bounded, box, self._config.recovery_speed)
        self._relax()
        flags = box.flags
        blocked = self._survey.row[:count] @ bounded < self._survey.least[:count] - SLACK
        weak = np.abs(self._survey.effort) > self._ceiling + SLACK
        found: FloatArray | None = bounded
        if blocked.any() or weak.any():
            flags = flags | (JointFlag.EFFORT * weak).astype(np.uint8)
            flags |= (JointFlag.COLLISION * (np.abs(self._survey.row[:count][blocked]) > 1e-6).any(axis=0)).astype(np.uint8)
            found = self._nearest(bounded, np.stack((box.low, box.high)), count)
        hit = self._survey.which[:count][blocked]
        return self._certified(found, flags, self._reasons(hit))

    def _look(self, bounded: FloatArray, box: Box, recovery: float) -> int:
        """Survey the surroundings; return the number of constraints that could act."""
        state, bounds = np.stack((self.position, self.velocity, bounded)), np.stack((box.low, box.high))
        gain = self._config.approach_gain
        margin, change, period = self._margin + CUSHION, self._change, self._period
        return survey(self._plant, self._scratch, self._survey, state, bounds, margin, gain, recovery, period, change)

    def _relax(self) -> None:
        """From a state without certificate, ask no more than braking can give; else ask for everything.

        Separations that braking cannot keep must at least not shrink from tick to tick.
        """
        if self._proven:
            return
        self._try(self.brake())
        self._loose = self._too_near()
        self._floor = np.minimum(self._margin, self._path.ticks)
        self._ceiling = np.maximum(self._most, self._path.effort + SLACK)
        self._proven = bool(not self._loose.any() and (self._ceiling == self._most).all())

    def _try(self, velocity: FloatArray) -> bool:
        """Return whether a step with a velocity, and braking after it, keeps every limit."""
        state = np.stack((self.position, self.velocity, velocity))
        follow_to_rest(self._plant, self._scratch, self._path, state, self._survey.apart, self._change, self._period, self._near)
        return bool(not self._near_misses().any() and (self._path.effort <= self._ceiling + SLACK).all())

    def _near_misses(self) -> NDArray[np.bool_]:
        """Return which separations the path tried last does not keep, shape (m,)."""
        near = self._too_near()
        return near if self._proven else np.where(self._loose, self._path.ticks < self._floor - CREEP, near)

    def _too_near(self) -> NDArray[np.bool_]:
        near: NDArray[np.bool_] = self._path.ticks < self._margin - SLACK
        return near | (self._path.nearest < self._margin - BETWEEN)

    def _nearest(self, wanted: FloatArray, box: FloatArray, count: int) -> FloatArray | None:
        """Return the velocity nearest to the wanted one under all constraints, None if there is none.

        Efforts are linear in the velocity: M (u − v) / T + h, with h from the efforts of the wanted velocity.
        """
        upper = np.triu(pin.crba(self._model, self._data, self.position))
        inertia = upper + np.triu(upper, 1).T + np.diag(self._plant.armature)
        middle = inertia @ wanted - self._period * self._survey.effort
        most = FEASIBLE * self._period * self._ceiling
        gradient, least = self._survey.row[:count], self._survey.least[:count]
        apart = least > 0.0  # parts that are too near: they must not close, and should open if they can
        rows = np.concatenate([inertia, gradient, gradient[apart]])
        low = np.concatenate([box[0], middle - most, np.minimum(least, 0.0), least[apart]])
        high = np.concatenate([box[1], middle + most, np.full(len(rows) - len(middle), 1e30)])
        sense = np.zeros(len(low), dtype=np.int32)
        sense[len(low) - int(apart.sum()) :] = _SOFT
        found, _, code, _ = daqp.solve(self._identity, -wanted, rows, high, low, sense, iter_limit=200)
        return np.clip(found, box[0], box[1]) if code in (1, 2) and np.isfinite(found).all() else None

    def _certified(self, found: FloatArray | None, flags: NDArray[np.uint8], reasons: tuple[str, ...]) -> GuardedStep:
        """Take a velocity, or a share of the way there from the brake, if braking stays possible after it; else brake."""
        brake = self.brake()
        shares = (1.0, 0.5) if self._proven else (1.0, 0.5, 0.2, 0.05)  # slower motion bends less
        for share in shares:
            if found is None:
                continue
            chosen = brake + share * (found - brake)
            if self._try(chosen):
                break
            flags, reasons = flags | self._weak(), reasons or self._failed()
        else:
            chosen = brake
            self._try(chosen)
        self.position, self.velocity = self.position + self._period * chosen, chosen
        limits, at = self.limits, self.position
        beyond = (at < limits.lower - SLACK) | (at > limits.upper + SLACK)
        if not self._proven or beyond.any():
            reasons = (*reasons, *(() if Reason.OUTSIDE in reasons else (Reason.OUTSIDE,)))
        return GuardedStep(self.position, self.velocity, self._path.first_effort.copy(), flags, reasons)

    def _weak(self) -> NDArray[np.uint8]:
        return (JointFlag.EFFORT * (self._path.effort > self._ceiling + SLACK)).astype(np.uint8)

    def _failed(self) -> tuple[str, ...]:
        return self._reasons(np.flatnonzero(self._near_misses()))

    def _reasons(self, separations: NDArray[np.int64]) -> tuple[str, ...]:
        if not len(separations):
            return ()
        border = self._plant.border[separations]
        named = ((Reason.SELF_COLLISION, not border.all()), (Reason.WORKSPACE, border.any()))
        return tuple(name for name, acted in named if acted)
