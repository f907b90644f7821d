# SPDX-License-Identifier: Apache-2.0
"""A scripted expert for the reach task: moves the hand as people do, through the teleoperation's own retargeting."""

from collections.abc import Mapping

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.errors import RobotError
from kata_model.frames import HumanFrames
from kata_model.joints import JointCommand, JointState
from kata_model.kinematics.minimum_jerk import minimum_jerk
from kata_model.robot import RobotModel
from kata_sim.tasks.furniture import GOAL

__all__ = ["ReachExpert"]


class ReachExpert:
    """A `Controller` for `run_rollout`; make a new one for each attempt.

    Args:
        robot: The robot.
        frame: Frame that is to reach the goal; it must belong to one of the robot's hands.
        duration: Of the movement [s].

    Raises:
        RobotError: No hand of the robot has that frame.
    """

    def __init__(self, robot: RobotModel, frame: str, duration: float = 1.2) -> None:
        """Find the hand; the movement starts with the first call."""
        from kata_retarget.hands import HandsConfig, HandsRetargeter  # its package loads numba: a second at each start

        hands = [hand for hand, spec in robot.description.hands.items() if spec.frame == frame]
        if not hands:
            raise RobotError(
                f"no hand has the frame {frame!r}", where=robot.description.name, fix="name it under hands: in robot.yaml"
            )
        self._robot, self._frame, self._duration = robot, frame, duration
        self._hand = hands[0]
        self._retargeter = HandsRetargeter(robot, HandsConfig())
        self._start: tuple[int, FloatArray] | None = None

    def __call__(self, state: JointState, objects: Mapping[str, FloatArray]) -> JointCommand:
        """Return the next command.

        Args:
            state: Measured joints.
            objects: Poses in the base's frame by name, shape (7,); holds the goal.
        """
        if self._start is None:
            self._start = state.stamp, self._robot.frame_poses(state.position, (self._frame,))[0].translation
        begun, palm = self._start
        hand = minimum_jerk(palm, objects[GOAL][:3], self._duration, (state.stamp - begun) * 1e-9)
        upright = np.array([[0.0, 0.0, 0.0, 1.0]])
        frames = HumanFrames(state.stamp, "expert", True, (self._hand,), hand[None], upright, np.ones(1))
        position = self._retargeter.step(frames, state).position
        robot, rest = self._robot, np.zeros(len(self._robot.layout))
        wanted = state.position if position is None else position
        return JointCommand(state.stamp, wanted, rest, robot.gravity_effort(state.position), robot.stiffness, robot.damping)
