# SPDX-License-Identifier: Apache-2.0
"""The optimisation problem of a robot as arrays, made once from model, table and settings."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_model.collision.capsules import CapsuleArrays, load_capsules
from kata_model.kinematics.tree import BASE_DOFS, Tree, make_tree
from kata_model.robot import RobotModel
from kata_model.robot.retarget_table import Table
from kata_retarget.config import RetargetConfig
from kata_retarget.skeleton import EDGES, index_of
from kata_retarget.solver.gaps import watched_capsules

__all__ = ["Problem", "Settings", "attach", "make_problem"]


class Settings(NamedTuple):
    """Those of `RetargetConfig` that the kernels read, by the same names."""

    floating_base: bool
    iterations: int
    start_iterations: int
    max_step: float
    max_acceleration: float
    smoothing: float
    momentum: float
    posture: float
    lock: float
    flat: float
    floor: float
    collision: float
    clearance: float
    release: float
    base_follow: float
    base_drift: float
    base_height: float
    contact_height: float
    contact_speed: float
    contact_hysteresis: float


class Problem(NamedTuple):
    """What stays the same from frame to frame.

    Attributes:
        tree: Kinematics.
        root: The hips' middle in the base's frame, shape (3,), [m].
        point_human: Human body of each keypoint, shape (k,).
        point_body: Robot body that carries it, shape (k,).
        point_offset: Place in that body, shape (k, 3), [m].
        point_weight: Cost, shape (k,), [1/m²].
        turn_human: Human body of each orientation, shape (m,).
        turn_body: Robot body that follows, shape (m,).
        turn_reference: Robot body's orientation in the reference pose, shape (m, 3, 3).
        turn_weight: Cost, shape (m,), [1/rad²].
        sole_body: Robot body of left and right sole, shape (2,).
        sole_corner: Corners in that body, shape (2, c, 3), [m].
        sole_centre: Mean of the corners, shape (2, 3), [m].
        sole_reference: Orientation of the flat sole at heading 0, shape (2, 3, 3).
        lower: Position limits, shape (n,), [rad].
        upper: Position limits, shape (n,), [rad].
        rest: Posture to prefer, shape (n,), [rad].
        max_velocity: Shape (n,), [rad/s].
        edges: Child and parent of each limb, shape (e, 2).
        length: The robot's limb lengths, shape (e,), [m].
        capsules: What must not meet.
        settings: Numbers from the configuration.
    """

    tree: Tree
    root: FloatArray
    point_human: NDArray[np.int64]
    point_body: NDArray[np.int64]
    point_offset: FloatArray
    point_weight: FloatArray
    turn_human: NDArray[np.int64]
    turn_body: NDArray[np.int64]
    turn_reference: FloatArray
    turn_weight: FloatArray
    sole_body: NDArray[np.int64]
    sole_corner: FloatArray
    sole_centre: FloatArray
    sole_reference: FloatArray
    lower: FloatArray
    upper: FloatArray
    rest: FloatArray
    max_velocity: FloatArray
    edges: NDArray[np.int64]
    length: FloatArray
    capsules: CapsuleArrays
    settings: Settings

    @property
    def dofs(self) -> int:
        """Return the number of degrees of freedom with the base's six."""
        return BASE_DOFS + len(self.lower)


def attach(robot: RobotModel, frame: str, offset: FloatArray) -> tuple[int, FloatArray]:
    """Return the body that carries a frame, and a frame's point in that body's axes, shape (3,), [m]."""
    found = robot.pinocchio.frames[robot.frame_id(frame)]
    return int(found.parentJoint), np.asarray(found.placement.act(np.asarray(offset)))


def make_problem(robot: RobotModel, table: Table, config: RetargetConfig) -> Problem:
    """Return the problem with orientations that still refer to the robot's zero pose."""
    points = [(index_of(row.body), *attach(robot, row.frame, row.offset), row.weight) for row in table.keypoints]
    turns = [(index_of(row.body), attach(robot, row.frame, np.zeros(3))[0], row.weight) for row in table.orientations]
    hips = [attach(robot, row.frame, row.offset) for row in table.keypoints if row.body.endswith("_thigh")]
    soles = [[attach(robot, sole.frame, corner) for corner in sole.corners] for sole in table.soles]
    corners = np.array([[corner for _, corner in sole] for sole in soles])
    return Problem(
        tree=make_tree(robot.pinocchio),
        root=np.mean([point for _, point in hips], axis=0),
        point_human=np.array([p[0] for p in points]),
        point_body=np.array([p[1] for p in points]),
        point_offset=np.array([p[2] for p in points]),
        point_weight=np.array([p[3] for p in points]),
        turn_human=np.array([t[0] for t in turns]),
        turn_body=np.array([t[1] for t in turns]),
        turn_reference=np.tile(np.eye(3), (len(turns), 1, 1)),
        turn_weight=np.array([t[2] for t in turns]),
        sole_body=np.array([sole[0][0] for sole in soles]),
        sole_corner=corners,
        sole_centre=corners.mean(axis=1),
        sole_reference=np.tile(np.eye(3), (2, 1, 1)),
        lower=np.array(robot.lower),
        upper=np.array(robot.upper),
        rest=np.array(robot.rest),
        max_velocity=np.minimum(config.velocity_margin * robot.max_velocity, config.max_velocity),
        edges=np.array(EDGES),
        length=np.zeros(len(EDGES)),
        capsules=watched_capsules(robot, load_capsules(robot)),
        settings=Settings(**{name: getattr(config, name) for name in Settings._fields}),
    )
