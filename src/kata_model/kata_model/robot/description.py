# SPDX-License-Identifier: Apache-2.0
"""A robot's folder of data: ``robot.yaml`` beside whatever else describes it."""

import importlib.util
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from kata_model.config.config_path import find_config
from kata_model.config.yaml_data import load_yaml
from kata_model.errors import ConfigError, RobotError

_PACKAGE_DEPTH = 4  # how many folders above a URDF its own package may begin

__all__ = ["FrameSpec", "HandSpec", "RobotDescription", "load_description", "package_folders", "urdf_reference"]


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
        bounds: Least and greatest position of joints that must not use all of their range [rad].
    """

    frame: str
    joints: tuple[str, ...]
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)


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
        held: Joints that Kata leaves alone, such as fingers, by pattern of names: where they are held [rad or m].
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
    held: Mapping[str, float] = field(default_factory=dict)

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
        folder = _find_folder(robot)
    except ConfigError as error:
        raise RobotError(f"no robot {str(robot)!r}", fix=error.fix) from error
    file = folder / "robot.yaml"
    try:
        data: dict[str, Any] = load_yaml(file.read_text())
        return _parse(folder, data)
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        text = f"lacks the key {error}" if isinstance(error, KeyError) else str(error).replace("\n", " ")
        raise RobotError(f"unusable description: {text}", where=str(file)) from error


def _find_folder(robot: str | Path) -> Path:
    """A plain name is looked up in the configuration first, so that a folder of that name here does not hide it."""
    given = Path(robot)
    try:
        return given if given.is_dir() and (given.is_absolute() or os.sep in str(robot)) else find_config(Path("robots") / robot)
    except ConfigError:
        if (given / "robot.yaml").is_file():
            return given
        raise


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
        hands={body: _hand(spec, tuple(data["groups"][spec["joints"]])) for body, spec in data.get("hands", {}).items()},
        held={str(pattern): float(position) for pattern, position in data.get("held", {}).items()},
    )


def _hand(spec: Mapping[str, Any], joints: tuple[str, ...]) -> HandSpec:
    bounds = {str(joint): (float(low), float(high)) for joint, (low, high) in spec.get("bounds", {}).items()}
    wrong = [joint for joint, (low, high) in bounds.items() if joint not in joints or not low < high]
    if wrong:
        raise ValueError(f"bounds of {wrong}: each needs one of the hand's joints and a least below a greatest position")
    return HandSpec(str(spec["frame"]), joints, bounds)


def _frame(spec: dict[str, Any]) -> FrameSpec:
    x, y, z = map(float, spec.get("xyz", (0, 0, 0)))
    roll, pitch, yaw = map(float, spec.get("rpy", (0, 0, 0)))
    return FrameSpec(str(spec["link"]), (x, y, z), (roll, pitch, yaw))


def _resolve_urdf(folder: Path, reference: str) -> tuple[Path, tuple[Path, ...]]:
    """Find a URDF: a path beside robot.yaml, or ``package://NAME/…`` in an installed data package."""
    if reference.startswith("package://"):
        relative = reference.removeprefix("package://")
        found = next((d / relative for d in _share_dirs() if (d / relative).is_file()), None)
    else:
        urdf = (folder / reference).resolve()
        found = urdf if urdf.is_file() else None
    if found is None:
        raise RobotError(
            f"URDF {reference} not found",
            where=str(folder / "robot.yaml"),
            fix="pip install example-robot-data, or correct urdf:",
        )
    return found, package_folders(found)


def package_folders(urdf: Path) -> tuple[Path, ...]:
    """Return the folders in which ``package://`` of a URDF is looked up: those above it first, then installed ones."""
    return (*tuple(urdf.resolve().parents)[:_PACKAGE_DEPTH], *_share_dirs())


def urdf_reference(urdf: Path) -> str:
    """Return how robot.yaml names a URDF: ``package://…`` where it is installed, else its absolute path."""
    resolved = urdf.resolve()
    for folder in _share_dirs():
        if resolved.is_relative_to(folder.resolve()):
            return f"package://{resolved.relative_to(folder.resolve())}"
    return str(resolved)


def _share_dirs() -> list[Path]:
    """Return where packages are looked up: installed by pip (cmeel), by ROS 2, or named in $ROS_PACKAGE_PATH."""
    spec = importlib.util.find_spec("cmeel")
    site = Path(spec.origin).parents[1] if spec and spec.origin else None
    prefixes = [Path(p) for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
    named = [Path(p) for p in os.environ.get("ROS_PACKAGE_PATH", "").split(os.pathsep) if p]
    return ([site / "cmeel.prefix" / "share"] if site else []) + [p / "share" for p in prefixes] + named
