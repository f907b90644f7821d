# SPDX-License-Identifier: Apache-2.0
"""A robot with a free or a held base, and where its soles can push against the floor."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pinocchio as pin

from kata_model.arrays import FloatArray
from kata_model.robot import RobotModel
from kata_model.robot.retarget_table import Sole
from kata_retarget.adaptation.config import AdaptConfig, Bounds, bounds_of

__all__ = ["Contacts", "Plant", "make_plant"]

_EDGE = 0.01
"""How much higher than its lowest corner a corner of a carrying sole still bears [m]."""


class Contacts(NamedTuple):
    """Corners that bear.

    Attributes:
        point: In the world, shape (k, 3), [m].
        jacobian: Linear velocity of the points by generalised velocity, shape (k, 3, nv).
    """

    point: FloatArray
    jacobian: FloatArray


@dataclass(frozen=True)
class Plant:
    """The rigid bodies that inverse dynamics is asked about.

    Attributes:
        robot: The robot.
        config: Settings.
        bounds: Limits by joint.
        model: Pinocchio's model, with a free-flying base if there are soles.
        data: Its workspace.
        soles: What stands on the floor; empty for a base that is held.
        weight: Of the whole robot [N].
    """

    robot: RobotModel
    config: AdaptConfig
    bounds: Bounds
    model: Any
    data: Any
    soles: tuple[Sole, ...]
    weight: float

    @property
    def base(self) -> int:
        """Number of generalised velocities of the base: 6 or 0."""
        return int(self.model.nv) - len(self.robot.layout)

    def bearing(self, q: FloatArray, contact: FloatArray) -> Contacts:
        """Return the corners that bear at a configuration.

        A foot bears where it is said to be in contact, or its sole is at the floor; its corners, where they are low.
        """
        points, jacobians = [], []
        if self.soles:
            pin.computeJointJacobians(self.model, self.data, q)
            pin.updateFramePlacements(self.model, self.data)
        for sole, flagged in zip(self.soles, contact, strict=False):
            frame = self.model.getFrameId(sole.frame)
            place = self.data.oMf[frame]
            arm = sole.corners @ place.rotation.T
            height = arm[:, 2] + place.translation[2]
            if not flagged and height.min() > self.config.sole_height:
                continue
            low = height < height.min() + _EDGE
            jacobian = pin.getFrameJacobian(self.model, self.data, frame, pin.LOCAL_WORLD_ALIGNED)
            points.append(arm[low] + place.translation)
            jacobians.append(jacobian[None, :3] - np.einsum("kij,jv->kiv", _skew(arm[low]), jacobian[3:]))
        if not points:
            return Contacts(np.zeros((0, 3)), np.zeros((0, 3, self.model.nv)))
        return Contacts(np.concatenate(points), np.concatenate(jacobians))


def make_plant(robot: RobotModel, soles: tuple[Sole, ...], config: AdaptConfig) -> Plant:
    """Build the model; without soles the base is held."""
    model = robot.pinocchio
    if soles:
        model = pin.buildModelFromUrdf(str(robot.description.urdf), pin.JointModelFreeFlyer())
    weight = 9.81 * float(sum(inertia.mass for inertia in model.inertias))
    return Plant(robot, config, bounds_of(robot, config), model, model.createData(), soles, weight)


def _skew(vectors: FloatArray) -> FloatArray:
    result = np.zeros((len(vectors), 3, 3))
    x, y, z = vectors.T
    result[:, 0, 1], result[:, 0, 2] = -z, y
    result[:, 1, 0], result[:, 1, 2] = z, -x
    result[:, 2, 0], result[:, 2, 1] = -y, x
    return result
