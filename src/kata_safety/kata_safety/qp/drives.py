# SPDX-License-Identifier: Apache-2.0
"""What a URDF does not tell of the drives: rotor inertia, and how far a joint strays from its command."""

import re
from typing import Any

import numpy as np
import yaml

from kata_model.arrays import FloatArray
from kata_model.config.yaml_data import load_yaml
from kata_model.errors import RobotError
from kata_model.robot import RobotModel

__all__ = ["position_margins", "rotor_inertia"]


def rotor_inertia(robot: RobotModel) -> FloatArray:
    """Return rotor inertia times gear ratio squared, shape (n,), [kg·m²].

    It is declared once, under ``dynamics`` in the ``sim.yaml`` of the robot's folder; a joint that no pattern
    names has none. At high acceleration it is most of a small joint's load.

    Raises:
        RobotError: The file is unusable.
    """
    return _by_joint(robot, "sim.yaml", "dynamics", 0.0)


def position_margins(robot: RobotModel, default: float) -> FloatArray:
    """Return the distance to keep from each position limit, shape (n,), [rad].

    ``margins`` in the ``safety.yaml`` of the robot's folder raises the default for joints whose measured
    position strays further from the command.

    Raises:
        RobotError: The file is unusable.
    """
    return np.maximum(default, _by_joint(robot, "safety.yaml", "margins", default))


def _by_joint(robot: RobotModel, name: str, key: str, default: float) -> FloatArray:
    """Read a table of values, or of rows whose first value counts, by pattern of joint names; the first match counts."""
    file = robot.description.folder / name
    if not file.exists():
        return np.full(len(robot.layout), default)
    try:
        rows: dict[str, Any] = (load_yaml(file.read_text()) or {}).get(key, {})
        table = [(re.compile(pattern), float(np.ravel(values)[0])) for pattern, values in rows.items()]
    except (OSError, yaml.YAMLError, TypeError, ValueError, IndexError, AttributeError, re.error) as error:
        raise RobotError(f"unusable {key}: {str(error).splitlines()[0]}", where=str(file)) from error
    return np.array([next((value for p, value in table if p.fullmatch(joint)), default) for joint in robot.layout.names])
