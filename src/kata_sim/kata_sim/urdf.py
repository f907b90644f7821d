# SPDX-License-Identifier: Apache-2.0
"""A URDF made readable for MuJoCo: mesh paths resolved, compiler options added."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

from kata_core.errors import RobotError
from kata_core.robot import RobotDescription
from kata_sim.meshes import cached_mesh

__all__ = ["urdf_for_mujoco"]

_COMPILER = {
    "discardvisual": "false",  # keep what the camera should see
    "fusestatic": "false",  # keep sensor links as bodies
    "balanceinertia": "true",  # rounded inertias of vendors' URDFs break the triangle inequality
    "strippath": "false",  # mesh paths are absolute
}


def urdf_for_mujoco(description: RobotDescription, keep: float) -> str:
    """Return the URDF's text for ``MjSpec.from_string``.

    Args:
        description: Robot whose URDF is read.
        keep: Share of each mesh's triangles to keep, 0 to 1.

    Raises:
        RobotError: The URDF is not XML, or a mesh is missing.
    """
    try:
        root = ET.parse(description.urdf).getroot()
    except ET.ParseError as error:
        raise RobotError(f"not XML: {error}", where=str(description.urdf)) from error
    for mesh in root.iter("mesh"):
        path = _resolve(mesh.get("filename", ""), description)
        mesh.set("filename", str(cached_mesh(path, keep)))
    for foreign in ("mujoco", "transmission", "gazebo", "ros2_control"):
        for element in root.findall(foreign):
            root.remove(element)
    ET.SubElement(ET.SubElement(root, "mujoco"), "compiler", _COMPILER)
    return ET.tostring(root, encoding="unicode")


def _resolve(filename: str, description: RobotDescription) -> Path:
    relative = filename.removeprefix("package://").removeprefix("file://").lstrip("/")
    candidates: Sequence[Path] = [
        Path("/") / relative,
        description.urdf.parent / filename,
        *(d / relative for d in description.package_dirs),
    ]
    found = next((path for path in candidates if path.is_file()), None)
    if found is None:
        raise RobotError(f"mesh {filename} not found", where=str(description.urdf), fix="install the package that holds it")
    return found
