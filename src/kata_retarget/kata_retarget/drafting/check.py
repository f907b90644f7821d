# SPDX-License-Identifier: Apache-2.0
"""What a person should look at before trusting a robot's folder of data."""

from collections.abc import Iterator

import numpy as np

from kata_model.collision import load_capsules
from kata_model.collision.fit import link_hulls
from kata_model.robot import RobotModel
from kata_model.robot.retarget_table import Table, load_table
from kata_retarget import BodyRetargeter
from kata_retarget.solver.gaps import gaps, watched_capsules

__all__ = ["check_robot"]

_FASTEST, _SLOWEST = 50.0, 0.5  # velocity limits beyond these are placeholders or mistakes [rad/s]
_TILT = 0.05  # of a sole at rest [rad]
_ASTRAY = 0.2  # of a limb from its direction in the T-pose [rad]
_HARD = 1000.0  # effort limits beyond are placeholders [N·m]


def check_robot(robot: RobotModel) -> list[str]:
    """Return what is missing or odd, in sentences; loads everything that the folder holds.

    Raises:
        KataError: A file of the folder is unusable.
    """
    table = load_table(robot)
    return [*_joints(robot), *_stance(robot, table), *_shapes(robot), *_reach(robot, table)]


def _joints(robot: RobotModel) -> Iterator[str]:
    names = np.array(robot.layout.names)
    for bad, text in (
        (robot.max_velocity > _FASTEST, f"velocity limits over {_FASTEST:g} rad/s, perhaps placeholders"),
        (robot.max_velocity < _SLOWEST, f"velocity limits under {_SLOWEST:g} rad/s: the motion will lag"),
        (robot.max_effort > _HARD, f"effort limits over {_HARD:g} N m, perhaps placeholders"),
        (robot.clamp(robot.rest) != robot.rest, "rest outside the limits"),
    ):
        if bad.any():
            yield f"{text}: {', '.join(names[bad])}"
    weak = np.abs(robot.gravity_effort(robot.rest)) > robot.max_effort
    if weak.any():
        yield f"cannot hold their own weight at rest with these effort limits: {', '.join(names[weak])}"
    for group in ("left_leg", "right_leg", "left_arm", "right_arm"):
        if group not in robot.description.groups:
            yield f"robot.yaml has no group {group}"
    if robot.description.held:
        yield f"joints that Kata leaves alone: {', '.join(robot.description.held)}"


def _stance(robot: RobotModel, table: Table) -> Iterator[str]:
    heights = []
    for side, sole in zip(("left", "right"), table.soles, strict=True):
        pose = robot.frame_poses(robot.rest, (sole.frame,))[0]
        corners = sole.corners @ pose.rotation.T + pose.translation
        heights.append(float(corners[:, 2].min()))
        length, width = np.ptp(corners[:, :2], axis=0)
        tilt = float(np.ptp(corners[:, 2])) / max(float(length), 1e-6)
        if tilt > _TILT:
            yield f"the {side} sole is tilted by {tilt:.2f} rad at rest: the soles must be flat there"
        if length < 0.08 or width < 0.02:
            yield f"the {side} sole is only {length:.3f} m by {width:.3f} m: check corners_m in retarget.yaml"
    if abs(heights[0] - heights[1]) > 0.005 or abs(heights[0] + robot.description.base_height) > 0.01:
        yield (
            f"the soles are {-heights[0]:.3f} and {-heights[1]:.3f} m under the base, "
            f"base_height is {robot.description.base_height:g}"
        )


def _shapes(robot: RobotModel) -> Iterator[str]:
    capsules = load_capsules(robot)
    if not capsules.capsules:
        yield "no capsules: self-collision is not avoided (`kata robot capsules`)"
        return
    bare = sorted(set(link_hulls(robot)) - {capsule.link for capsule in capsules.capsules})
    if bare:
        yield f"links without a capsule: {', '.join(bare)}"
    watched = watched_capsules(robot, capsules)
    deep = np.flatnonzero(gaps(robot, watched, robot.rest) < -0.02)
    pairs = sorted({tuple(sorted(capsules.capsules[c].link for c in watched.pair[p])) for p in deep})
    if pairs:
        yield f"capsules overlap by more than 2 cm at rest, and always may: {', '.join(f'{a}–{b}' for a, b in pairs)}"


def _reach(robot: RobotModel, table: Table) -> Iterator[str]:
    """Tell what the robot cannot do of a T-pose, from which human and robot are matched."""
    rows = {row.body: row for row in table.keypoints}
    poses = robot.frame_poses(BodyRetargeter(robot).reference.position, tuple(row.frame for row in rows.values()))
    place = {body: pose.act(row.offset) for (body, row), pose in zip(rows.items(), poses, strict=True)}
    for side, across in (("left", 1.0), ("right", -1.0)):
        arm, leg = np.array([0.0, across, 0.0]), np.array([0.0, 0.0, -1.0])
        for limb, first, last, way in (
            ("upper arm", "upper_arm", "forearm", arm),
            ("forearm", "forearm", "hand", arm),
            ("thigh", "thigh", "shin", leg),
            ("shin", "shin", "foot", leg),
        ):
            along = place[f"{side}_{last}"] - place[f"{side}_{first}"]
            angle = float(np.arccos(np.clip(along @ way / max(float(np.linalg.norm(along)), 1e-9), -1.0, 1.0)))
            if angle > _ASTRAY:
                yield f"the {side} {limb} misses the T-pose by {angle:.2f} rad, from which turns are matched: limits, keypoints?"
