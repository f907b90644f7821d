# SPDX-License-Identifier: Apache-2.0
"""Balance as parts of the QP filter: soles planted, capture point inside the support polygon, base upright, legs strong enough.

All of it are rows of the filter's quadratic program, and conditions of its certificate, beside those of a held robot.
"""

from dataclasses import replace

import numpy as np
import pinocchio as pin
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_model.verdict import JointFlag, Reason
from kata_safety.balance.config import BalanceConfig
from kata_safety.balance.contact_efforts import ContactEfforts
from kata_safety.balance.floating_body import FloatingBody
from kata_safety.balance.path_balance import Ground, ground_of, legs_on_path, room_on_path
from kata_safety.balance.support_polygon import SupportedPosture, SupportPolygon
from kata_safety.config import SafetyConfig
from kata_safety.limits import JointLimits
from kata_safety.qp.buffers import Buffers
from kata_safety.qp.handle import Handle
from kata_safety.qp.motion import Commanded, FilteredStep
from kata_safety.qp.qp_assembly import FEASIBLE
from kata_safety.qp.quadratic_program import EQUAL, SOFT, UNBOUNDED
from kata_safety.stops.stability import GRAVITY, hull

__all__ = ["BalanceConstraints", "BalanceTick"]

_EFFORT = np.uint8(JointFlag.EFFORT)

_LOOKS = 8
"""How often the braking path is looked at, evenly in its ticks."""
_BETWEEN = 0.003
"""How much nearer to the edge than its margin the path may come: it bends between looks [m]."""
_CREEP = 1e-6
"""How much worse than in braking a state without certificate may become in a tick, by rounding."""


class BalanceConstraints:
    """Keeps the balance of a commanded motion on planted soles; what it is told of, `kata_safety.qp.motion` says.

    What follows from a posture alone is kept until another one is asked for: it is the same, whoever asks.
    """

    rows = 64

    def __init__(self, body: FloatingBody, limits: SafetyConfig, config: BalanceConfig, *, closes: bool = True) -> None:
        """Prepare for a robot.

        Args:
            body: The robot.
            limits: Of the joints.
            config: Of balance.
            closes: Whether the soles may not move against each other.
        """
        self.body, self.config, self.closes, self.recovery = body, config, closes, limits.recovery_speed
        self.contact, self._braking_time = ContactEfforts(body), limits.max_braking_time
        self.strength = limits.effort_scale * body.robot.max_effort[body.legs]
        self.cost = _cost(body, config)
        self._soles: tuple[FloatArray, SupportPolygon] | None = None
        self._posture: tuple[FloatArray, FloatArray, SupportedPosture] | None = None
        self._stand(body.robot.rest)

    @property
    def count(self) -> int:
        """How many inequalities each tick keeps."""
        return len(self.least) + 6

    def limits(self, limits: JointLimits) -> JointLimits:
        """Return limits in which the legs brake no harder than the whole robot above them bears."""
        legs = self.body.legs
        acceleration = limits.acceleration * np.ones(len(limits.lower))
        acceleration[legs] = np.minimum(acceleration[legs], self.config.leg_acceleration)
        velocity = np.minimum(limits.velocity, acceleration * self._braking_time)
        return replace(limits, acceleration=acceleration, velocity=velocity)

    def effort(self, most: FloatArray) -> FloatArray:
        """Return efforts without bounds for the legs: a held robot's carry nothing, theirs are rows of their own."""
        free = np.array(most)
        free[self.body.legs] = np.inf
        return free

    def begin(self, at: Commanded, buffers: Buffers, handle: Handle[Buffers]) -> "BalanceTick":
        """Begin a tick."""
        return BalanceTick(self, at, buffers, handle)

    def soles(self, stance: FloatArray) -> SupportPolygon:
        """Return the soles as a posture has them, read-only and of shape (n,), [rad]."""
        if self._soles is None or self._soles[0] is not stance:
            self._stand(stance)
        assert self._soles is not None
        return self._soles[1]

    def posture(self, at: Commanded) -> SupportedPosture:
        """Return what a commanded posture means on its soles."""
        soles, known = self.soles(at.stance), self._posture
        if known is None or known[0] is not at.position or known[1] is not at.stance:
            known = self._posture = (at.position, at.stance, soles.look(at.position))
        return known[2]

    def _stand(self, stance: FloatArray) -> None:
        soles = SupportPolygon(self.body, stance)
        self._soles = (stance, soles)
        outline = hull(soles.corners)
        edges = np.roll(outline, -1, axis=0) - outline
        normals = np.column_stack([-edges[:, 1], edges[:, 0]]) / np.linalg.norm(edges, axis=1, keepdims=True)
        self.ground: Ground = ground_of(self.body, normals, (normals * outline).sum(axis=1))
        self.loose = np.append(np.full(len(edges), _BETWEEN), 0.0)
        self.least = np.append(np.full(len(edges), self.config.support_margin), np.cos(self.config.max_lean))


class BalanceTick:
    """What balance asks of one tick, and what of it acted."""

    def __init__(self, asked: BalanceConstraints, at: Commanded, buffers: Buffers, handle: Handle[Buffers]) -> None:
        """Look at the posture."""
        self._asked, self._at, self._buffers, self._handle = asked, at, buffers, handle
        self._planted = asked.posture(at)
        self._efforts = asked.contact.at(self._planted, at.position, at.velocity)
        self._floor, self._ceiling = asked.least, asked.strength
        self._acts, self._weak_legs = False, np.zeros(len(at.position), dtype=bool)

    def told(self, step: FilteredStep) -> FilteredStep:
        """Return a step with its efforts on the floor, and with what acted on it."""
        acceleration = (step.velocity - self._at.velocity) / self._buffers.period
        effort = self._efforts.slope @ acceleration + self._efforts.offset
        flags: NDArray[np.uint8] = step.flags | self._weak_legs * _EFFORT
        reasons = (*step.reasons, *((Reason.BALANCE,) if self._acts else ()))
        return FilteredStep(step.position, step.velocity, effort, flags, reasons)

    def relax(self) -> bool:
        """From a state without certificate, ask no more than braking can give; return whether that is everything."""
        asked, room, load = self._asked, self.path_room(), self._path_load()
        self._floor = np.minimum(asked.least, room + asked.loose)
        self._ceiling = np.maximum(asked.strength, load + _CREEP)
        return bool((self._floor == asked.least).all() and (self._ceiling == asked.strength).all())

    def keeps_path(self) -> bool:
        """Return whether the path just followed keeps balance and legs."""
        room, load = self.path_room(), self._path_load()
        kept, strong = bool((room >= self._floor - self._asked.loose - _CREEP).all()), load <= self._ceiling + _CREEP
        self._acts = self._acts or not kept
        self._weak_legs[self._asked.body.legs] |= ~strong
        return kept and bool(strong.all())

    def path_room(self) -> FloatArray:
        """Return how far inside each edge the capture point stays on the path [m], and the least cosine of the base's tilt."""
        path, ground = self._buffers.path, self._asked.ground
        ticks, room = int(path.length[0]), np.full(len(ground.start) + 1, -np.inf)
        if 0 < ticks <= len(path.course):
            room_on_path(self._handle, ground, ticks, _LOOKS, room)
        return room

    def _path_load(self) -> FloatArray:
        """Return the legs' largest efforts on the path and at its end, at rest, shape (legs,), [N·m].

        On the path, inertia and weight are taken as where it begins: a path is short, and its legs are slow.
        """
        path, legs, efforts = self._buffers.path, self._asked.body.legs, self._efforts
        ticks, load = int(path.length[0]), np.full(len(legs), np.inf)
        if 0 < ticks <= len(path.course):
            legs_on_path(self._handle, self._at.velocity, efforts.slope[legs], efforts.offset[legs], ticks, load)
            load = np.maximum(load, np.abs(self._asked.contact.rest(path.course[ticks - 1, 0])[legs]))
        return load

    def append_rows(self, used: int) -> int:
        """Append closure of the legs, capture point, tilt and the legs' efforts."""
        at, gain = self._planted, self._asked.config.stance_gain
        if self._asked.closes:
            used = self._rows(used, at.closure, gain * at.gap, gain * at.gap, EQUAL)
        return self._strength_rows(self._balance_rows(used, at))

    def _balance_rows(self, used: int, at: SupportedPosture) -> int:
        """Append that capture point and tilt stay inside, or come back."""
        asked, wanted = self._asked, self._buffers.linearised.wanted
        edges = asked.ground.edges
        inside = edges @ at.com[:2] - asked.ground.start - asked.least[:-1]
        rate = np.sqrt(GRAVITY / max(at.com[2], 0.1))  # this gain keeps the capture point itself inside
        least = np.append(-rate * inside, -asked.config.stance_gain * (at.up[2] - asked.least[-1]))
        rows = np.vstack([edges @ at.com_rate[:2], at.up_rate[2]])
        self._acts = self._acts or bool((rows @ wanted < least - 1e-9).any())
        used = self._rows(used, rows, np.minimum(least, 0.0), UNBOUNDED, 0)
        lost = least > 0.0
        if not lost.any():
            return used
        return self._rows(used, rows[lost], np.minimum(least[lost], asked.recovery), UNBOUNDED, SOFT)

    def _strength_rows(self, used: int) -> int:
        """Append that the legs' motors bear the motion."""
        legs, period = self._asked.body.legs, self._buffers.period
        slope, offset = self._efforts.slope[legs], self._efforts.offset[legs]
        middle, most = slope @ self._at.velocity - period * offset, FEASIBLE * period * self._ceiling
        self._weak_legs[legs] |= np.abs(slope @ self._buffers.linearised.wanted - middle) > most
        return self._rows(used, slope, middle - most, middle + most, 0)

    def _rows(self, used: int, rows: FloatArray, low: FloatArray, high: FloatArray | float, sense: int) -> int:
        program, end = self._buffers.program, used + len(rows)
        box = slice(len(program.slope) + used, len(program.slope) + end)
        program.rows[used:end] = rows
        program.low[box], program.high[box], program.sense[box] = low, high, sense
        return end


def _cost(body: FloatingBody, config: BalanceConfig) -> FloatArray:
    """Return what a change of each joint's desired velocity costs, shape (n,): as much as it carries, a leg's most of all.

    Else a hand that comes near the hip would move the trunk, and with it the centre of mass.
    """
    robot = body.robot
    carried = np.diag(pin.crba(robot.pinocchio, robot.pinocchio.createData(), np.array(robot.rest)))
    cost = np.maximum(1.0, carried / np.median(carried[body.upper]))
    cost[body.legs] = config.leg_cost * cost.max()
    return np.asarray(cost)
