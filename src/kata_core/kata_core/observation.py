# SPDX-License-Identifier: Apache-2.0
"""What a policy sees: named terms, computed by the same code in training and on the robot.

Terms (positions in the base's frame):

- ``joint_position``, ``joint_velocity``: of the policy's joints, [rad] and [rad/s].
- ``frame_position/FRAME``: of a frame of the robot, by forward kinematics, [m].
- ``object_position/OBJECT``: of an object of the task, [m].
- ``object_from_frame/OBJECT/FRAME``: the object's position minus the frame's, [m].
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kata_core.arrays import FloatArray
from kata_core.errors import ContractError
from kata_core.joints import JointState
from kata_core.robot import RobotModel

__all__ = ["Observer", "TermSpec"]

_PARTS = {"joint_position": 0, "joint_velocity": 0, "frame_position": 1, "object_position": 1, "object_from_frame": 2}


@dataclass(frozen=True, slots=True)
class TermSpec:
    """One term of an observation.

    Attributes:
        name: As in the module's docstring.
        shape: Shape without the batch.
    """

    name: str
    shape: tuple[int, ...]


class Observer:
    """Computes observations for one robot and one list of terms."""

    def __init__(self, robot: RobotModel, terms: Sequence[str], joint_names: Sequence[str]) -> None:
        """Check the terms.

        Args:
            robot: The robot that is observed.
            terms: Names of terms.
            joint_names: The policy's joints.

        Raises:
            ContractError: A term, joint or frame is unknown.
        """
        self._robot = robot
        self._joints = self._indices(joint_names)
        self._parsed = [_parse(name) for name in terms]
        self._frames = tuple(dict.fromkeys(frame for parts in self._parsed if (frame := _frame_of(parts))))
        for frame in self._frames:
            if not robot.pinocchio.existFrame(frame):
                raise ContractError(f"observation names the unknown frame {frame!r}", where=robot.description.name)
        shape = {0: (len(self._joints),), 1: (3,), 2: (3,)}
        self.terms = tuple(TermSpec("/".join(p), shape[len(p) - 1]) for p in self._parsed)
        self.objects = tuple(dict.fromkeys(p[1] for p in self._parsed if p[0].startswith("object")))

    def _indices(self, joint_names: Sequence[str]) -> list[int]:
        try:
            return self._robot.layout.indices(joint_names)
        except KeyError as error:
            raise ContractError(f"the robot has no joint {error}", where=self._robot.description.name) from error

    def observe(self, state: JointState, objects: Mapping[str, FloatArray]) -> dict[str, NDArray[np.float32]] | None:
        """Return every term by name, float32, or None if an object is missing.

        Args:
            state: Measured joints.
            objects: Object positions in the base's frame by name, shape (3,), [m].
        """
        if not all(name in objects for name in self.objects):
            return None
        poses = self._robot.frame_poses(state.position, self._frames) if self._frames else []
        places = {name: pose.translation for name, pose in zip(self._frames, poses, strict=True)}
        return {
            spec.name: np.asarray(self._value(parts, state, objects, places), dtype=np.float32)
            for spec, parts in zip(self.terms, self._parsed, strict=True)
        }

    def _value(
        self, parts: list[str], state: JointState, objects: Mapping[str, FloatArray], places: Mapping[str, FloatArray]
    ) -> FloatArray:
        match parts:
            case ["joint_position"]:
                return state.position[self._joints]
            case ["joint_velocity"]:
                return state.velocity[self._joints]
            case ["frame_position", frame]:
                return places[frame]
            case ["object_position", name]:
                return objects[name]
            case [_, name, frame]:
                return objects[name] - places[frame]
        raise AssertionError(parts)

    def jacobian(self, state: JointState) -> dict[str, NDArray[np.float32]]:
        """Return the derivative of every term by the policy's joints, shape (*shape, k), in [unit of the term / rad].

        Args:
            state: Measured joints.
        """
        frames = dict(zip(self._frames, self._robot.frame_jacobians(state.position, self._frames), strict=True))
        found = {}
        for spec, parts in zip(self.terms, self._parsed, strict=True):
            slope = np.zeros((*spec.shape, len(self._joints)))
            match parts:
                case ["joint_position"]:
                    slope = np.eye(len(self._joints))
                case ["frame_position", frame]:
                    slope = frames[frame][:, self._joints]
                case ["object_from_frame", _, frame]:
                    slope = -frames[frame][:, self._joints]
            found[spec.name] = slope.astype(np.float32)
        return found


def _parse(name: str) -> list[str]:
    parts = name.split("/")
    if _PARTS.get(parts[0]) != len(parts) - 1 or not all(parts):
        raise ContractError(f"unknown observation term {name!r}", fix="see kata_core.observation for the terms there are")
    return parts


def _frame_of(parts: list[str]) -> str:
    return parts[-1] if parts[0] in ("frame_position", "object_from_frame") else ""
