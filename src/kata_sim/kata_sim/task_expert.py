# SPDX-License-Identifier: Apache-2.0
"""Scripted experts: a scripted person without hesitation, tremor or spread, retargeted to the robot's arms."""

from collections.abc import Mapping

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.joints import JointCommand, JointState
from kata_model.robot import RobotModel
from kata_sim.expert import ReachExpert
from kata_sim.rollout import Controller
from kata_teleop.scripted import PersonConfig, make_person, palms_of

__all__ = ["SkilledExpert", "make_expert"]


def make_expert(robot: RobotModel, task: str, seed: int = 0) -> Controller:
    """Return an expert for one attempt at a task, to be asked at 50 Hz or more.

    Args:
        robot: The robot.
        task: Name of the task.
        seed: Of small differences between attempts.

    Raises:
        ConfigError: There is no expert for the task.
        RobotError: The robot lacks hands.
    """
    return ReachExpert(robot, "right_palm") if task == "reach" else SkilledExpert(robot, task, seed)


class SkilledExpert:
    """A `Controller` for `run_rollout`; make a new one for each attempt."""

    def __init__(self, robot: RobotModel, task: str, seed: int) -> None:
        """Engage at the first call."""
        from kata_retarget.hands import HandsConfig, HandsRetargeter  # its package loads numba: a second at each start

        calm = PersonConfig(seed=seed, reaction=0.0, spread=0.05, tremor=0.0, noise=0.0)
        self._operator = make_person(task, calm)
        self._robot, self._retargeter = robot, HandsRetargeter(robot, HandsConfig())

    def __call__(self, state: JointState, objects: Mapping[str, FloatArray]) -> JointCommand:
        """Return the next command; objects as `Controller` has them."""
        if not self._operator.engaged:
            self._operator.engage(state.stamp)
        robot, rest = self._robot, np.zeros(len(self._robot.layout))
        frames = self._operator.step(objects, palms_of(robot, state.position), state.stamp)
        position = self._retargeter.step(frames, state).position
        wanted = state.position if position is None else position
        return JointCommand(state.stamp, wanted, rest, robot.gravity_effort(state.position), robot.stiffness, robot.damping)
