# SPDX-License-Identifier: Apache-2.0
"""A robot's URDF as text for whoever reads it: held joints made rigid, mesh files found."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pinocchio as pin

from kata_model.arrays import FloatArray
from kata_model.errors import RobotError
from kata_model.robot.description import RobotDescription

__all__ = ["parse_urdf", "urdf_text", "urdf_with_meshes"]


def urdf_text(description: RobotDescription) -> str:
    """Return the URDF with the held joints made rigid; mesh paths stay as they are.

    Raises:
        RobotError: The file cannot be read, is not XML or not a URDF, or holds no joint of a held name.
    """
    return ET.tostring(_held(parse_urdf(description.urdf), description), encoding="unicode")


def urdf_with_meshes(description: RobotDescription) -> ET.Element:
    """Return the same as XML with absolute paths of meshes.

    Raises:
        RobotError: As `urdf_text`, or a mesh is missing.
    """
    root = _held(parse_urdf(description.urdf), description)
    for mesh in root.iter("mesh"):
        mesh.set("filename", str(_mesh_file(mesh.get("filename", ""), description.urdf, description.package_dirs)))
    return root


def parse_urdf(file: Path) -> ET.Element:
    """Return the root element of a URDF.

    Raises:
        RobotError: The file cannot be read, is not XML or not a URDF.
    """
    try:
        root = ET.parse(file).getroot()
    except ET.ParseError as error:
        raise RobotError(f"not XML: {error}", where=str(file)) from error
    except OSError as error:
        raise RobotError(f"cannot be read: {error.strerror}", where=str(file), fix="give the path of a URDF") from error
    if root.tag != "robot" or root.find("link") is None:
        raise RobotError(f"not a URDF: its root is <{root.tag}>, or it has no links", where=str(file), fix="expand xacro first")
    return root


def _held(root: ET.Element, description: RobotDescription) -> ET.Element:
    """Make the held joints rigid where they are held."""
    joints = {joint.get("name", ""): joint for joint in root.findall("joint")}
    for pattern, position in description.held.items():
        names = [name for name in joints if re.fullmatch(pattern, name)]
        if not names:
            raise RobotError(
                f"held: no joint is called {pattern!r}", where=str(description.folder / "robot.yaml"), fix="correct the name"
            )
        for name in names:
            _fix(joints[name], position)
    return root


def _fix(joint: ET.Element, position: float) -> None:
    """Turn a joint into a rigid one at a position [rad or m]."""
    origin = joint.find("origin")
    if origin is None:
        origin = ET.SubElement(joint, "origin")
    axis = joint.find("axis")
    along = _vector(axis.get("xyz", "") if axis is not None else "", (1.0, 0.0, 0.0))
    rotation = pin.rpy.rpyToMatrix(*_vector(origin.get("rpy", ""), (0.0, 0.0, 0.0)))
    if joint.get("type") == "prismatic":
        moved = _vector(origin.get("xyz", ""), (0.0, 0.0, 0.0)) + rotation @ along * position
        origin.set("xyz", " ".join(f"{value:.9g}" for value in moved))
    else:
        turned = pin.rpy.matrixToRpy(rotation @ pin.exp3(along * position))
        origin.set("rpy", " ".join(f"{value:.9g}" for value in turned))
    joint.set("type", "fixed")
    for name in ("mimic", "limit", "dynamics", "safety_controller", "calibration"):
        for element in joint.findall(name):
            joint.remove(element)


def _vector(text: str, default: tuple[float, float, float]) -> FloatArray:
    return np.array([float(word) for word in text.split()] or default)


def _mesh_file(filename: str, urdf: Path, folders: Sequence[Path]) -> Path:
    """Return where a mesh lies.

    Raises:
        RobotError: Nowhere.
    """
    named = re.match(r"(package|model|file)://", filename)
    relative = filename[named.end() :].lstrip("/") if named else filename
    places: Mapping[str, Sequence[Path]] = {"package": folders, "model": folders, "file": (Path("/"),)}
    candidates = places[named[1]] if named else (urdf.parent, Path("/"), *folders)
    for folder in (*candidates, urdf.parent):
        if (folder / relative).is_file():
            return folder / relative
    packages = {folder.name for root in folders if root.is_dir() for folder in root.iterdir()} if named else set()
    package = relative.split("/")[0]
    if named and named[1] == "package" and package not in packages:
        searched = ", ".join(map(str, folders)) or "nowhere"
        raise RobotError(
            f"package {package} of mesh {filename} not found", where=str(urdf), fix=f"searched {searched}; set ROS_PACKAGE_PATH"
        )
    raise RobotError(f"no such mesh: {filename}", where=str(urdf), fix="correct the path or install the package that holds it")
