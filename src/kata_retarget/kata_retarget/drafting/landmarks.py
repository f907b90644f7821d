# SPDX-License-Identifier: Apache-2.0
"""Finds hips, knees, shoulders, elbows, wrists, palms and soles of a robot whose groups of joints are known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pinocchio as pin

from kata_model.arrays import FloatArray
from kata_model.errors import RobotError
from kata_model.robot import RobotModel

__all__ = ["Axes", "Limb", "Place", "carried", "find_limb", "joint_axes", "link_of", "palm", "sole"]

_ROLL = 0.6  # a joint turns the limb about itself if its axis passes the next one nearer than this share of the way
_NEAR_END = 0.3  # elbow and knee are further along a limb than this share of its length
_CENTRE = 0.03  # axes that pass a point within this distance meet there [m]
_FLAT = 0.005  # what is so near to the lowest point of a foot belongs to its sole [m]
_DIRECTIONS = 8


class Place(NamedTuple):
    """A point fixed to a link: its frame, and offset in the frame, shape (3,), [m]."""

    frame: str
    offset: FloatArray


class Axes(NamedTuple):
    """Where joints are in the base's frame, row i for joint i, row 0 the base.

    Attributes:
        origin: Shape (n + 1, 3), [m].
        direction: Unit vectors, shape (n + 1, 3).
    """

    origin: FloatArray
    direction: FloatArray


@dataclass(frozen=True, slots=True)
class Limb:
    """An arm or a leg.

    Attributes:
        start: Shoulder or hip: where the first joints' axes meet.
        hinge: Elbow or knee, number of the joint.
        end: Last joint, that of hand or foot.
    """

    start: Place
    hinge: int
    end: int


def joint_axes(robot: RobotModel, position: FloatArray) -> Axes:
    """Return origins and axes of all joints at joint positions of shape (n,), [rad]."""
    model, data = robot.pinocchio, robot.pinocchio.createData()
    jacobian = pin.computeJointJacobians(model, data, position)
    rows = [np.array([1.0, 0.0, 0.0])]
    for column in jacobian.T:
        turn = column[3:] if np.linalg.norm(column[3:]) > 0.5 else column[:3]
        rows.append(turn / np.linalg.norm(turn))
    return Axes(np.array([placement.translation for placement in data.oMi]), np.array(rows))


def link_of(robot: RobotModel, joint: int) -> str:
    """Return the link that a joint moves; joint 0 is the base."""
    if joint == 0:
        return robot.description.base_link
    name, frames = robot.pinocchio.names[joint], robot.pinocchio.frames
    return next(str(f.name) for f in frames if f.type == pin.FrameType.BODY and frames[f.parentFrame].name == name)


def find_limb(robot: RobotModel, joints: tuple[str, ...]) -> Limb:
    """Find start, hinge and end of a limb.

    Args:
        robot: The robot.
        joints: The limb's joints from the trunk outwards.
    """
    chain = [i + 1 for i in robot.layout.indices(joints)]
    axes = joint_axes(robot, robot.clamp(np.zeros(len(robot.layout))))
    hinge = chain[_hinge(axes.origin[chain], axes.direction[chain])]
    before, after = chain[: chain.index(hinge)] or [hinge], int(robot.pinocchio.parents[chain[0]])
    centre, miss = _meeting(axes, before)
    while miss > _CENTRE and len(before) > 2:
        after, before = before[0], before[1:]
        centre, miss = _meeting(axes, before)
    link = link_of(robot, after)
    pose = robot.frame_poses(robot.clamp(np.zeros(len(robot.layout))), (link,))[0]
    return Limb(Place(link, pose.actInv(centre)), hinge, chain[-1])


def _hinge(origin: FloatArray, direction: FloatArray) -> int:
    """Return which joint of a chain bends it in the middle: rows of the chain, shape (k, 3)."""
    step = np.linalg.norm(np.diff(origin, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(step)])
    for i in range(len(origin)):
        further = [j for j in range(i + 1, len(origin)) if along[j] > along[i] + 0.01]
        if along[i] < _NEAR_END * along[-1] or not further:
            continue
        way = origin[further[0]] - origin[i]
        if np.linalg.norm(np.cross(direction[i], way)) > _ROLL * np.linalg.norm(way):
            return i
    return len(origin) - 1


def _meeting(axes: Axes, joints: list[int]) -> tuple[FloatArray, float]:
    """Return the point nearest to some joints' axes (least squares), and how far the furthest of them is [m]."""
    gram, right = np.zeros((3, 3)), np.zeros(3)
    for i in joints:
        across = np.eye(3) - np.outer(axes.direction[i], axes.direction[i])
        gram, right = gram + across, right + across @ axes.origin[i]
    last = axes.origin[joints[-1]]  # decides along parallel axes
    gram, right = gram + 1e-6 * np.eye(3), right + 1e-6 * last
    point = np.linalg.solve(gram, right)
    miss = [float(np.linalg.norm(np.cross(axes.direction[i], point - axes.origin[i]))) for i in joints]
    return point, max(miss)


def carried(robot: RobotModel, hulls: Mapping[str, FloatArray], joint: int, position: FloatArray) -> FloatArray:
    """Return corners of the hulls that a joint carries rigidly, in the base's frame, shape (v, 3), [m]; may be empty."""
    links = tuple(link for link in hulls if int(robot.pinocchio.frames[robot.frame_id(link)].parentJoint) == joint)
    poses = robot.frame_poses(position, links)
    parts = [hulls[link] @ pose.rotation.T + pose.translation for link, pose in zip(links, poses, strict=True)]
    return np.concatenate(parts) if parts else np.empty((0, 3))


def palm(robot: RobotModel, hulls: Mapping[str, FloatArray], wrist: int) -> tuple[Place, float]:
    """Return the middle of what the wrist carries, and the radius of a ball around most of it [m]."""
    link, position = link_of(robot, wrist), robot.rest
    points = carried(robot, hulls, wrist, position)
    if not len(points):
        return Place(link, np.zeros(3)), 0.05
    middle = 0.5 * (points.min(axis=0) + points.max(axis=0))
    radius = 0.25 * float(np.sort(np.ptp(points, axis=0))[1:].sum())
    return Place(link, robot.frame_poses(position, (link,))[0].actInv(middle)), float(np.clip(radius, 0.03, 0.15))


def sole(robot: RobotModel, hulls: Mapping[str, FloatArray], ankle: int) -> Place:
    """Return corners of the flat part under a foot: the frame, and offsets of shape (8, 3), [m].

    Raises:
        RobotError: The foot has no geometry.
    """
    link, points = link_of(robot, ankle), carried(robot, hulls, ankle, robot.rest)
    if not len(points):
        raise RobotError(f"foot {link} has no geometry", where=str(robot.description.urdf), fix="give it a mesh or a box")
    low = float(points[:, 2].min())
    flat = points[points[:, 2] < low + _FLAT]
    half = np.maximum(0.5 * np.ptp(flat[:, :2], axis=0), 1e-3)
    angle = 2.0 * np.pi * (np.arange(_DIRECTIONS) + 0.5) / _DIRECTIONS
    reach = (flat[:, :2] / half) @ np.stack([np.cos(angle), np.sin(angle)])
    corners = flat[np.argmax(reach, axis=0)]
    corners[:, 2] = low
    pose: Any = robot.frame_poses(robot.rest, (link,))[0]
    return Place(link, (corners - pose.translation) @ pose.rotation)
