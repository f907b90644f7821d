# SPDX-License-Identifier: Apache-2.0
"""A robot's folder of data: ``robot.yaml`` beside whatever else describes it."""

import importlib.util
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kata_core.config_path import find_config
from kata_core.errors import ConfigError, RobotError

__all__ = ["FrameSpec", "HandSpec", "RobotDescription", "load_description"]


@dataclass(frozen=True, slots=True)
class FrameSpec:
    """A frame fixed to a link, e.g. the palm.

    Attributes:
        link: Name of the URDF link that carries it.
        xyz: Origin in the link's frame [m].
        rpy: Roll, pitch, yaw of the frame in the link's frame [rad].
    """

    link: str
    xyz: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rpy: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class HandSpec:
    """What follows a human hand.

    Attributes:
        frame: Frame that is led, e.g. the palm.
        joints: Joints that may move for it.
    """

    frame: str
    joints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RobotDescription:
    """What Kata must know of a robot beyond its URDF.

    Attributes:
        name: Name of the robot.
        folder: Folder that the description came from.
        urdf: Path of the URDF.
        package_dirs: Folders in which ``package://`` is looked up.
        base_link: Root link; the floating base.
        base_height: Height of the base over the floor when standing at rest [m].
        groups: Joint names by group (e.g. ``right_arm``).
        rest: Joint positions at rest by joint [rad]; joints left out rest at 0.
        gains: Pairs of stiffness [N·m/rad] and damping [N·m·s/rad] by pattern of joint names.
        frames: Extra frames by name.
        hands: What follows a human hand, by human body (e.g. ``right_hand``).
    """

    name: str
    folder: Path
    urdf: Path
    package_dirs: tuple[Path, ...]
    base_link: str
    base_height: float
    groups: Mapping[str, tuple[str, ...]]
    rest: Mapping[str, float]
    gains: Sequence[tuple[str, float, float]]
    frames: Mapping[str, FrameSpec]
    hands: Mapping[str, HandSpec]

    def gain(self, joint: str) -> tuple[float, float]:
        """Return stiffness and damping of a joint: the first pattern that matches its whole name."""
        for pattern, stiffness, damping in self.gains:
            if re.fullmatch(pattern, joint):
                return stiffness, damping
        raise RobotError(f"no gains for joint {joint}", where=str(self.folder / "robot.yaml"), fix="add a pattern to gains")


def load_description(robot: str | Path) -> RobotDescription:
    """Load a robot's description.

    Args:
        robot: Name of a folder in ``config/robots``, or the path of such a folder.

    Raises:
        RobotError: The folder, its robot.yaml or the URDF is missing or unusable.
    """
    try:
        folder = find_config(robot if Path(robot).is_dir() else Path("robots") / robot)
    except ConfigError as error:
        raise RobotError(f"no robot {str(robot)!r}", fix=error.fix) from error
    file = folder / "robot.yaml"
    try:
        data: dict[str, Any] = yaml.safe_load(file.read_text())
        return _parse(folder, data)
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        text = f"lacks the key {error}" if isinstance(error, KeyError) else str(error).replace("\n", " ")
        raise RobotError(f"unusable description: {text}", where=str(file)) from error


def _parse(folder: Path, data: dict[str, Any]) -> RobotDescription:
    urdf, dirs = _resolve_urdf(folder, str(data["urdf"]))
    return RobotDescription(
        name=str(data["name"]),
        folder=folder,
        urdf=urdf,
        package_dirs=dirs,
        base_link=str(data["base_link"]),
        base_height=float(data["base_height"]),
        groups={name: tuple(joints) for name, joints in data["groups"].items()},
        rest={joint: float(value) for joint, value in data.get("rest", {}).items()},
        gains=tuple((str(p), float(kp), float(kd)) for p, (kp, kd) in data["gains"].items()),
        frames={name: _frame(spec) for name, spec in data.get("frames", {}).items()},
        hands={
            body: HandSpec(str(spec["frame"]), tuple(data["groups"][spec["joints"]]))
            for body, spec in data.get("hands", {}).items()
        },
    )


def _frame(spec: dict[str, Any]) -> FrameSpec:
    x, y, z = map(float, spec.get("xyz", (0, 0, 0)))
    roll, pitch, yaw = map(float, spec.get("rpy", (0, 0, 0)))
    return FrameSpec(str(spec["link"]), (x, y, z), (roll, pitch, yaw))


def _resolve_urdf(folder: Path, reference: str) -> tuple[Path, tuple[Path, ...]]:
    """Find a URDF: a path beside robot.yaml, or ``package://NAME/…`` in an installed data package."""
    dirs = tuple(_share_dirs())
    if not reference.startswith("package://"):
        urdf = (folder / reference).resolve()
        dirs = (urdf.parent, *dirs)
        found = urdf if urdf.is_file() else None
    else:
        relative = reference.removeprefix("package://")
        found = next((d / relative for d in dirs if (d / relative).is_file()), None)
    if found is None:
        raise RobotError(
            f"URDF {reference} not found",
            where=str(folder / "robot.yaml"),
            fix="pip install example-robot-data, or correct urdf:",
        )
    return found, dirs


def _share_dirs() -> list[Path]:
    """Return the share folders of data packages installed by pip (cmeel) and by ROS 2."""
    spec = importlib.util.find_spec("cmeel")
    site = Path(spec.origin).parents[1] if spec and spec.origin else None
    prefixes = [Path(p) for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
    return ([site / "cmeel.prefix" / "share"] if site else []) + [p / "share" for p in prefixes]
