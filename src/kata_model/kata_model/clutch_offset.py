# SPDX-License-Identifier: Apache-2.0
"""Clutch offset: relative mapping, by which what is led repeats the way that the person makes since engaging."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pinocchio as pin

from kata_model.arrays import FloatArray

__all__ = ["ClutchOffset", "angle_between", "limited", "pose_of", "seven_of"]


@dataclass(frozen=True, slots=True)
class ClutchOffset:
    """A person's pose and the pose of what is led, at the moment of engaging, both SE(3) in worlds with parallel axes.

    Clutching moves nothing, wherever the person is: ``goal(human)`` is ``robot``.

    Attributes:
        human: The person's hand when it was clutched.
        robot: What is led, then.
    """

    human: Any
    robot: Any

    def goal(self, human: Any, scale: float = 1.0) -> Any:
        """Return where the person wants what is led; ways are scaled, turns are not.

        Args:
            human: The person's hand now, SE(3).
            scale: Robot's way per hand's way.
        """
        return pin.SE3(
            human.rotation @ self.human.rotation.T @ self.robot.rotation,
            self.robot.translation + scale * (human.translation - self.human.translation),
        )


def pose_of(values: FloatArray) -> Any:
    """Return the SE(3) of a position and an xyzw quaternion, shape (7,); the quaternion is normalised."""
    return pin.SE3(pin.Quaternion(np.array(values[3:7])).normalized().toRotationMatrix(), np.array(values[:3]))


def seven_of(pose: Any) -> FloatArray:
    """Return position and xyzw quaternion of an SE(3), shape (7,)."""
    values: FloatArray = np.concatenate([pose.translation, pin.Quaternion(pose.rotation).normalized().coeffs()])
    return values


def angle_between(one: Any, other: Any) -> float:
    """Return the angle between two orientations [rad]."""
    return float(np.linalg.norm(pin.log3(one.rotation @ other.rotation.T)))


def limited(pose: Any, goal: Any, way: float, turn: float) -> Any:
    """Return the pose on the way to a goal, no further than a way [m] and a turn [rad] allow."""
    step, rotation = goal.translation - pose.translation, pin.log3(goal.rotation @ pose.rotation.T)
    length, angle = float(np.linalg.norm(step)), float(np.linalg.norm(rotation))
    if length <= way and angle <= turn:
        return goal
    share, part = min(1.0, way / max(length, 1e-12)), min(1.0, turn / max(angle, 1e-12))
    return pin.SE3(pin.exp3(part * rotation) @ pose.rotation, pose.translation + share * step)
