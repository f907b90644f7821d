# SPDX-License-Identifier: Apache-2.0
"""The table that says which part of a robot stands for which part of a human: ``retarget.yaml``."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from kata_model.arrays import FloatArray, frozen
from kata_model.config.yaml_data import load_yaml
from kata_model.errors import ConfigError
from kata_model.frames import BODIES
from kata_model.robot import RobotModel

__all__ = ["Row", "Sole", "Table", "load_table"]


@dataclass(frozen=True, slots=True)
class Row:
    """A human body and what follows it.

    Attributes:
        body: Name from `BODIES`.
        frame: Robot frame.
        weight: Cost of a deviation [1/m²] for a keypoint, [1/rad²] for an orientation.
        offset: Keypoint in the frame, shape (3,), [m].
    """

    body: str
    frame: str
    weight: float
    offset: FloatArray


@dataclass(frozen=True, slots=True)
class Sole:
    """The flat part of a foot.

    Attributes:
        frame: Robot frame of the foot.
        corners: In the frame, shape (c, 3), [m].
    """

    frame: str
    corners: FloatArray


@dataclass(frozen=True, slots=True)
class Table:
    """Everything that retargeting must know of a robot beyond its model.

    Attributes:
        keypoints: Rows for positions.
        orientations: Rows for orientations.
        soles: Left and right sole.
        hinges: Joints that bend one way only, away from the straight limb.
    """

    keypoints: tuple[Row, ...]
    orientations: tuple[Row, ...]
    soles: tuple[Sole, Sole]
    hinges: tuple[str, ...]


def load_table(robot: RobotModel) -> Table:
    """Read ``retarget.yaml`` of a robot's folder.

    Raises:
        ConfigError: The file is missing or unusable, or names a body, frame, joint or key that does not exist.
    """
    file = robot.description.folder / "retarget.yaml"
    try:
        data = load_yaml(file.read_text())
        table = _parse(data)
    except OSError as error:
        raise ConfigError(
            "no retargeting table", where=str(file), fix="write one after config/robots/g1/retarget.yaml"
        ) from error
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        text = f"lacks the key {error}" if isinstance(error, KeyError) else str(error).replace("\n", " ")
        raise ConfigError(f"unusable retargeting table: {text}", where=str(file)) from error
    _check(table, robot, file)
    return table


def _parse(data: Mapping[str, Any]) -> Table:
    unknown = set(data) - {"keypoints", "orientations", "soles", "hinges"}
    if unknown:
        raise ValueError(f"unknown keys {sorted(unknown)}")
    return Table(
        keypoints=tuple(_row(body, spec, "weight_per_m2") for body, spec in data["keypoints"].items()),
        orientations=tuple(_row(body, spec, "weight_per_rad2") for body, spec in data["orientations"].items()),
        soles=(_sole(data["soles"]["left"]), _sole(data["soles"]["right"])),
        hinges=tuple(map(str, data.get("hinges", ()))),
    )


def _row(body: str, spec: Mapping[str, Any], weight_key: str) -> Row:
    unknown = set(spec) - {"frame", "xyz_m", weight_key}
    if unknown:
        raise ValueError(f"unknown keys {sorted(unknown)} of {body}")
    weight = float(spec[weight_key])
    if not 0.0 <= weight < 1e6:
        raise ValueError(f"{weight_key} of {body} is {weight}, allowed: 0 to 1e6")
    return Row(body, str(spec["frame"]), weight, frozen("xyz_m", spec.get("xyz_m", (0, 0, 0)), (3,)))


def _sole(spec: Mapping[str, Any]) -> Sole:
    return Sole(str(spec["frame"]), frozen("corners_m", spec["corners_m"], (None, 3)))


def _check(table: Table, robot: RobotModel, file: Path) -> None:
    for row in (*table.keypoints, *table.orientations):
        if row.body not in BODIES:
            raise ConfigError(f"unknown human body {row.body!r}", where=str(file), fix=f"one of: {', '.join(BODIES)}")
    for frame in {row.frame for row in (*table.keypoints, *table.orientations)} | {sole.frame for sole in table.soles}:
        if not robot.pinocchio.existFrame(frame):
            raise ConfigError(f"the robot has no frame {frame!r}", where=str(file))
    unknown = set(table.hinges) - set(robot.layout.names)
    if unknown:
        raise ConfigError(f"unknown joints {sorted(unknown)} under hinges", where=str(file))
    needed = {
        f"{side}_{part}" for side in ("left", "right") for part in ("thigh", "shin", "foot", "upper_arm", "forearm", "hand")
    }
    missing = needed - {row.body for row in table.keypoints}
    if missing:
        raise ConfigError(f"keypoints lack {', '.join(sorted(missing))}", where=str(file))
    if not all(np.isfinite(row.offset).all() for row in table.keypoints) or not all(len(s.corners) for s in table.soles):
        raise ConfigError("offsets must be finite and soles need corners", where=str(file))
