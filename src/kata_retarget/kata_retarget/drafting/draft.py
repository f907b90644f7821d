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
from kata_retarget.drafting.landmarks import Limb, Place, find_limb, palm, sole

__all__ = ["SIDES", "Draft", "draft_robot"]

_AWAY, _BEND = 0.2, 0.8  # upper arm from the vertical, forearm from the upper arm [rad]
_ITERATIONS, _STEP = 300, 0.2
_PULL = 1e-3  # towards zero, against the twist that two directions leave free
_FREQUENCY = 2.0 * np.pi * 2.5  # of the closed loop [rad/s]
_DAMPING = 0.7  # share of the critical one
_SOFTEST, _STIFFEST = 0.8, 0.15  # error that asks for the whole effort limit [rad]
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


def first_gains(robot: RobotModel) -> FloatArray:
    """Return stiffness [N·m/rad] and damping [N·m·s/rad] of each joint at rest, shape (n, 2).

    A joint alone against the inertia that it sees moves like a spring of 2.5 Hz with 0.7 of the critical
    damping. The stiffness stays where an error between 0.15 and 0.8 rad asks for all of the joint's effort.
    """
    data = robot.pinocchio.createData()
    inertia = np.diag(pin.crba(robot.pinocchio, data, np.array(robot.rest))).copy()
    stiffness = np.clip(inertia * _FREQUENCY**2, robot.max_effort / _SOFTEST, robot.max_effort / _STIFFEST)
    damping = 2.0 * _DAMPING * np.sqrt(stiffness * inertia)
    return np.stack([_round(stiffness), _round(np.maximum(damping, 0.02 * stiffness))], axis=1)


def _round(values: FloatArray) -> FloatArray:
    """Round to two significant digits: more would feign knowledge."""
    return np.array([float(f"{value:.2g}") for value in values])


def rest_posture(robot: RobotModel, arms: dict[int, Limb]) -> FloatArray:
    """Return joint positions, shape (n,), [rad].

    Args:
        robot: The robot; its own rest is not looked at.
        arms: Left arm under 1, right arm under -1.
    """
    position = robot.clamp(np.zeros(len(robot.layout)))
    for side, arm in arms.items():
        upper = np.array([0.0, side * np.sin(_AWAY), -np.cos(_AWAY)])
        fore = np.array([np.sin(_BEND), 0.0, -np.cos(_BEND)])
        _point(robot, arm, upper, fore, position)
    return position


def _point(robot: RobotModel, arm: Limb, upper: FloatArray, fore: FloatArray, position: FloatArray) -> None:
    """Turn an arm, in place, so that its two halves point in two directions (damped least squares)."""
    joints, neutral = _between(robot, arm), position.copy()
    for _ in range(_ITERATIONS):
        miss, jacobian = _halves(robot, arm, upper, fore, position)
        jacobian = jacobian[:, joints]
        gram = jacobian.T @ jacobian + _PULL * np.eye(len(joints))
        step = np.linalg.solve(gram, jacobian.T @ miss + _PULL * (neutral - position)[joints])
        position[joints] += np.clip(step, -_STEP, _STEP)
        position[:] = robot.clamp(position)


def _halves(
    robot: RobotModel, arm: Limb, upper: FloatArray, fore: FloatArray, position: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return how far elbow and wrist are from where they should be, shape (6,), [m], and their Jacobian, shape (6, n)."""
    model, data = robot.pinocchio, robot.pinocchio.createData()
    pin.computeJointJacobians(model, data, position)
    pin.updateFramePlacements(model, data)
    shoulder = data.oMf[robot.frame_id(arm.start.frame)].act(arm.start.offset)
    elbow, wrist = data.oMi[arm.hinge].translation, data.oMi[arm.end].translation
    first, second = (pin.getJointJacobian(model, data, i, pin.LOCAL_WORLD_ALIGNED)[:3] for i in (arm.hinge, arm.end))
    misses = [
        near + np.linalg.norm(far - near) * way - far for near, far, way in ((shoulder, elbow, upper), (elbow, wrist, fore))
    ]
    return np.concatenate(misses), np.concatenate([first, second - first])


def _between(robot: RobotModel, arm: Limb) -> list[int]:
    """Return the columns of an arm's joints from the trunk to the elbow."""
    columns, joint, first = [], arm.hinge, int(robot.pinocchio.frames[robot.frame_id(arm.start.frame)].parentJoint)
    while joint not in (0, first):
        columns.append(joint - 1)
        joint = int(robot.pinocchio.parents[joint])
    return columns[::-1]
