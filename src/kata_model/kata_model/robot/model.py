# SPDX-License-Identifier: Apache-2.0
"""A robot's rigid-body model: limits, kinematics and gravity by Pinocchio."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pinocchio as pin
from numpy.typing import ArrayLike

from kata_model.arrays import FloatArray, frozen
from kata_model.errors import RobotError
from kata_model.joints import JointLayout
from kata_model.robot.description import RobotDescription, load_description
from kata_model.robot.urdf import urdf_text

__all__ = ["RobotModel", "build_robot", "load_robot"]


@dataclass(frozen=True)
class RobotModel:
    """A robot with fixed base, in the base's frame; joint vectors are in layout order.

    The layout is the URDF's order, which is Pinocchio's, so no vector is ever permuted inside Kata.

    Attributes:
        description: The folder of data.
        pinocchio: The fixed-base Pinocchio model with the description's extra frames.
        layout: Joint order, n joints.
        lower: Lower position limits, shape (n,), [rad].
        upper: Upper position limits, shape (n,), [rad].
        max_velocity: Velocity limits, shape (n,), [rad/s].
        max_effort: Effort limits, shape (n,), [N·m].
        rest: Rest position, shape (n,), [rad].
        stiffness: Default gains, shape (n,), [N·m/rad].
        damping: Default gains, shape (n,), [N·m·s/rad].
    """

    description: RobotDescription
    pinocchio: Any
    layout: JointLayout
    lower: FloatArray
    upper: FloatArray
    max_velocity: FloatArray
    max_effort: FloatArray
    rest: FloatArray
    stiffness: FloatArray
    damping: FloatArray

    @cached_property
    def _data(self) -> Any:
        return self.pinocchio.createData()

    def frame_id(self, name: str) -> int:
        """Return Pinocchio's index of a frame.

        Raises:
            RobotError: The robot has no such frame.
        """
        if not self.pinocchio.existFrame(name):
            raise RobotError(f"{self.description.name} has no frame {name!r}")
        return int(self.pinocchio.getFrameId(name))

    def frame_poses(self, position: ArrayLike, frames: tuple[str, ...]) -> list[Any]:
        """Return poses of frames in the base's frame, as ``pinocchio.SE3``; position has shape (n,), [rad]."""
        pin.framesForwardKinematics(self.pinocchio, self._data, np.asarray(position, dtype=float))
        return [self._data.oMf[self.frame_id(name)].copy() for name in frames]

    def frame_jacobians(self, position: ArrayLike, frames: tuple[str, ...]) -> list[FloatArray]:
        """Return how frames' places in the base's frame change with the joints, shape (3, n) each, [m/rad]."""
        if not frames:
            return []
        pin.computeJointJacobians(self.pinocchio, self._data, np.asarray(position, dtype=float))
        ids = [self.frame_id(name) for name in frames]
        aligned = pin.ReferenceFrame.LOCAL_WORLD_ALIGNED
        return [np.array(pin.getFrameJacobian(self.pinocchio, self._data, i, aligned)[:3]) for i in ids]

    def gravity_effort(self, position: ArrayLike) -> FloatArray:
        """Return the effort that holds the robot still with an upright base, shape (n,), [N·m]."""
        effort = pin.computeGeneralizedGravity(self.pinocchio, self._data, np.asarray(position, dtype=float))
        return np.array(effort)

    def clamp(self, position: ArrayLike) -> FloatArray:
        """Return the nearest position within the position limits, shape (n,), [rad]."""
        clamped: FloatArray = np.clip(np.asarray(position, dtype=float), self.lower, self.upper)
        return clamped


def load_robot(robot: str | Path) -> RobotModel:
    """Load a robot by the name or path of its folder of data.

    Raises:
        RobotError: The description is unusable, or the URDF lacks limits.
    """
    return build_robot(load_description(robot))


def build_robot(description: RobotDescription) -> RobotModel:
    """Build the model of a description.

    Raises:
        RobotError: The description does not fit its URDF, or the URDF lacks limits.
    """
    try:
        model = pin.buildModelFromXML(urdf_text(description))
    except (ValueError, RuntimeError) as error:
        raise RobotError(f"not a usable URDF: {str(error).splitlines()[0]}", where=str(description.urdf)) from error
    for name, spec in description.frames.items():
        _add_frame(model, name, spec, description)
    layout = JointLayout(tuple(model.names[1:]))
    if model.nq != len(layout):
        raise RobotError("has joints that are not revolute or prismatic", where=str(description.urdf), fix="fix or limit them")
    _check_limits(model, layout, description)
    n = (len(layout),)
    gains = np.array([description.gain(name) for name in layout.names]).reshape(-1, 2)
    unknown = set(description.rest) - set(layout.names)
    if unknown:
        raise RobotError(f"rest names unknown joints {sorted(unknown)}", where=str(description.folder / "robot.yaml"))
    return RobotModel(
        description=description,
        pinocchio=model,
        layout=layout,
        lower=frozen("lower", model.lowerPositionLimit, n),
        upper=frozen("upper", model.upperPositionLimit, n),
        max_velocity=frozen("max_velocity", model.velocityLimit, n),
        max_effort=frozen("max_effort", model.effortLimit, n),
        rest=frozen("rest", [description.rest.get(name, 0.0) for name in layout.names], n),
        stiffness=frozen("stiffness", gains[:, 0], n),
        damping=frozen("damping", gains[:, 1], n),
    )


def _add_frame(model: Any, name: str, spec: Any, description: RobotDescription) -> None:
    if not model.existFrame(spec.link):
        raise RobotError(f"frame {name} names the unknown link {spec.link!r}", where=str(description.folder / "robot.yaml"))
    parent = model.frames[model.getFrameId(spec.link)]
    offset = pin.SE3(pin.rpy.rpyToMatrix(*spec.rpy), np.array(spec.xyz))
    model.addFrame(
        pin.Frame(name, parent.parentJoint, model.getFrameId(spec.link), parent.placement * offset, pin.FrameType.OP_FRAME)
    )


def _check_limits(model: Any, layout: JointLayout, description: RobotDescription) -> None:
    """Refuse a URDF without limits, all joints named: nothing could be made safe without them."""
    low, high, names = model.lowerPositionLimit, model.upperPositionLimit, np.array(layout.names)
    bounded = (np.abs(low) < 1e3) & (np.abs(high) < 1e3) & (low < high)
    driven = (model.velocityLimit > 0.0) & (model.velocityLimit < 1e3) & (model.effortLimit > 0.0) & (model.effortLimit < 1e6)
    lacking = [(names[~bounded], "position limits"), (names[~driven], "velocity or effort limit")]
    texts = [
        f"joint{'s' if len(who) > 1 else ''} {', '.join(who)} {'have' if len(who) > 1 else 'has'} no {what}"
        for who, what in lacking
        if len(who)
    ]
    if texts:
        fix = "give <limit lower upper velocity effort>, or name under held in robot.yaml what Kata shall leave alone"
        raise RobotError("; ".join(texts), where=str(description.urdf), fix=fix)
