# SPDX-License-Identifier: Apache-2.0
"""A robot whose base is free: its dynamics, and where its soles are."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pinocchio as pin

from kata_model.arrays import FloatArray
from kata_model.base_motion import BaseMotion
from kata_model.errors import RobotError
from kata_model.joints import JointState
from kata_model.robot import RobotModel
from kata_model.robot.retarget_table import load_table
from kata_model.robot.urdf import urdf_text
from kata_safety.balance.postures import load_postures
from kata_safety.qp.drives import rotor_inertia
from kata_safety.stops.stability import hull

__all__ = ["BASE", "Dynamics", "FloatingBody", "Foot"]

BASE = 6
"""Velocities of the base: linear, then angular, both in the base's frame."""

_SIX = 6


@dataclass(frozen=True)
class Foot:
    """A sole and the six joints that carry it.

    Attributes:
        frame: Pinocchio's index of a frame at the sole's middle, z up from the floor.
        joints: The leg's joints as indices in the layout, shape (6,).
        columns: The same in generalised velocities, shape (6,).
        corners: Outline of the sole in that frame, counter-clockwise, shape (k, 2), [m].
    """

    frame: int
    joints: Any
    columns: Any
    corners: FloatArray


@dataclass(frozen=True)
class Dynamics:
    """What equations of motion need at one state; v = 6 + n generalised velocities.

    Attributes:
        inertia: M, rotor inertia included, shape (v, v).
        load: Weight, centrifugal and Coriolis forces h, shape (v,).
        jacobian: Of each sole, spatial, in the sole's axes, shape (2, 6, v).
        drift: Spatial acceleration of each sole at no generalised acceleration, shape (2, 6).
        speed: Spatial velocity of each sole, shape (2, 6).
        sole: Rotations sole to world, shape (2, 3, 3).
        place: Of each sole's middle in the world, shape (2, 3), [m].
        com: Centre of mass in the world, shape (3,), [m].
        com_velocity: Shape (3,), [m/s].
        base: Rotation base to world, shape (3, 3).
        turning: Angular velocity of the base in its frame, shape (3,), [rad/s].
    """

    inertia: FloatArray
    load: FloatArray
    jacobian: FloatArray
    drift: FloatArray
    speed: FloatArray
    sole: FloatArray
    place: FloatArray
    com: FloatArray
    com_velocity: FloatArray
    base: FloatArray
    turning: FloatArray


class FloatingBody:
    """A robot with a free base as Pinocchio sees it."""

    def __init__(self, robot: RobotModel) -> None:
        """Build the model.

        Raises:
            ConfigError: The robot has no retargeting table, which says where its soles are.
            RobotError: A leg has not six joints, which is what keeps a sole in its place whatever the base does.
        """
        self.robot = robot
        self.model: Any = pin.buildModelFromXML(urdf_text(robot.description), pin.JointModelFreeFlyer())
        bears = load_postures(robot).sole
        self.feet = tuple(self._foot(sole.frame, sole.corners, bears) for sole in load_table(robot).soles)
        self.data: Any = self.model.createData()
        self.mass = float(sum(inertia.mass for inertia in self.model.inertias))
        self._still = np.zeros(self.model.nv)
        self._rotors = np.diag(np.concatenate([np.zeros(BASE), rotor_inertia(robot)]))
        self._above = np.triu(np.ones_like(self._rotors, dtype=bool))
        legs = np.concatenate([foot.joints for foot in self.feet])
        self.legs, self.upper = legs, np.setdiff1d(np.arange(len(robot.layout)), legs)

    def _foot(self, frame: str, corners: FloatArray, bears: FloatArray | None) -> Foot:
        parent = self.model.frames[self.model.getFrameId(frame)]
        flat = corners[:, :2] if bears is None else bears
        middle = 0.5 * (flat.min(axis=0) + flat.max(axis=0))
        place = parent.placement * pin.SE3(np.eye(3), np.array([*middle, corners[:, 2].min()]))
        added = pin.Frame(f"{frame}/sole", parent.parentJoint, self.model.getFrameId(frame), place, pin.FrameType.OP_FRAME)
        index = self.model.addFrame(added)
        chain = [int(j) for j in self.model.supports[parent.parentJoint] if j > 1]
        if len(chain) != _SIX:
            raise RobotError(
                f"the leg of {frame} has {len(chain)} joints, balance needs 6", where=str(self.robot.description.urdf)
            )
        columns = np.array([self.model.joints[j].idx_v for j in chain])
        return Foot(int(index), columns - BASE, columns, hull(flat - middle))

    def configuration(self, position: FloatArray, base: BaseMotion | None = None) -> FloatArray:
        """Return Pinocchio's configuration, base at the origin if it is not given; position has shape (n,), [rad]."""
        if base is None:
            return np.concatenate([[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0], position])
        turn = base.orientation_xyzw / np.linalg.norm(base.orientation_xyzw)
        return np.concatenate([base.position, turn, position])

    def look(self, joints: JointState, base: BaseMotion) -> Dynamics:
        """Return the dynamics of a measured state, all finite."""
        model, data = self.model, self.data
        q = self.configuration(joints.position, base)
        v = np.concatenate([base.linear_velocity, base.angular_velocity, joints.velocity])
        pin.computeAllTerms(model, data, q, v)
        inertia = np.where(self._above, data.M, data.M.T) + self._rotors  # Pinocchio fills what is above the diagonal
        load, com, com_velocity = data.nle.copy(), data.com[0].copy(), data.vcom[0].copy()
        jacobian, sole, place = np.empty((2, 6, model.nv)), np.empty((2, 3, 3)), np.empty((2, 3))
        drift, speed = np.empty((2, 6)), np.empty((2, 6))
        pin.forwardKinematics(model, data, q, v, self._still)
        for i, foot in enumerate(self.feet):
            pose = pin.updateFramePlacement(model, data, foot.frame)
            jacobian[i] = pin.getFrameJacobian(model, data, foot.frame, pin.LOCAL)
            drift[i] = pin.getFrameAcceleration(model, data, foot.frame, pin.LOCAL).vector
            speed[i] = jacobian[i] @ v
            sole[i], place[i] = pose.rotation, pose.translation
        turn = data.oMi[1].rotation.copy()
        return Dynamics(inertia, load, jacobian, drift, speed, sole, place, com, com_velocity, turn, v[3:6])
