# SPDX-License-Identifier: Apache-2.0
"""A recorded motion to be followed in real time, from wherever the robot is."""

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.kinematics.minimum_jerk import minimum_jerk
from kata_model.robot import RobotModel
from kata_model.trajectory import Trajectory
from kata_retarget.adaptation import MotionPath

__all__ = ["Playback"]

_PEAK = 1.875
"""Peak over mean velocity of a minimum-jerk movement."""
_SHORTEST = 1.0
"""Least time for the move to the first posture [s]."""


class Playback:
    """Tells the posture at each time: first a move to the motion's first posture, then the motion, then its last posture."""

    def __init__(self, robot: RobotModel, trajectory: Trajectory, start: FloatArray, velocity: float, settle: float) -> None:
        """Plan.

        Args:
            robot: The robot.
            trajectory: Its motion, joints in layout order.
            start: Where the joints are, shape (n,), [rad].
            velocity: Limit of every joint in the move to the first posture [rad/s].
            settle: Time in the first and in the last posture [s].
        """
        self._robot, self._start, self._path = robot, start, MotionPath(trajectory)
        self._begin = float(trajectory.stamp[0])
        self.duration = float(trajectory.stamp[-1]) - self._begin
        self._first = self._of_motion(0.0)
        self._move = max(_SHORTEST, _PEAK * float(np.abs(self._first - start).max()) / velocity)
        self.lead = self._move + settle
        self.total = self.lead + self.duration + settle

    def posture(self, elapsed: float) -> FloatArray:
        """Return the joints at a time since the start [s], within the position limits, shape (n,), [rad]."""
        if elapsed < self.lead:
            return minimum_jerk(self._start, self._first, self._move, elapsed)
        return self._of_motion(min(elapsed - self.lead, self.duration))

    def _of_motion(self, elapsed: float) -> FloatArray:
        sample = self._path.at(np.array([self._begin + elapsed]))
        return self._robot.clamp(sample.value[0, : len(self._robot.layout)])
