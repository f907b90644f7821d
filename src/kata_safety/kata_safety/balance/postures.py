# SPDX-License-Identifier: Apache-2.0
"""The postures of a robot on its feet: ``balance.yaml`` in its folder."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import yaml

from kata_model.arrays import FloatArray, frozen
from kata_model.config.yaml_data import load_yaml
from kata_model.errors import RobotError
from kata_model.robot import RobotModel
from kata_model.robot.retarget_table import load_table

__all__ = ["Postures", "load_postures", "standing_height"]


@dataclass(frozen=True, slots=True)
class Postures:
    """Joint positions of shape (n,), [rad].

    Attributes:
        standing: How it stands.
        squat: Where it goes before its joints only damp.
        sole: Corners of the part of a sole that bears, in the axes of the sole's frame, shape (k, 2), [m]; None for all of it.
        closer: How much nearer to the base than elsewhere the link behind a joint may come, by the joint's index [m].
    """

    standing: FloatArray
    squat: FloatArray
    sole: FloatArray | None = None
    closer: Mapping[int, float] = field(default_factory=dict)


def load_postures(robot: RobotModel) -> Postures:
    """Read a robot's ``balance.yaml``; without it, both postures are the rest posture.

    Raises:
        RobotError: The file is unusable.
    """
    file = robot.description.folder / "balance.yaml"
    if not file.exists():
        return Postures(robot.rest, robot.rest)
    try:
        data: dict[str, Any] = load_yaml(file.read_text())
        unknown = set(data) - {"standing", "squat", "sole_m", "closer_m"}
        if unknown:
            raise ValueError(f"unknown keys {sorted(unknown)}")
        sole = frozen("sole_m", data["sole_m"], (None, 2)) if "sole_m" in data else None
        closer = _by_joint(robot, data.get("closer_m", {}))
        return Postures(_posture(robot, data["standing"]), _posture(robot, data["squat"]), sole, closer)
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError, re.error) as error:
        text = f"lacks the key {error}" if isinstance(error, KeyError) else str(error).replace("\n", " ")
        raise RobotError(f"unusable postures: {text}", where=str(file)) from error


def standing_height(robot: RobotModel, position: FloatArray) -> float:
    """Return the height of the base over the lowest corner of the soles, base upright [m]; position as in `Postures`.

    Of a robot without a retargeting table, which says where the soles are, it is what robot.yaml says.
    """
    if not (robot.description.folder / "retarget.yaml").exists():
        return robot.description.base_height
    soles = load_table(robot).soles
    poses = robot.frame_poses(position, tuple(sole.frame for sole in soles))
    return -min(float((s.corners @ p.rotation[2] + p.translation[2]).min()) for s, p in zip(soles, poses, strict=True))


def _posture(robot: RobotModel, rows: Mapping[str, Any]) -> FloatArray:
    position = np.array(robot.rest)
    for joint, value in _by_joint(robot, rows).items():
        position[joint] = value
    if not np.array_equal(position, robot.clamp(position)):
        raise ValueError("a joint is beyond its limits")
    return frozen("posture", position, (len(position),))


def _by_joint(robot: RobotModel, rows: Mapping[str, Any]) -> dict[int, float]:
    """Return values by joint index; of the patterns that match a joint's name, the first counts."""
    table = [(re.compile(pattern), float(value)) for pattern, value in rows.items()]
    found = ((i, next((v for p, v in table if p.fullmatch(name)), None)) for i, name in enumerate(robot.layout.names))
    return {i: value for i, value in found if value is not None}
