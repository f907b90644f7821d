# SPDX-License-Identifier: Apache-2.0
"""What a simulator must know of a robot beyond URDF and robot.yaml: ``sim.yaml`` in the same folder."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from kata_core.arrays import FloatArray, frozen
from kata_core.errors import RobotError
from kata_core.joints import JointLayout
from kata_core.robot import RobotDescription

__all__ = ["CameraSpec", "GoalBox", "JointDynamics", "SimData", "load_sim_data"]

_DEFAULT_DYNAMICS = (0.01, 0.05, 0.1)
"""Armature, damping, friction of a joint that no pattern names: small gears of a humanoid."""


@dataclass(frozen=True, slots=True)
class CameraSpec:
    """The head camera.

    Attributes:
        link: Link that carries it; looks along the link's x axis, z up.
        fovy: Vertical field of view [rad].
    """

    link: str
    fovy: float


@dataclass(frozen=True, slots=True)
class GoalBox:
    """Where the goals of the reach task lie.

    Attributes:
        frame: Frame of the robot that is to reach them.
        low: Lowest corner in the base's frame, shape (3,), [m].
        high: Highest corner, shape (3,), [m].
    """

    frame: str
    low: FloatArray
    high: FloatArray

    def __post_init__(self) -> None:
        """Copy and freeze the corners."""
        for name in ("low", "high"):
            object.__setattr__(self, name, frozen(name, getattr(self, name), (3,)))
        if not (self.low <= self.high).all():
            raise ValueError(f"goal box is empty: low {self.low}, high {self.high}")


@dataclass(frozen=True, slots=True)
class JointDynamics:
    """What a URDF does not tell of the drives; vectors of shape (n,) in layout order.

    Attributes:
        armature: Rotor inertia seen at the joint [kg·m²].
        damping: Viscous friction [N·m·s/rad].
        friction: Dry friction [N·m].
    """

    armature: FloatArray
    damping: FloatArray
    friction: FloatArray


@dataclass(frozen=True, slots=True)
class SimData:
    """The content of ``sim.yaml``; what is None, the simulated robot does not have.

    Attributes:
        camera: Head camera.
        imu_link: Link of the inertial sensor; its axes are the sensor's.
        dynamics: Armature, damping and friction by pattern of joint names.
        reach: Goals of the reach task.
    """

    camera: CameraSpec | None = None
    imu_link: str | None = None
    dynamics: Sequence[tuple[str, tuple[float, float, float]]] = ()
    reach: GoalBox | None = None

    def joint_dynamics(self, layout: JointLayout) -> JointDynamics:
        """Return the drives' values for each joint of a layout."""
        rows = [self._dynamics_of(name) for name in layout.names]
        columns = [frozen("dynamics", column, (len(layout),)) for column in zip(*rows, strict=True)]
        return JointDynamics(*columns)

    def _dynamics_of(self, joint: str) -> tuple[float, float, float]:
        return next((values for pattern, values in self.dynamics if re.fullmatch(pattern, joint)), _DEFAULT_DYNAMICS)


def load_sim_data(description: RobotDescription) -> SimData:
    """Read ``sim.yaml`` from a robot's folder; without the file the robot has no camera, IMU or task.

    Raises:
        RobotError: The file is unusable.
    """
    file = description.folder / "sim.yaml"
    if not file.exists():
        return SimData()
    try:
        return _parse(yaml.safe_load(file.read_text()) or {})
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError, re.error) as error:
        text = f"lacks the key {error}" if isinstance(error, KeyError) else str(error).replace("\n", " ")
        raise RobotError(f"unusable simulation data: {text}", where=str(file)) from error


def _parse(data: Mapping[str, Any]) -> SimData:
    unknown = set(data) - {"camera", "imu", "dynamics", "reach"}
    if unknown:
        raise ValueError(f"unknown keys {sorted(unknown)}; known: camera, imu, dynamics, reach")
    camera, imu, reach = data.get("camera"), data.get("imu"), data.get("reach")
    dynamics = [(str(p), (float(a), float(d), float(f))) for p, (a, d, f) in data.get("dynamics", {}).items()]
    return SimData(
        camera=CameraSpec(str(camera["link"]), float(camera["fovy"])) if camera else None,
        imu_link=str(imu["link"]) if imu else None,
        dynamics=tuple(dynamics),
        reach=GoalBox(str(reach["frame"]), reach["low"], reach["high"]) if reach else None,
    )
