# SPDX-License-Identifier: Apache-2.0
"""First gains of a PD control from what each joint has to move."""

import numpy as np
import pinocchio as pin

from kata_model.arrays import FloatArray
from kata_model.robot import RobotModel

__all__ = ["first_gains"]

_FREQUENCY = 2.0 * np.pi * 2.5  # of the closed loop [rad/s]
_DAMPING = 0.7  # share of the critical one
_SOFTEST, _STIFFEST = 0.8, 0.15  # error that asks for the whole effort limit [rad]


def first_gains(robot: RobotModel) -> FloatArray:
    """Return stiffness [N·m/rad] and damping [N·m·s/rad] of each joint at rest, shape (n, 2).

    A joint alone against the inertia that it sees moves like a spring of 2.5 Hz with 0.7 of the critical
    damping. The stiffness stays where an error between 0.15 and 0.8 rad asks for all of the joint's effort.
    """
    data = robot.pinocchio.createData()
    inertia = np.diag(pin.crba(robot.pinocchio, data, np.array(robot.rest))).copy()
    stiffness = np.clip(inertia * _FREQUENCY**2, robot.max_effort / _SOFTEST, robot.max_effort / _STIFFEST)
    damping = 2.0 * _DAMPING * np.sqrt(stiffness * inertia)
    return np.stack([_round(stiffness), _round(np.maximum(damping, 0.02 * stiffness))], axis=1)


def _round(values: FloatArray) -> FloatArray:
    """Round to two significant digits: more would feign knowledge."""
    return np.array([float(f"{value:.2g}") for value in values])
