# SPDX-License-Identifier: Apache-2.0
"""What a policy sees: named terms, computed by the same code in training and on the robot.

Terms (positions in the base's frame):

- ``joint_position``, ``joint_velocity``: of the policy's joints, [rad] and [rad/s].
- ``frame_position/FRAME``: of a frame of the robot, by forward kinematics, [m].
- ``object_position/OBJECT``: of an object of the task, [m].
- ``object_rotation/OBJECT``: the first two columns of its rotation matrix, one after the other (Zhou et al. 2019, CVPR).
- ``object_from_frame/OBJECT/FRAME``: the object's position minus the frame's, [m].
- ``wrench/SENSOR``: force and torque of a sensor in its own frame, [N] and [N·m].
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_model.errors import ContractError
from kata_model.joints import JointState
from kata_model.robot import RobotModel

__all__ = ["CameraSpec", "Observer", "TermSpec"]

_PARTS = {
    "joint_position": 0,
    "joint_velocity": 0,
    "frame_position": 1,
    "object_position": 1,
    "object_rotation": 1,
    "object_from_frame": 2,
    "wrench": 1,
}

_SIZES = {"object_rotation": 6, "wrench": 6}
"""Of terms that are neither one number a joint nor a place."""


@dataclass(frozen=True, slots=True)
class TermSpec:
    """One term of an observation.

    Attributes:
        name: As in the module's docstring.
        shape: Shape without the batch.
    """

    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CameraSpec:
    """Pictures of one camera, as a policy takes them: uint8, rows from the top.

    Attributes:
        name: Of the camera, as in its topic.
        height: Rows [px].
        width: Columns [px].
        colours: Order of the colours.
    """

    name: str
    height: int
    width: int
    colours: str = "rgb"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return the shape of a picture."""
        return (self.height, self.width, 3)

    @property
    def input(self) -> str:
        """Return the name under which the picture stands in an observation."""
        return f"camera.{self.name}"


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
        sizes = [_SIZES.get(p[0], len(self._joints) if len(p) == 1 else 3) for p in self._parsed]
        self.terms = tuple(TermSpec("/".join(p), (size,)) for p, size in zip(self._parsed, sizes, strict=True))
        self.objects = tuple(dict.fromkeys(p[1] for p in self._parsed if p[0].startswith("object")))
        self.wrenches = tuple(dict.fromkeys(p[1] for p in self._parsed if p[0] == "wrench"))

    def _indices(self, joint_names: Sequence[str]) -> list[int]:
        try:
            return self._robot.layout.indices(joint_names)
        except KeyError as error:
            raise ContractError(f"the robot has no joint {error}", where=self._robot.description.name) from error

    def observe(
        self, state: JointState, objects: Mapping[str, FloatArray], wrenches: Mapping[str, FloatArray] | None = None
    ) -> dict[str, NDArray[np.float32]] | None:
        """Return every term by name, float32, or None if an object or a sensor is missing.

        Args:
            state: Measured joints.
            objects: Poses in the base's frame by name, position [m] and xyzw quaternion, shape (7,).
            wrenches: Force and torque by sensor, shape (6,), [N] and [N·m].
        """
        wrenches = wrenches or {}
        if not all(name in objects for name in self.objects) or not all(name in wrenches for name in self.wrenches):
            return None
        poses = self._robot.frame_poses(state.position, self._frames) if self._frames else []
        places = {name: pose.translation for name, pose in zip(self._frames, poses, strict=True)}
        return {
            spec.name: np.asarray(
                wrenches[parts[1]] if parts[0] == "wrench" else self._value(parts, state, objects, places), dtype=np.float32
            )
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
                return objects[name][:3]
            case ["object_rotation", name]:
                return _two_columns(objects[name][3:])
            case [_, name, frame]:
                return objects[name][:3] - places[frame]
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


def _two_columns(xyzw: FloatArray) -> FloatArray:
    """Return the first two columns of a quaternion's rotation matrix, shape (6,); NaN where it is not a rotation."""
    length = float(np.linalg.norm(xyzw))
    if not length > 0.0:
        return np.full(6, np.nan)
    x, y, z, w = xyzw / length
    first = [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y + w * z), 2.0 * (x * z - w * y)]
    return np.array([*first, 2.0 * (x * y - w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z + w * x)])


def _parse(name: str) -> list[str]:
    parts = name.split("/")
    if _PARTS.get(parts[0]) != len(parts) - 1 or not all(parts):
        raise ContractError(f"unknown observation term {name!r}", fix="see kata_policy.observation for the terms there are")
    return parts


def _frame_of(parts: list[str]) -> str:
    return parts[-1] if parts[0] in ("frame_position", "object_from_frame") else ""
