# SPDX-License-Identifier: Apache-2.0
"""The guard of a robot on its feet: soles planted, capture point inside, base upright, legs strong enough.

All of it are rows of the safety filter's one program, and conditions of its certificate, beside those of a held robot.
"""

from dataclasses import replace

import numpy as np
import pinocchio as pin

from kata_model.arrays import FloatArray
from kata_model.verdict import JointFlag, Reason
from kata_safety.balance.config import BalanceConfig
from kata_safety.balance.contact_efforts import ContactEfforts
from kata_safety.balance.floating_body import FloatingBody
from kata_safety.balance.path_balance import ground_of, legs_on_path, room_on_path
from kata_safety.balance.planted import Planted, PlantedSoles
from kata_safety.config import SafetyConfig
from kata_safety.guard.guard import Guard, GuardedStep, Wish
from kata_safety.guard.program import FEASIBLE, confine
from kata_safety.guard.quadratic_program import EQUAL, SOFT, UNBOUNDED, solve
from kata_safety.guard.shapes import Shapes
from kata_safety.limits import JointLimits
from kata_safety.stops.stability import GRAVITY, hull

__all__ = ["PlantedGuard"]

_LOOKS = 8
"""How often the braking path is looked at, evenly in its ticks."""
_BETWEEN = 0.003
"""How much nearer to the edge than its margin the path may come: it bends between looks [m]."""
_CREEP = 1e-6
"""How much worse than in braking a state without certificate may become in a tick, by rounding."""


class PlantedGuard(Guard):
    """Keeps, beside a guard's limits, the balance of the commanded motion on planted soles."""

    _extra_rows = 64
    _always_solves = True
    _closes = True
    """Whether the soles may not move against each other."""

    def __init__(
        self, body: FloatingBody, soles: PlantedSoles, shapes: Shapes, limits: SafetyConfig, config: BalanceConfig
    ) -> None:
        """Prepare for a robot.

        Args:
            body: The robot.
            soles: Where its soles stand; begun anew wherever the guard is placed.
            shapes: What must stay apart.
            limits: Of the joints.
            config: Of balance.
        """
        self._body, self._soles, self._balance = body, soles, config
        self._contact, self._acts = ContactEfforts(body), False
        self._strength = limits.effort_scale * body.robot.max_effort[body.legs]
        self._weak_legs = np.zeros(len(body.robot.layout), dtype=bool)
        self._cost = _cost(body, config)
        super().__init__(body.robot, shapes, limits)
        self._obey(_gentle(self.limits, body, limits, config))
        self._most = np.array(self._most)
        self._most[body.legs] = np.inf  # a held robot's legs carry nothing: theirs are rows of their own
        self.constraints += len(self._least) + 6
        self.place(body.robot.rest, np.zeros(len(body.robot.layout)))

    def place(self, position: FloatArray, velocity: FloatArray) -> None:
        """Start anew from any state on the soles as they are; arguments as in `Guard`."""
        super().place(position, velocity)
        self._soles.begin(self.position)
        self._seen: tuple[FloatArray, Planted] | None = None
        outline = hull(self._soles.corners)
        edges = np.roll(outline, -1, axis=0) - outline
        normals = np.column_stack([-edges[:, 1], edges[:, 0]]) / np.linalg.norm(edges, axis=1, keepdims=True)
        self._ground = ground_of(self._body, normals, (normals * outline).sum(axis=1))
        self._loose = np.append(np.full(len(edges), _BETWEEN), 0.0)
        self._least = np.append(np.full(len(edges), self._balance.support_margin), np.cos(self._balance.max_lean))
        self._floor, self._ceiling = self._least.copy(), self._strength.copy()

    def step(self, wish: Wish) -> GuardedStep:
        """Take the tick that is nearest to a wish."""
        self._prepare()
        return self._named(super().step(wish))

    def halt(self) -> GuardedStep:
        """Brake; a joint outside its limits is led back in."""
        self._prepare()
        return self._named(super().halt())

    @property
    def at(self) -> Planted:
        """What the commanded posture means."""
        if self._seen is None or self._seen[0] is not self.position:
            self._seen = (self.position, self._soles.look(self.position))
        return self._seen[1]

    def _prepare(self) -> None:
        self._before, self._acts, self._weak_legs[:] = self.velocity, False, False
        self._efforts = self._contact.at(self.at, self.position, self.velocity)

    def _named(self, step: GuardedStep) -> GuardedStep:
        acceleration = (step.velocity - self._before) / self._period
        effort = self._efforts.slope @ acceleration + self._efforts.offset
        flags = step.flags | (JointFlag.EFFORT * self._weak_legs).astype(np.uint8)
        reasons = (*step.reasons, *((Reason.BALANCE,) if self._acts else ()))
        return GuardedStep(step.position, step.velocity, effort, flags, reasons)

    def _relax(self) -> bool:
        """From a state without certificate, ask of balance, too, no more than braking can give."""
        if self._proven:
            return False
        acts, weak = self._acts, self._weak_legs.copy()
        changed = super()._relax()
        self._acts, self._weak_legs = acts, weak  # braking is what there is, not what was wished for
        room, load = self._path_room(), self._path_load()
        self._floor = np.minimum(self._least, room + self._loose)
        self._ceiling = np.maximum(self._strength, load + _CREEP)
        balanced = bool((self._floor == self._least).all() and (self._ceiling == self._strength).all())
        self._proven = balanced and bool(self._proven)
        return changed

    def _also_keeps(self) -> bool:
        room, load = self._path_room(), self._path_load()
        kept, strong = bool((room >= self._floor - self._loose - _CREEP).all()), load <= self._ceiling + _CREEP
        self._acts = self._acts or not kept
        self._weak_legs[self._body.legs] |= ~strong
        return kept and bool(strong.all())

    def _path_room(self) -> FloatArray:
        """Return how far inside each edge the capture point stays on the path [m], and the least cosine of the base's tilt."""
        ticks, room = int(self._path.length[0]), np.full(len(self._ground.start) + 1, -np.inf)
        if 0 < ticks <= len(self._path.course):
            room_on_path(self._held, self._ground, ticks, _LOOKS, room)
        return room

    def _path_load(self) -> FloatArray:
        """Return the legs' largest efforts on the path and at its end, at rest, shape (legs,), [N·m].

        On the path, inertia and weight are taken as where it begins: a path is short, and its legs are slow.
        """
        ticks, legs = int(self._path.length[0]), self._body.legs
        load = np.full(len(legs), np.inf)
        if 0 < ticks <= len(self._path.course):
            legs_on_path(self._held, self._before, self._efforts.slope[legs], self._efforts.offset[legs], ticks, load)
            load = np.maximum(load, np.abs(self._contact.rest(self._path.course[ticks - 1, 0])[legs]))
        return load

    def _nearest(self, rows: int) -> FloatArray | None:
        """Return the velocity nearest to the wanted one under all constraints, None if there is none; legs yield last."""
        rows = self._append_rows(rows)
        self._program.slope[:] = -self._cost * self._survey.wanted
        found = solve(self._program, np.diag(self._cost), rows)
        return found if found is not None and confine(found, self._survey.box) else None

    def _append_rows(self, used: int) -> int:
        """Append closure of the legs, capture point, tilt and the legs' efforts."""
        at, gain = self.at, self._balance.stance_gain
        if self._closes:
            used = self._rows(used, at.closure, gain * at.gap, gain * at.gap, EQUAL)
        return self._strength_rows(self._balance_rows(used, at))

    def _balance_rows(self, used: int, at: Planted) -> int:
        """Append that capture point and tilt stay inside, or come back."""
        edges = self._ground.edges
        inside = edges @ at.com[:2] - self._ground.start - self._least[:-1]
        rate = np.sqrt(GRAVITY / max(at.com[2], 0.1))  # this gain keeps the capture point itself inside
        asked = np.append(-rate * inside, -self._balance.stance_gain * (at.up[2] - self._least[-1]))
        rows = np.vstack([edges @ at.com_rate[:2], at.up_rate[2]])
        self._acts = self._acts or bool((rows @ self._survey.wanted < asked - 1e-9).any())
        used = self._rows(used, rows, np.minimum(asked, 0.0), UNBOUNDED, 0)
        lost = asked > 0.0
        if not lost.any():
            return used
        return self._rows(used, rows[lost], np.minimum(asked[lost], self._config.recovery_speed), UNBOUNDED, SOFT)

    def _strength_rows(self, used: int) -> int:
        """Append that the legs' motors bear the motion."""
        legs = self._body.legs
        slope, offset = self._efforts.slope[legs], self._efforts.offset[legs]
        middle, most = slope @ self.velocity - self._period * offset, FEASIBLE * self._period * self._ceiling
        self._weak_legs[legs] |= np.abs(slope @ self._survey.wanted - middle) > most
        return self._rows(used, slope, middle - most, middle + most, 0)

    def _rows(self, used: int, rows: FloatArray, low: FloatArray, high: FloatArray | float, sense: int) -> int:
        program, at, end = self._program, len(self._cost) + used, used + len(rows)
        program.rows[used:end] = rows
        program.low[at : at + len(rows)], program.high[at : at + len(rows)], program.sense[at : at + len(rows)] = low, high, sense
        return end


def _gentle(joints: JointLimits, body: FloatingBody, limits: SafetyConfig, config: BalanceConfig) -> JointLimits:
    """Return limits in which the legs brake no harder than the whole robot above them bears."""
    acceleration = joints.acceleration * np.ones(len(joints.lower))
    acceleration[body.legs] = np.minimum(acceleration[body.legs], config.leg_acceleration)
    velocity = np.minimum(joints.velocity, acceleration * limits.max_braking_time)
    return replace(joints, acceleration=acceleration, velocity=velocity)


def _cost(body: FloatingBody, config: BalanceConfig) -> FloatArray:
    """Return what a change of each joint's wish costs, shape (n,): as much as it carries, a leg's most of all.

    Else a hand that comes near the hip would move the trunk, and with it the centre of mass.
    """
    robot = body.robot
    carried = np.diag(pin.crba(robot.pinocchio, robot.pinocchio.createData(), np.array(robot.rest)))
    cost = np.maximum(1.0, carried / np.median(carried[body.upper]))
    cost[body.legs] = config.leg_cost * cost.max()
    return np.asarray(cost)
