# SPDX-License-Identifier: Apache-2.0
"""Everything that a robot's folder needs, found from the URDF alone."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pinocchio as pin

from kata_model.arrays import FloatArray
from kata_model.collision.fit import link_hulls
from kata_model.errors import RobotError
from kata_model.robot import FrameSpec, HandSpec, RobotDescription, RobotModel, build_robot
from kata_model.robot.description import package_folders
from kata_model.robot.urdf import parse_urdf
from kata_retarget.drafting.anatomy import Anatomy, find_anatomy
from kata_retarget.drafting.gains import first_gains
from kata_retarget.drafting.landmarks import Limb, Place, find_limb, palm, sole
from kata_retarget.drafting.rest import rest_posture

__all__ = ["SIDES", "Draft", "draft_robot"]

SIDES = ("left", "right")
_CAMERA = re.compile(r"camera|rgb|d435|realsense|orbbec|zed", re.IGNORECASE)
_IMU = re.compile(r"imu|inertial_unit", re.IGNORECASE)
_NAMED_RIGHT = re.compile(r"right|(^|_)r_|^R[A-Z]")


@dataclass(frozen=True, slots=True)
class Draft:
    """A robot as far as its URDF tells.

    Attributes:
        robot: The model, with rest posture, gains, palms and hands.
        limbs: By group: left_leg, right_leg, left_arm, right_arm.
        soles: Corners under the left and the right foot.
        palm_radius: Of a ball around what a hand is [m].
        camera: Link that looks like a camera's, or ''.
        imu: Link that looks like an inertial sensor's, or ''.
    """

    robot: RobotModel
    limbs: Mapping[str, Limb]
    soles: tuple[Place, Place]
    palm_radius: float
    camera: str
    imu: str


def draft_robot(urdf: Path, name: str) -> Draft:
    """Read a URDF and find out what the robot is.

    Raises:
        RobotError: The URDF cannot be read, is no humanoid's, lacks limits or meshes, or faces another way than x.
    """
    root = parse_urdf(urdf)
    model = _whole_model(root, urdf)
    mimics = [joint.get("name", "") for joint in root.findall("joint") if joint.find("mimic") is not None]
    anatomy = find_anatomy(model, mimics, str(urdf))
    plain = build_robot(_description(urdf, name, str(model.frames[1].name), anatomy))
    limbs = {group: find_limb(plain, anatomy.groups[group]) for side in SIDES for group in (f"{side}_leg", f"{side}_arm")}
    rest = np.round(rest_posture(plain, {1: limbs["left_arm"], -1: limbs["right_arm"]}), 3)
    resting = _with_rest(plain, plain.clamp(rest))
    hulls = link_hulls(resting)
    left, right = (sole(resting, hulls, limbs[f"{side}_leg"].end) for side in SIDES)
    _check_facing(resting, left)
    robot, radius = _finished(resting, hulls, limbs, left)
    return Draft(robot, limbs, (left, right), radius, _link(robot, _CAMERA), _link(robot, _IMU))


def _whole_model(root: ET.Element, urdf: Path) -> Any:
    try:
        return pin.buildModelFromXML(ET.tostring(root, encoding="unicode"))
    except (ValueError, RuntimeError) as error:
        raise RobotError(f"not a usable URDF: {str(error).splitlines()[0]}", where=str(urdf)) from error


def _description(urdf: Path, name: str, base: str, anatomy: Anatomy) -> RobotDescription:
    return RobotDescription(
        name=name,
        folder=urdf.parent,
        urdf=urdf,
        package_dirs=package_folders(urdf),
        base_link=base,
        base_height=0.0,
        groups=anatomy.groups,
        rest={},
        gains=((".*", 1.0, 1.0),),
        frames={},
        hands={},
        held=dict.fromkeys(map(re.escape, anatomy.held), 0.0),
    )


def _with_rest(robot: RobotModel, rest: FloatArray) -> RobotModel:
    posture = {joint: float(value) for joint, value in zip(robot.layout.names, rest, strict=True) if value}
    return build_robot(replace(robot.description, rest=posture))


def _check_facing(robot: RobotModel, left: Place) -> None:
    """Refuse a robot whose toes do not point along x."""
    pose = robot.frame_poses(robot.rest, (left.frame,))[0]
    corners = left.offset @ pose.rotation.T
    (ahead, _), (length, width) = corners[:, :2].mean(axis=0), np.ptp(corners[:, :2], axis=0)
    right_on_left = all(_NAMED_RIGHT.search(name) for name in robot.description.groups["left_leg"])
    if ahead < -0.01 or length < width or right_on_left:
        why = "joints named right are on its left" if right_on_left else "its soles say so"
        fix = "put a new root link before it with a fixed joint that turns it: x forward, y left, z up"
        raise RobotError(f"does not face along x of its root link: {why}", where=str(robot.description.urdf), fix=fix)


def _finished(
    robot: RobotModel, hulls: Mapping[str, FloatArray], limbs: Mapping[str, Limb], left_sole: Place
) -> tuple[RobotModel, float]:
    """Return the robot with gains, height, palms and hands; and the palms' radius [m]."""
    palms = {side: palm(robot, hulls, limbs[f"{side}_arm"].end) for side in SIDES}
    pose = robot.frame_poses(robot.rest, (left_sole.frame,))[0]
    gains = first_gains(robot)
    description = replace(
        robot.description,
        base_height=round(-float(pose.act(left_sole.offset[0])[2]), 4),
        gains=tuple((re.escape(j), float(kp), float(kd)) for j, (kp, kd) in zip(robot.layout.names, gains, strict=True)),
        frames={f"{side}_palm": FrameSpec(place.frame, _triple(place.offset)) for side, (place, _) in palms.items()},
        hands={f"{side}_hand": HandSpec(f"{side}_palm", robot.description.groups[f"{side}_arm"]) for side in SIDES},
    )
    return build_robot(description), max(radius for _, radius in palms.values())


def _triple(values: FloatArray) -> tuple[float, float, float]:
    x, y, z = (round(float(value), 4) for value in values)
    return x, y, z


def _link(robot: RobotModel, pattern: re.Pattern[str]) -> str:
    """Return the first link whose name fits, '' if none does; optical frames have other axes."""
    names = [str(f.name) for f in robot.pinocchio.frames if f.type == pin.FrameType.BODY]
    return next((name for name in names if pattern.search(name) and "optical" not in name), "")
