# SPDX-License-Identifier: Apache-2.0
"""How the floor pushes a standing robot: the wrenches at its soles that serve best, by one small quadratic program.

The unknowns are the two soles' wrenches alone: what the base and the legs do follows from them, because six joints
carry each sole. So the program has 12 unknowns, and it always has a solution, since no force is one.
"""

from dataclasses import dataclass

import numpy as np

from kata_model.arrays import FloatArray
from kata_safety.balance.config import BalanceConfig
from kata_safety.balance.floating_body import BASE, Dynamics, FloatingBody, Foot
from kata_safety.qp.quadratic_program import SOFT, UNBOUNDED, empty_program, solve

__all__ = ["Asked", "Given", "SoleForces"]

_UP = np.array([0.0, 0.0, 9.81])
_TWIST_RADIUS = 0.03
"""A sole that slips about its middle drags its load at about this distance [m]."""
_REGULAR = 1e-6
"""Cost of a newton (or ten newton metres), against an acceleration that is not reached [1/kg²]."""
_DAMPED = 1e-4
"""Of the inverse of a leg's Jacobian: a straight leg cannot follow [m²]."""


@dataclass(frozen=True)
class Asked:
    """Accelerations that are wanted.

    Attributes:
        com: Of the centre of mass in the world, shape (3,), [m/s²].
        turn: Angular, of the base in its frame, shape (3,), [rad/s²].
        joints: Of all joints, shape (n,), [rad/s²]; those of the legs are not looked at.
        bears: Whether each sole is on the floor, shape (2,).
    """

    com: FloatArray
    turn: FloatArray
    joints: FloatArray
    bears: tuple[bool, bool]


@dataclass(frozen=True)
class Given:
    """What the floor and the motors give.

    Attributes:
        effort: Of all joints, shape (n,), [N·m].
        wrench: At the soles' middles in their axes, force then moment, shape (2, 6), [N], [N·m].
        acceleration: Generalised, shape (6 + n,).
        missing: Acceleration of the centre of mass that is not reached, shape (3,), [m/s²].
    """

    effort: FloatArray
    wrench: FloatArray
    acceleration: FloatArray
    missing: FloatArray


class SoleForces:
    """Solves for the soles' wrenches within friction and the soles' outlines."""

    def __init__(self, body: FloatingBody, config: BalanceConfig) -> None:
        """Prepare the constraints, which do not change."""
        self._body, self._config = body, config
        cones = [_cone(foot, config) for foot in body.feet]
        self._most = body.robot.max_effort[body.legs]
        first, self._cones = len(cones[0]), sum(map(len, cones))
        self._program = empty_program(12, self._cones + len(self._most))
        self._program.rows[:first, :6], self._program.rows[first : self._cones, 6:] = cones
        self._program.high[12 : 12 + self._cones] = UNBOUNDED
        self._program.sense[12 + self._cones :] = SOFT
        self._unit, self._damped = np.eye(BASE), _DAMPED * np.eye(6)
        self._spread = _REGULAR * np.diag(np.tile([1.0, 1.0, 0.1, 100.0, 100.0, 100.0], 2))

    def solve(self, now: Dynamics, asked: Asked) -> Given:
        """Return the efforts whose floor forces serve what is asked best; finite for finite input."""
        body, weight = self._body, self._config.turn_weight
        motion, start = self._motion(now, asked)  # a = motion · a_base + start
        gain = now.jacobian.reshape(12, -1).T  # from wrenches to generalised forces
        wanted = np.empty((BASE, 13))
        wanted[:, :12], wanted[:, 12] = gain[:BASE], -now.load[:BASE] - now.inertia[:BASE] @ start
        base = np.linalg.solve(now.inertia[:BASE] @ motion, wanted)
        push, rest = base[:, :12], base[:, 12]  # a_base = push · w + rest
        carry = np.zeros((3, 12))
        carry[:, :3], carry[:, 6:9] = now.sole[0] / body.mass, now.sole[1] / body.mass
        linear = asked.com + _UP
        turning, turn = push[3:], asked.turn - rest[3:]
        hessian = carry.T @ carry + weight * (turning.T @ turning) + self._spread
        cost = -(linear @ carry) - weight * (turn @ turning)
        joints = now.inertia[BASE:] @ motion
        slope, offset = joints @ push - gain[BASE:], joints @ rest + now.inertia[BASE:] @ start + now.load[BASE:]
        wrench = self._solve(hessian, cost, slope[body.legs], offset[body.legs], asked.bears)
        acceleration = motion @ (push @ wrench + rest) + start
        return Given(slope @ wrench + offset, wrench.reshape(2, 6), acceleration, carry @ wrench - linear)

    def _motion(self, now: Dynamics, asked: Asked) -> tuple[FloatArray, FloatArray]:
        """Return how all accelerations depend on the base's while the soles stay: shapes (v, 6) and (v,)."""
        motion, start = np.zeros((len(now.load), BASE)), np.zeros(len(now.load))
        motion[:BASE], start[BASE:] = self._unit, asked.joints
        given = np.empty((2, 6, BASE + 1))
        given[:, :, :BASE] = now.jacobian[:, :, :BASE]
        given[:, :, BASE] = -self._config.sole_damping * now.speed - now.drift
        leg = np.stack([now.jacobian[i][:, foot.columns] for i, foot in enumerate(self._body.feet)])
        back = leg.transpose(0, 2, 1)
        solved = back @ np.linalg.solve(leg @ back + self._damped, given)
        for foot, share in zip(self._body.feet, solved, strict=True):
            motion[foot.columns], start[foot.columns] = -share[:, :BASE], share[:, BASE]
        return motion, start

    def _solve(
        self, hessian: FloatArray, cost: FloatArray, slope: FloatArray, offset: FloatArray, bears: tuple[bool, bool]
    ) -> FloatArray:
        """Return the wrenches, shape (12,)."""
        program, first, last = self._program, 12 + self._cones, 12 + self._cones + len(self._most)
        program.low[first:last], program.high[first:last] = -self._most - offset, self._most - offset
        for i, on in enumerate(bears):
            program.high[6 * i : 6 * i + 6] = UNBOUNDED if on else 0.0
            program.low[6 * i : 6 * i + 6] = -UNBOUNDED if on else 0.0
        program.rows[self._cones : last - 12], program.slope[:] = slope, cost
        found = solve(program, hessian, last - 12)
        return found if found is not None and np.isfinite(found).all() else np.zeros(12)


def _cone(foot: Foot, config: BalanceConfig) -> FloatArray:
    """Return rows whose product with a sole's wrench may not be negative: friction pyramid, centre of pressure, twist."""
    mu = config.friction / np.sqrt(2.0)  # the pyramid lies inside the cone
    rows = [[0.0, 0.0, 1.0, 0.0, 0.0, 0.0]]
    rows += [[x, y, mu, 0.0, 0.0, 0.0] for x, y in ((1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0))]
    rows += [[0.0, 0.0, mu * _TWIST_RADIUS, 0.0, 0.0, sign] for sign in (1.0, -1.0)]
    edges = np.roll(foot.corners, -1, axis=0) - foot.corners
    inwards = np.column_stack([-edges[:, 1], edges[:, 0]]) / np.linalg.norm(edges, axis=1, keepdims=True)
    for (x, y), corner in zip(inwards, foot.corners, strict=True):  # the centre of pressure is (−m_y, m_x) / f_z
        rows.append([0.0, 0.0, -(x * corner[0] + y * corner[1]) - config.sole_margin, y, -x, 0.0])
    return np.array(rows)
