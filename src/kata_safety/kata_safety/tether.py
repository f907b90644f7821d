# SPDX-License-Identifier: Apache-2.0
"""What ties the commanded motion to the measured robot, and what is wrong where the two do not fit.

The command begins where the robot is measured to be, once. From then on it moves by its own ticks alone: whatever is measured
later can slow it down or stop it, never move it. Where it must begin anew, the joints are limp for a tick in between.
"""

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray, frozen
from kata_model.joints import JointCommand, JointState
from kata_model.robot import RobotModel
from kata_model.verdict import JointFlag
from kata_safety.config import SafetyConfig
from kata_safety.guard.guard import Guard
from kata_safety.intake import StateCheck
from kata_safety.limits import braking_velocity
from kata_safety.straying import astray, pace_for, straying

__all__ = ["Tether"]


class Tether:
    """Judges joint states, and how far the robot is from where it is told to be.

    Attributes:
        anchored: Whether the commanded motion has begun.
        seen: When the last joint state that was believed was measured [ns].
        stiff: Whether the last command had stiffness.
        doubts: `JointFlag.FEEDBACK` of joints whose measurement is the trouble, shape (n,), uint8.
    """

    def __init__(self, robot: RobotModel, config: SafetyConfig, guard: Guard, most: FloatArray) -> None:
        """Prepare; most is how far each joint may be from its command, shape (n,), [rad]."""
        self._config, self._guard, self._most = config, guard, frozen("most", most, (None,))
        self._check = StateCheck(robot, config)
        self._none = np.zeros(len(robot.layout), dtype=np.uint8)
        self.anchored, self.stiff, self.seen, self.doubts = False, False, 0, self._none

    def tear(self) -> None:
        """Begin anew from whatever is measured next."""
        self.anchored, self.seen = False, 0

    def resume(self, command: JointCommand, seen: int) -> None:
        """Take up where a command left off that was decided on a joint state of a stamp [ns]."""
        self._guard.place(command.position, command.velocity)
        self.anchored, self.seen, self.stiff = True, seen, bool(command.stiffness.any())

    def fault(self, state: JointState | None, now: int) -> str:
        """Return why a joint state is not believed at a time [ns], or an empty string."""
        fault = self._check.fault(state, now)
        self.doubts = self._check.culprits(state, now) if fault else self._none
        return fault

    def anchor(self, measured: JointState) -> bool:
        """Let the commanded motion begin where the robot is, if it has not yet; return whether the joints must be limp before."""
        self.seen = measured.stamp
        if self.anchored:
            return False
        self.anchored = True
        self.place(measured)
        return self.stiff

    def place(self, measured: JointState) -> None:
        """Let the commanded motion be the robot's own, so that what comes next brakes it instead of standing still at once.

        A velocity that could not be braked before the joint's limit is not taken up: it may be a lie.
        """
        limits = self._guard.limits
        up, down = (
            np.minimum(braking_velocity(room, limits.change / limits.period, limits.period), limits.velocity)
            for room in (limits.upper - measured.position, measured.position - limits.lower)
        )
        self._guard.place(measured.position, np.clip(measured.velocity, -down, up))

    def strays(self, measured: JointState) -> bool:
        """Return whether a joint is not where it was told to be: it is stuck, pushed, or measured wrongly."""
        if not astray(self._guard.position, measured.position, self._most):
            return False
        self._doubt(np.abs(self._guard.position - measured.position) > self._most)
        return True

    def pace(self, measured: JointState | None) -> float:
        """Return the velocity limit [rad/s] that lets a robot which strays from its command come back; infinite if none does.

        Straying is judged a little ahead, since a weak motor needs its time to catch what it carries.
        """
        if measured is None:
            return np.inf
        guard, horizon, config = self._guard, self._config.lag_horizon, self._config
        pace = pace_for(straying(guard.position, guard.velocity, measured.position, measured.velocity, horizon), config)
        if pace < np.inf:
            ahead = guard.position - measured.position + horizon * (guard.velocity - measured.velocity)
            self._doubt(np.abs(ahead) > config.lag_tolerance)
        return pace

    def _doubt(self, joints: NDArray[np.bool_]) -> None:
        self.doubts = self.doubts | np.where(joints, JointFlag.FEEDBACK, 0).astype(np.uint8)
