# SPDX-License-Identifier: Apache-2.0
"""How a robot on its feet stands, from its joints, its base's motion and its model."""

import numpy as np
import pinocchio as pin

from kata_model.arrays import FloatArray
from kata_model.base_motion import BaseMotion
from kata_model.joints import JointState
from kata_model.robot import RobotModel
from kata_model.robot.retarget_table import load_table
from kata_safety.stops.stability import BaseState, base_tilt, capture_point, support_margin, tilt_of

__all__ = ["UNKNOWN_BASE", "StabilityMonitor"]

UNKNOWN_BASE = BaseState(float("nan"), float("nan"))
"""A floating base of which nothing is known: neither upright nor balanced, as NaN fails every test."""

_PLANTED = 0.02
"""A sole's corner is taken to bear load when it is this near to the lowest one [m]."""


class StabilityMonitor:
    """Tilt, and the capture point inside the support of the feet.

    No contact is measured: the lowest corner of the soles is taken to be on the floor, and so is every corner near its
    height. In the air, or lying, that is wrong; the tilt then tells.
    """

    def __init__(self, robot: RobotModel) -> None:
        """Prepare for a robot.

        Raises:
            ConfigError: The robot has no retargeting table, which says where its soles are.
        """
        self._model = pin.buildModelFromUrdf(str(robot.description.urdf), pin.JointModelFreeFlyer())
        self._data = self._model.createData()
        self._robot = robot
        self._soles = [(self._model.getFrameId(sole.frame), sole.corners) for sole in load_table(robot).soles]

    def look(self, joints: JointState, base: BaseMotion) -> BaseState:
        """Return how the robot stands; what is not finite gives `UNKNOWN_BASE`."""
        q = np.concatenate([base.position, base.orientation_xyzw, joints.position])
        v = np.concatenate([base.linear_velocity, base.angular_velocity, joints.velocity])
        norm = float(np.linalg.norm(base.orientation_xyzw))
        if not (np.isfinite(q).all() and np.isfinite(v).all() and norm > 0.5):
            return UNKNOWN_BASE
        q[3:7] /= norm
        pin.centerOfMass(self._model, self._data, q, v)
        corners = self._corners()
        floor = float(corners[:, 2].min())
        planted = corners[corners[:, 2] <= floor + _PLANTED, :2]
        capture = capture_point(self._data.com[0], self._data.vcom[0], floor)
        return BaseState(base_tilt(base.orientation_xyzw), support_margin(capture, planted))

    def sensed_tilt(self, joints: JointState, orientation_xyzw: FloatArray, frame: str) -> float | None:
        """Return the base's tilt by an inertial sensor [rad], None where the robot has no such frame.

        Args:
            joints: The joints, which may lie between base and sensor.
            orientation_xyzw: Sensor to world, shape (4,); not finite gives π.
            frame: Link whose axes are the sensor's.
        """
        if not self._robot.pinocchio.existFrame(frame):
            return None
        vertical = self._robot.frame_poses(joints.position, (frame,))[0].rotation[2]  # the base's z axis, in the sensor
        return tilt_of(orientation_xyzw, vertical)

    def _corners(self) -> FloatArray:
        """Return the soles' corners in the world, shape (c, 3), [m]."""
        poses = [(pin.updateFramePlacement(self._model, self._data, frame), corners) for frame, corners in self._soles]
        return np.concatenate([corners @ pose.rotation.T + pose.translation for pose, corners in poses])
