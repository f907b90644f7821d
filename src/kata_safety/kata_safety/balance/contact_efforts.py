# SPDX-License-Identifier: Apache-2.0
"""Joint efforts of a commanded motion on planted soles, in closed form.

The soles stay, so the base's acceleration follows from the joints'. What the base's wrench then lacks, the floor gives: of all
pairs of sole wrenches that do, the one of least squares, in which a moment counts as a force at a lever of `_LEVER`. The
efforts are linear in the accelerations, which makes them rows of the safety filter's program.
"""

from dataclasses import dataclass

import numpy as np
import pinocchio as pin

from kata_model.arrays import FloatArray
from kata_safety.balance.floating_body import BASE, FloatingBody
from kata_safety.balance.support_polygon import SupportedPosture
from kata_safety.qp.drives import rotor_inertia

__all__ = ["ContactEfforts", "LinearEfforts"]

_LEVER = 0.1
"""A moment at a sole costs as much as a force at this lever [m]: small against the sole, so that it is spared."""


@dataclass(frozen=True)
class LinearEfforts:
    """Efforts slope · acceleration + offset of n joints.

    Attributes:
        slope: Shape (n, n), [kg·m²].
        offset: Shape (n,), [N·m].
        wrench_slope: The same of the soles' wrenches, shape (12, n).
        wrench_offset: Shape (12,), [N], [N·m].
    """

    slope: FloatArray
    offset: FloatArray
    wrench_slope: FloatArray
    wrench_offset: FloatArray


class ContactEfforts:
    """Computes what the motors give while the floor carries a robot."""

    def __init__(self, body: FloatingBody) -> None:
        """Prepare for a robot."""
        self._body, self._data = body, body.model.createData()
        self._rotors, self._still = rotor_inertia(body.robot), np.zeros(body.model.nv)
        self._spread = np.diag(np.tile([1.0, 1.0, 1.0, _LEVER**2, _LEVER**2, _LEVER**2], 2))
        self._above = np.triu(np.ones((body.model.nv, body.model.nv), dtype=bool))
        self._joints = np.arange(len(self._rotors))

    def at(self, planted: SupportedPosture, position: FloatArray, velocity: FloatArray) -> LinearEfforts:
        """Return the efforts at a posture and velocity, shape (n,) each, [rad], [rad/s].

        Args:
            planted: What the posture means.
            position: The posture.
            velocity: Of the joints.
        """
        model, data = self._body.model, self._data
        turn = pin.Quaternion(planted.sole.T).coeffs()
        q = np.concatenate([[0.0, 0.0, 0.0], turn, position])
        v = np.concatenate([planted.base @ velocity, velocity])
        pin.forwardKinematics(model, data, q, v, self._still)
        drift = pin.getFrameAcceleration(model, data, self._body.feet[0].frame, pin.LOCAL).vector
        upper = pin.crba(model, data, q)
        inertia = np.where(self._above, upper, upper.T)  # Pinocchio fills what is above the diagonal
        load = pin.nonLinearEffects(model, data, q, v)
        start = -np.linalg.solve(planted.jacobian[0][:, :BASE], drift)  # the base's acceleration at none of the joints
        by_joints = inertia[:, BASE:] + inertia[:, :BASE] @ planted.base
        by_joints[BASE + self._joints, self._joints] += self._rotors
        constant = load + inertia[:, :BASE] @ start
        push = planted.jacobian.reshape(12, -1)  # transposed: from wrenches to generalised forces
        share = self._share(push[:, :BASE])
        wrench_slope, wrench_offset = share @ by_joints[:BASE], share @ constant[:BASE]
        back = push[:, BASE:].T
        return LinearEfforts(
            by_joints[BASE:] - back @ wrench_slope, constant[BASE:] - back @ wrench_offset, wrench_slope, wrench_offset
        )

    def rest(self, position: FloatArray) -> FloatArray:
        """Return the efforts that hold a posture still, shape (n,), [N·m]; the first sole is flat."""
        model, data, feet = self._body.model, self._data, self._body.feet
        q = self._body.configuration(position)
        pin.computeJointJacobians(model, data, q)
        sole = pin.updateFramePlacement(model, data, feet[0].frame).rotation
        push = np.concatenate([pin.getFrameJacobian(model, data, foot.frame, pin.LOCAL) for foot in feet])
        q[3:7] = pin.Quaternion(sole.T).coeffs()
        load = pin.computeGeneralizedGravity(model, data, q)
        held: FloatArray = load[BASE:] - (self._share(push[:, :BASE]) @ load[:BASE]) @ push[:, BASE:]
        return held

    def _share(self, push: FloatArray) -> FloatArray:
        """Return the wrenches that give the base a force at least cost, shape (12, 6)."""
        carry = self._spread @ push
        share: FloatArray = carry @ np.linalg.inv(push.T @ carry)
        return share
