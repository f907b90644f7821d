# SPDX-License-Identifier: Apache-2.0
"""The standing controller: joint efforts with which a robot on planted feet follows a posture and does not fall."""

from dataclasses import dataclass

import numpy as np
import pinocchio as pin

from kata_model.arrays import FloatArray
from kata_model.base_motion import BaseMotion
from kata_model.joints import JointState
from kata_safety.balance.config import BalanceConfig
from kata_safety.balance.floating_body import Dynamics, FloatingBody
from kata_safety.balance.forces import Asked, Given, SoleForces
from kata_safety.balance.heading import heading_frame

__all__ = ["Posture", "StandingController"]

_VERTICAL = np.array([0.0, 0.0, 1.0])
_LIFTED = 0.03
"""A sole that is so much higher than the other one does not bear [m]."""


@dataclass(frozen=True)
class Posture:
    """A commanded motion of all joints at one time.

    Attributes:
        position: Shape (n,), [rad].
        velocity: Shape (n,), [rad/s].
        acceleration: Shape (n,), [rad/s²].
    """

    position: FloatArray
    velocity: FloatArray
    acceleration: FloatArray


@dataclass(frozen=True)
class _Placed:
    """Where a body is against the middle of its soles, in axes of the soles' mean heading and the vertical.

    Attributes:
        com: Shape (3,), [m].
        com_velocity: Shape (3,), [m/s].
        base: Rotation, shape (3, 3).
    """

    com: FloatArray
    com_velocity: FloatArray
    base: FloatArray


class StandingController:
    """Computes the efforts that lead centre of mass and base to where a commanded posture has them, on planted feet.

    Nothing is measured at the soles: both are taken to bear, unless one is clearly higher than the other.
    """

    def __init__(self, body: FloatingBody, config: BalanceConfig) -> None:
        """Prepare for a robot."""
        self._body, self._config = body, config
        self._forces = SoleForces(body, config)
        self._data = body.model.createData()

    def efforts(self, posture: Posture, joints: JointState, base: BaseMotion) -> Given:
        """Return efforts and floor forces; all input finite."""
        config, now = self._config, self._body.look(joints, base)
        frame = heading_frame(now.sole, _VERTICAL)
        middle = 0.5 * (now.place[0] + now.place[1])
        wanted = self._reference(posture)
        error = frame @ wanted.com + middle - now.com
        slower = frame @ wanted.com_velocity - now.com_velocity
        tilt = pin.log3(now.base.T @ frame @ wanted.base)
        asked = Asked(
            com=config.com_gain * error + config.com_damping * slower,
            turn=config.turn_gain * tilt - config.turn_damping * now.turning,
            joints=posture.acceleration,
            bears=_bearing(now),
        )
        return self._forces.solve(now, asked)

    def _reference(self, posture: Posture) -> _Placed:
        """Return where the commanded posture has centre of mass and base against its soles."""
        model, data, body = self._body.model, self._data, self._body
        q = body.configuration(posture.position)
        v = np.concatenate([np.zeros(6), posture.velocity])
        pin.centerOfMass(model, data, q, v)
        poses = [pin.updateFramePlacement(model, data, foot.frame) for foot in body.feet]
        frame = heading_frame(np.stack([pose.rotation for pose in poses]))
        middle = 0.5 * (poses[0].translation + poses[1].translation)
        speed = 0.5 * sum(pin.getFrameVelocity(model, data, f.frame, pin.LOCAL_WORLD_ALIGNED).linear for f in body.feet)
        return _Placed(frame.T @ (data.com[0] - middle), frame.T @ (data.vcom[0] - speed), frame.T)


def _bearing(now: Dynamics) -> tuple[bool, bool]:
    difference = float(now.place[0, 2] - now.place[1, 2])
    return not difference > _LIFTED, not difference < -_LIFTED
