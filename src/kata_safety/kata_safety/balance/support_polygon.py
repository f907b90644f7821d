# SPDX-License-Identifier: Apache-2.0
"""What joint velocities do to a robot whose soles stay where they are.

Everything is seen from the first sole, which is taken to lie flat: its z axis is the vertical. The base then moves as the
first leg moves it, and the second sole must not move at all, which ties the two legs together.
"""

from dataclasses import dataclass

import numpy as np
import pinocchio as pin

from kata_model.arrays import FloatArray
from kata_safety.balance.floating_body import BASE, FloatingBody
from kata_safety.balance.heading import heading_frame

__all__ = ["SupportPolygon", "SupportedPosture"]


@dataclass(frozen=True)
class SupportedPosture:
    """A posture of n joints on planted soles; velocities and vectors in the first sole's axes unless said otherwise.

    Attributes:
        base: Twist of the base in its own axes by the joints' velocities, shape (6, n).
        closure: Twist of the second sole in its own axes, shape (6, n); must stay zero.
        gap: Twist that would bring that sole to its place in a second, shape (6,).
        com: Centre of mass from the first sole's middle, shape (3,), [m].
        com_rate: Its velocity by the joints' velocities, shape (3, n).
        up: The base's z axis, shape (3,).
        up_rate: Its derivative, shape (3, n).
        height: Of the base over the soles [m].
        jacobian: Of each sole, in its own axes, by base and joints, shape (2, 6, 6 + n).
        com_jacobian: Of the centre of mass, in the base's axes, shape (3, 6 + n).
        sole: Rotation of the first sole to the base, shape (3, 3).
    """

    base: FloatArray
    closure: FloatArray
    gap: FloatArray
    com: FloatArray
    com_rate: FloatArray
    up: FloatArray
    up_rate: FloatArray
    height: float
    jacobian: FloatArray
    com_jacobian: FloatArray
    sole: FloatArray


class SupportPolygon:
    """Knows where the soles stand against each other, and what a posture means there."""

    def __init__(self, body: FloatingBody, position: FloatArray) -> None:
        """Take the soles to stand as a posture has them, flat on one floor; position has shape (n,), [rad]."""
        self._body, self._data = body, body.model.createData()
        first, second = self._place(position)
        between = first.inverse() * second
        yaw = float(np.arctan2(between.rotation[1, 0], between.rotation[0, 0]))
        self._between = pin.SE3(pin.utils.rotate("z", yaw), np.array([*between.translation[:2], 0.0]))
        corners = [foot.corners for foot in self._body.feet]
        self.corners: FloatArray = np.concatenate(
            [corners[0], corners[1] @ self._between.rotation[:2, :2].T + self._between.translation[:2]]
        )
        """Of both soles from the first one's middle, shape (k, 2), [m]."""
        self.middle: FloatArray = 0.5 * self._between.translation[:2]
        """Of both, shape (2,), [m]."""
        self._heading: FloatArray = pin.utils.rotate("z", 0.5 * yaw)

    def leaning(self, at: "SupportedPosture") -> FloatArray:
        """Return the base's rotation against vertical and mean heading of the soles, shape (3, 3)."""
        leaning: FloatArray = self._heading.T @ at.sole.T
        return leaning

    def wish(self, position: FloatArray) -> tuple[float, FloatArray]:
        """Return height and rotation (see `leaning`) of the base in a posture whose soles may stand anywhere."""
        first, second = self._place(position)
        frame = heading_frame(np.stack([first.rotation, second.rotation]))
        height = -0.5 * float(frame[:, 2] @ (first.translation + second.translation))
        return height, frame.T

    def _place(self, position: FloatArray) -> list[pin.SE3]:
        model, data = self._body.model, self._data
        pin.computeJointJacobians(model, data, self._body.configuration(position))
        return [pin.updateFramePlacement(model, data, foot.frame) for foot in self._body.feet]

    def look(self, position: FloatArray) -> SupportedPosture:
        """Return what a posture means, shape (n,), [rad]."""
        model, data = self._body.model, self._data
        first, second = self._place(position)
        jacobian = np.stack([pin.getFrameJacobian(model, data, foot.frame, pin.LOCAL) for foot in self._body.feet])
        com = pin.jacobianCenterOfMass(model, data, self._body.configuration(position))
        base = -np.linalg.solve(jacobian[0][:, :BASE], jacobian[0][:, BASE:])
        axes = first.rotation.T
        gap = pin.log6(second.actInv(first * self._between)).vector
        turn = base[3:]
        return SupportedPosture(
            base=base,
            closure=jacobian[1][:, :BASE] @ base + jacobian[1][:, BASE:],
            gap=gap,
            com=axes @ (data.com[0] - first.translation),
            com_rate=axes @ (com[:, :BASE] @ base + com[:, BASE:]),
            up=axes[:, 2],
            up_rate=axes @ np.stack([turn[1], -turn[0], np.zeros_like(turn[0])]),
            height=float(-axes[2] @ first.translation),
            jacobian=jacobian,
            com_jacobian=com,
            sole=first.rotation,
        )

    def com(self, position: FloatArray, velocity: FloatArray) -> tuple[FloatArray, FloatArray, float]:
        """Return place and velocity of the centre of mass from the first sole, shape (3,) each, and how upright the base is.

        The latter is the cosine of its tilt.
        """
        model, data, body = self._body.model, self._data, self._body
        pin.centerOfMass(model, data, body.configuration(position), np.concatenate([np.zeros(BASE), velocity]))
        frame = body.feet[0].frame
        sole = pin.updateFramePlacement(model, data, frame)
        moving = pin.getFrameVelocity(model, data, frame, pin.LOCAL_WORLD_ALIGNED)
        away = data.com[0] - sole.translation
        (x, y, z), (u, v, w) = moving.angular, away
        speed = data.vcom[0] - moving.linear - np.array([y * w - z * v, z * u - x * w, x * v - y * u])
        return sole.rotation.T @ away, sole.rotation.T @ speed, float(sole.rotation[2, 2])
