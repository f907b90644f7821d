# SPDX-License-Identifier: Apache-2.0
"""Rotor inertia of the drives: no URDF tells it, and at high acceleration it is most of a small joint's load."""

import re

import numpy as np
import yaml

from kata_core.arrays import FloatArray
from kata_core.errors import RobotError
from kata_core.robot import RobotModel

__all__ = ["rotor_inertia"]


def rotor_inertia(robot: RobotModel) -> FloatArray:
    """Return rotor inertia times gear ratio squared, shape (n,), [kg·m²].

    It is declared once, under ``dynamics`` in the ``sim.yaml`` of the robot's folder; a joint that no pattern
    names has none.

    Raises:
        RobotError: The file is unusable.
    """
    file = robot.description.folder / "sim.yaml"
    if not file.exists():
        return np.zeros(len(robot.layout))
    try:
        rows = (yaml.safe_load(file.read_text()) or {}).get("dynamics", {})
        patterns = [(re.compile(pattern), float(values[0])) for pattern, values in rows.items()]
    except (OSError, yaml.YAMLError, TypeError, ValueError, IndexError, AttributeError, re.error) as error:
        raise RobotError(f"unusable dynamics: {str(error).splitlines()[0]}", where=str(file)) from error
    return np.array([next((value for p, value in patterns if p.fullmatch(name)), 0.0) for name in robot.layout.names])
