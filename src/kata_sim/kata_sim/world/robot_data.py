# SPDX-License-Identifier: Apache-2.0
"""What a simulator must know of a robot beyond URDF and robot.yaml: ``sim.yaml`` in the same folder."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from kata_model.arrays import FloatArray, frozen
from kata_model.config.yaml_data import load_yaml
from kata_model.errors import RobotError
from kata_model.joints import JointLayout
from kata_model.robot import RobotDescription
from kata_sim.tasks.specs import TaskSpecs, parse_tasks

__all__ = ["CameraSpec", "JointDynamics", "SimData", "load_sim_data"]

_KEYS = ("camera", "imu", "dynamics", "pads", "table", "reach", "lift", "push")

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
        tasks: Where tasks take place.
    """

    camera: CameraSpec | None = None
    imu_link: str | None = None
    dynamics: Sequence[tuple[str, tuple[float, float, float]]] = ()
    tasks: TaskSpecs = field(default_factory=TaskSpecs)

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
        return _parse(load_yaml(file.read_text()) or {})
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError, re.error) as error:
        text = f"lacks the key {error}" if isinstance(error, KeyError) else str(error).replace("\n", " ")
        raise RobotError(f"unusable simulation data: {text}", where=str(file)) from error


def _parse(data: Mapping[str, Any]) -> SimData:
    unknown = set(data) - set(_KEYS)
    if unknown:
        raise ValueError(f"unknown keys {sorted(unknown)}; known: {', '.join(_KEYS)}")
    camera, imu = data.get("camera"), data.get("imu")
    dynamics = [(str(p), (float(a), float(d), float(f))) for p, (a, d, f) in data.get("dynamics", {}).items()]
    return SimData(
        camera=CameraSpec(str(camera["link"]), float(camera["fovy"])) if camera else None,
        imu_link=str(imu["link"]) if imu else None,
        dynamics=tuple(dynamics),
        tasks=parse_tasks(data),
    )
