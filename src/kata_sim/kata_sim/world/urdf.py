# SPDX-License-Identifier: Apache-2.0
"""A URDF made readable for MuJoCo: mesh paths resolved, compiler options added."""

import xml.etree.ElementTree as ET
from pathlib import Path

from kata_model.robot import RobotDescription
from kata_model.robot.urdf import urdf_with_meshes
from kata_sim.world.meshes import cached_mesh

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
        RobotError: The URDF is not XML, or a mesh is missing or unusable.
    """
    root = urdf_with_meshes(description)
    for mesh in root.iter("mesh"):
        mesh.set("filename", str(cached_mesh(Path(mesh.get("filename", "")), keep)))
    for foreign in ("mujoco", "transmission", "gazebo", "ros2_control"):
        for element in root.findall(foreign):
            root.remove(element)
    ET.SubElement(ET.SubElement(root, "mujoco"), "compiler", _COMPILER)
    return ET.tostring(root, encoding="unicode")
