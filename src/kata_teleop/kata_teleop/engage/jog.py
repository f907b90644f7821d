# SPDX-License-Identifier: Apache-2.0
"""One joint at a time: a held joint posture of which one joint moves as long as it is asked to."""

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.joints import JointCommand, JointState
from kata_model.robot import RobotModel
from kata_teleop.engage.gamepad import JointWish

__all__ = ["JointJog"]

_LONGEST = 0.1  # time between two wishes that motion is granted for [s]


class JointJog:
    """Makes targets of wishes for single joints, beginning from where the robot is."""

    def __init__(self, robot: RobotModel) -> None:
        """Prepare for a robot whose description names its hands."""
        self._robot = robot
        self._arms = {hand: robot.layout.indices(spec.joints) for hand, spec in robot.description.hands.items()}
        self._position: FloatArray | None = None
        self._stamp = 0

    def release(self) -> None:
        """Forget the posture; the next wish begins from where the robot then is."""
        self._position = None

    def step(self, wish: JointWish, measured: JointState, stamp: int) -> JointCommand | None:
        """Return the target for a wish at a time [ns]; None for an arm that the robot lacks, or a state that is not finite."""
        arm = self._arms.get(wish.hand)
        if arm is None or not np.isfinite(measured.position).all():
            return None
        if self._position is None:
            self._position, self._stamp = self._robot.clamp(measured.position), stamp
        elapsed = min(max((stamp - self._stamp) * 1e-9, 0.0), _LONGEST)
        self._stamp = max(stamp, self._stamp)
        moved = self._position.copy()
        moved[arm[wish.index % len(arm)]] += wish.velocity * elapsed
        self._position = self._robot.clamp(moved)
        return JointCommand.at(stamp, self._position, self._robot.stiffness, self._robot.damping)
