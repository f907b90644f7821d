# SPDX-License-Identifier: Apache-2.0
"""Legs and waist in concert: wished joint velocities made such that the soles stay planted and the robot balanced."""

import numpy as np
import pinocchio as pin

from kata_model.arrays import FloatArray
from kata_safety.balance.config import BalanceConfig
from kata_safety.balance.floating_body import BASE, FloatingBody
from kata_safety.balance.support_polygon import SupportedPosture, SupportPolygon

__all__ = ["ComController"]

_DAMPED = 1e-4
"""Of the inverse of a leg's Jacobian: a straight leg cannot follow [m²]."""


class ComController:
    """Reads a posture of the legs as a wish for the base's height and lean, and leads the centre of mass over the soles' middle.

    Arms, waist and head keep their wish; where the base goes sideways and ahead follows from balance.
    """

    def __init__(self, body: FloatingBody, highest: float, config: BalanceConfig) -> None:
        """Prepare for a robot.

        Args:
            body: The robot.
            highest: Height of the base over the soles that it does not exceed [m].
            config: Gains and limits.
        """
        self._body, self._highest, self._config = body, highest, config

    def lead(
        self, soles: SupportPolygon, at: SupportedPosture, wanted: FloatArray, goal: FloatArray, cap: float = np.inf
    ) -> FloatArray:
        """Return joint velocities near to the wanted ones that keep the soles planted, shape (n,), [rad/s].

        Args:
            soles: Where its soles are.
            at: The commanded posture.
            wanted: Shape (n,), [rad/s], finite; what it says of the legs is not looked at.
            goal: Posture that is wished for, shape (n,), [rad]; of its legs, the base's height and lean count.
            cap: Velocity limit of the legs, for which the base rises and turns more slowly [rad/s].
        """
        feet = self._body.feet
        follow, mend = self._legs(at)
        velocity = wanted.copy()
        velocity[feet[0].joints], velocity[feet[1].joints] = 0.0, mend
        lift, turn = self._rise(soles, at, goal)
        home = self._config.stance_gain * (soles.middle - at.com[:2])
        by_balance, by_both = self._moves(at, follow, velocity, home, lift, turn)
        legs = [np.stack([share @ by_balance, share @ (by_both - by_balance)]) for share in follow]
        share = _share(np.concatenate(legs, axis=1), cap)
        for foot, (still, rising) in zip(feet, legs, strict=True):
            velocity[foot.joints] += still + share * rising
        return velocity

    def _legs(self, at: SupportedPosture) -> tuple[FloatArray, FloatArray]:
        """Return leg velocities by the base's twist, shape (2, 6, 6), and those that lead the second sole back, shape (6,)."""
        legs = np.stack([jacobian[:, foot.columns] for jacobian, foot in zip(at.jacobian, self._body.feet, strict=True)])
        back = legs.transpose(0, 2, 1)
        inverse = back @ np.linalg.inv(legs @ back + _DAMPED * np.eye(6))
        return -inverse @ at.jacobian[:, :, :BASE], inverse[1] @ (self._config.stance_gain * at.gap)

    def _moves(
        self, at: SupportedPosture, follow: FloatArray, velocity: FloatArray, home: FloatArray, lift: float, turn: FloatArray
    ) -> FloatArray:
        """Return the twists of the base that lead the centre of mass home, without and with rising and turning, shape (2, 6)."""
        by_base = at.com_jacobian[:, :BASE] + sum(
            at.com_jacobian[:, foot.columns] @ share for foot, share in zip(self._body.feet, follow, strict=True)
        )
        axes, lifts, turns = at.sole.T, np.array([[0.0, lift]]), np.stack([np.zeros(3), turn], axis=1)
        by_shift = axes @ by_base[:, :3] @ at.sole
        still = home - axes[:2] @ (at.com_jacobian[:, BASE:] @ velocity)
        missing = still[:, None] - axes[:2] @ (by_base[:, 3:] @ turns) - by_shift[:2, 2:] @ lifts
        shift = np.concatenate([np.linalg.solve(by_shift[:2, :2], missing), lifts])
        moves: FloatArray = np.concatenate([at.sole @ shift, turns]).T
        return moves

    def _rise(self, soles: SupportPolygon, at: SupportedPosture, goal: FloatArray) -> tuple[float, FloatArray]:
        """Return velocity up [m/s] and angular velocity in its own axes, shape (3,), [rad/s], that the base shall have."""
        config, leaning = self._config, soles.leaning(at)
        height, wanted = soles.wish(goal)
        lift = config.stance_gain * (min(height, self._highest) - at.height)
        turn = config.stance_gain * pin.log3(leaning.T @ wanted)
        most = config.turn_velocity
        return min(max(lift, -config.lift_velocity), config.lift_velocity), np.clip(turn, -most, most)


def _share(legs: FloatArray, cap: float) -> float:
    """Return how much of the second row may be added to the first, at most all, so that none exceeds a cap."""
    still, rising = legs
    room = np.maximum(cap - np.sign(rising) * still, 0.0)
    return float(min(1.0, (room / np.maximum(np.abs(rising), 1e-9)).min()))
