# SPDX-License-Identifier: Apache-2.0
"""Where things are in a simulation, seen from the robot's base: the `World` of tasks."""

from typing import Any

import mujoco
import numpy as np

from kata_model.arrays import FloatArray

__all__ = ["Scene"]


class Scene:
    """Reads and places bodies; all in the frame of the robot's base.

    Args:
        model: ``mujoco.MjModel``.
        data: Its ``mujoco.MjData``.
        base: Number of the robot's base among the bodies.
    """

    def __init__(self, model: Any, data: Any, base: int) -> None:
        """Take what is read."""
        self._model, self._data, self._base = model, data, base
        self._bodies: dict[str, int] = {}

    def frame_position(self, frame: str) -> FloatArray:
        """Return where a frame of the robot was at the beginning of the last step, shape (3,), [m]."""
        offset = self._data.site(frame).xpos - self._data.xpos[self._base]
        position: FloatArray = offset @ self._rotation
        return position

    def pose(self, body: str) -> FloatArray:
        """Return how a body lay at the beginning of the last step: position [m] and xyzw quaternion, shape (7,)."""
        number = self._number(body)
        turn, inverse = np.empty(4), np.empty(4)
        mujoco.mju_negQuat(inverse, self._data.xquat[self._base])
        mujoco.mju_mulQuat(turn, inverse, self._data.xquat[number])
        place = (self._data.xpos[number] - self._data.xpos[self._base]) @ self._rotation
        return np.concatenate([place, turn[1:], turn[:1]])

    def velocity(self, body: str) -> FloatArray:
        """Return the linear velocity of a free body against the world, in the base's axes, shape (3,), [m/s]."""
        at = self._model.body_dofadr[self._number(body)]
        velocity: FloatArray = self._data.qvel[at : at + 3] @ self._rotation
        return velocity

    def place(self, body: str, pose: FloatArray) -> None:
        """Put a free body or a marker somewhere, at rest; pose as `pose` gives it."""
        number = self._number(body)
        place = self._data.xpos[self._base] + self._rotation @ pose[:3]
        turn = np.empty(4)
        mujoco.mju_mulQuat(turn, self._data.xquat[self._base], np.array([pose[6], *pose[3:6]]))
        marker = self._model.body_mocapid[number]
        if marker >= 0:
            self._data.mocap_pos[marker], self._data.mocap_quat[marker] = place, turn
            return
        joint = self._model.body_jntadr[number]
        at, speed = self._model.jnt_qposadr[joint], self._model.jnt_dofadr[joint]
        self._data.qpos[at : at + 7] = [*place, *turn]
        self._data.qvel[speed : speed + 6] = 0.0

    @property
    def _rotation(self) -> FloatArray:
        rotation: FloatArray = self._data.xmat[self._base].reshape(3, 3)
        return rotation

    def _number(self, body: str) -> int:
        if body not in self._bodies:
            self._bodies[body] = int(self._model.body(body).id)
        return self._bodies[body]
