# SPDX-License-Identifier: Apache-2.0
"""Hands alone, relative and clutched: how a person with two controllers moves a robot's arms.

At engage each hand is clutched: its offset to the robot's own hand is kept, and from then on displacement and
rotation of the human hand are repeated by the robot's, one to one: a scale is the source's
(`kata_teleop.engage.EngageConfig`). Engaging therefore moves nothing, wherever the human's hand is.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pinocchio as pin

from kata_model.arrays import FloatArray
from kata_model.clutch_offset import ClutchOffset, pose_of
from kata_model.config.params import param
from kata_model.frames import HumanFrames
from kata_model.joints import JointState
from kata_model.robot import RobotModel
from kata_retarget.types import Retargeted

__all__ = ["HandsConfig", "HandsRetargeter"]


@dataclass(frozen=True)
class HandsConfig:
    """How hands are followed."""

    orientation_weight: float = param(0.15, unit="m/rad", low=0.0, high=1.0, doc="Orientation that weighs as much as position.")
    damping: float = param(0.02, unit="m/rad", low=1e-4, high=1.0, doc="Damping; more is calmer near singularities.")
    posture_gain: float = param(
        0.05, unit="1", low=0.0, high=1.0, doc="Share of the way back to the posture at engage, an iteration."
    )
    iterations: int = param(4, low=1, high=50, doc="Iterations for each sample.")
    max_step: float = param(0.15, unit="rad", low=0.001, high=1.0, doc="Largest joint step of one iteration.")


@dataclass(slots=True)
class _Clutch:
    """One hand while engaged: the offset of its clutch, and the arm's posture then."""

    offset: ClutchOffset
    posture: FloatArray


class HandsRetargeter:
    """Damped least squares on the arms (Nakamura & Hanafusa 1986), one clutch for each hand."""

    def __init__(self, robot: RobotModel, config: HandsConfig) -> None:
        """Prepare for a robot whose description names its hands."""
        self._robot = robot
        self._config = config
        self._data = robot.pinocchio.createData()
        self._hands = robot.description.hands
        self._frames = {hand: robot.frame_id(spec.frame) for hand, spec in self._hands.items()}
        self._joints = {hand: np.array(robot.layout.indices(spec.joints)) for hand, spec in self._hands.items()}
        self._lower, self._upper = _bounds(robot)
        self._clutches: dict[str, _Clutch] = {}
        self._position: FloatArray = np.array(robot.rest)
        self._seen: set[str] = set()

    def step(self, frames: HumanFrames, measured: JointState) -> Retargeted:
        """Follow one sample.

        Args:
            frames: The human's hands in any upright world; a hand that is not tracked loses its clutch.
            measured: The robot's joints; where the motion starts at engage.

        Returns:
            Joint positions; those of no engaged hand stay as measured at engage. The reason ``lost_…`` names a
            hand that was tracked since engage and is not now. Position is None and the reason ``disengaged`` or
            ``no_hands`` where nothing is to be followed.
        """
        if not frames.engaged:
            self._clutches.clear()
            self._seen.clear()
            return self._result(None, ("disengaged",))
        tracked = {hand: row for hand in self._hands if (row := frames.find(hand)) is not None}
        if not self._clutches:
            self._position = self._robot.clamp(measured.position)
        self._clutches = {hand: clutch for hand, clutch in self._clutches.items() if hand in tracked}
        if not tracked:
            return self._result(None, ("no_hands",))
        for hand, row in tracked.items():
            human = pose_of(np.concatenate([frames.position[row], frames.orientation_xyzw[row]]))
            if hand not in self._clutches:
                self._clutches[hand] = _Clutch(
                    ClutchOffset(human, self._hand_pose(hand)), self._position[self._joints[hand]].copy()
                )
            self._follow(hand, self._clutches[hand], human)
        self._seen.update(tracked)
        lost = tuple(f"lost_{hand}" for hand in self._hands if hand in self._seen and hand not in tracked)
        return self._result(self._position, lost)

    def _result(self, position: FloatArray | None, reasons: tuple[str, ...]) -> Retargeted:
        base, feet = (np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0])), np.zeros(2, dtype=bool)
        return Retargeted(self._robot.layout.names, position, *base, feet, reasons)

    def _hand_pose(self, hand: str) -> Any:
        pin.framesForwardKinematics(self._robot.pinocchio, self._data, self._position)
        return self._data.oMf[self._frames[hand]].copy()

    def _follow(self, hand: str, clutch: _Clutch, human: Any) -> None:
        """Bring one arm to where its hand's displacement since engage asks it to be."""
        goal = clutch.offset.goal(human)
        joints = self._joints[hand]
        for _ in range(self._config.iterations):
            jacobian = pin.computeFrameJacobian(
                self._robot.pinocchio, self._data, self._position, self._frames[hand], pin.LOCAL_WORLD_ALIGNED
            )[:, joints]
            pose = pin.updateFramePlacement(self._robot.pinocchio, self._data, self._frames[hand])
            self._position[joints] = self._bounded_step(hand, jacobian, pose, goal)

    def _bounded_step(self, hand: str, jacobian: FloatArray, pose: Any, goal: Any) -> FloatArray:
        """Return the arm's next position, shape (k,), [rad]; the others do the work of joints that would leave their bounds."""
        joints = self._joints[hand]
        position, lower, upper = self._position[joints], self._lower[joints], self._upper[joints]
        pull = self._clutches[hand].posture - position
        step = self._least_squares(jacobian, pose, goal, pull)
        stuck = ~((position + step >= lower) & (position + step <= upper))
        if stuck.any():
            jacobian, pull = np.where(stuck, 0.0, jacobian), np.where(stuck, 0.0, pull)
            step = np.where(stuck, step, self._least_squares(jacobian, pose, goal, pull))
        limited = np.clip(step, -self._config.max_step, self._config.max_step)
        bounded: FloatArray = np.clip(position + limited, lower, upper)
        return bounded

    def _least_squares(self, jacobian: FloatArray, pose: Any, goal: Any, posture: FloatArray) -> FloatArray:
        """Return Jᵀ (J Jᵀ + λ² I)⁻¹ e, and the posture's pull in its null space.

        Args:
            jacobian: J of the hand, world-aligned, linear before angular, shape (6, k).
            pose: Where the hand is, base frame.
            goal: Where it should be.
            posture: Way back to the preferred posture, shape (k,), [rad].
        """
        weight = np.repeat([1.0, self._config.orientation_weight], 3)
        error = weight * np.concatenate([goal.translation - pose.translation, pin.log3(goal.rotation @ pose.rotation.T)])
        weighted = weight[:, None] * jacobian
        pull = self._config.posture_gain * posture
        gram = weighted @ weighted.T + self._config.damping**2 * np.eye(6)
        step: FloatArray = pull + weighted.T @ np.linalg.solve(gram, error - weighted @ pull)
        return step


def _bounds(robot: RobotModel) -> tuple[FloatArray, FloatArray]:
    """Return the positions that the hands may bring joints to, shape (n,) each, [rad], layout order."""
    lower, upper = np.array(robot.lower), np.array(robot.upper)
    for spec in robot.description.hands.values():
        for joint, (least, greatest) in spec.bounds.items():
            (i,) = robot.layout.indices([joint])
            lower[i], upper[i] = max(lower[i], least), min(upper[i], greatest)
    return lower, upper
