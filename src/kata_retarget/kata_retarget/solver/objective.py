# SPDX-License-Identifier: Apache-2.0
"""What a frame asks of the robot, as weighted linear rows at the current posture."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_model.compiled import kernel
from kata_model.kinematics.tree import Pose, angular_columns, point_columns, point_of
from kata_retarget.solver.inequality import OneSided, add_one_sided, new_one_sided
from kata_retarget.solver.problem import Problem
from kata_retarget.solver.quadratic import add_rows, mirror_triangle
from kata_retarget.solver.repulsion import Nearness, add_repulsion, new_nearness, place_capsules
from kata_retarget.solver.rotation import logarithm, transpose_multiply

__all__ = ["Goal", "Prior", "Rows", "add_all_rows", "new_goal", "new_rows"]

_NEAR_FLOOR = 0.05  # height of a corner that cannot reach the floor in one step [m]
_LINK_NEAR_FLOOR = 0.01  # likewise for other links; under a leg that stands they are over this, and cost no time [m]


class Goal(NamedTuple):
    """What one frame asks for.

    Attributes:
        point: Keypoints relative to the hips' middle, shape (k, 3), [m].
        point_weight: Cost, 0 where unknown, shape (k,), [1/m²].
        turn: Orientations of bodies in the world, shape (m, 3, 3).
        turn_weight: Cost, shape (m,), [1/rad²].
        hold: Share of a full lock of each sole, 0 to 1, shape (2,).
        anchor: Where the soles' centres are held, shape (2, 3), [m].
        flat: Orientation in which soles are held, shape (2, 3, 3).
        ground: Height of the floor under each sole, shape (2,), [m].
    """

    point: FloatArray
    point_weight: FloatArray
    turn: FloatArray
    turn_weight: FloatArray
    hold: FloatArray
    anchor: FloatArray
    flat: FloatArray
    ground: FloatArray


class Prior(NamedTuple):
    """Where base and joints would be if they were asked nothing; each part has its cost.

    Attributes:
        base_position: Shape (3,), [m].
        base_weight: Shape (3,), [1/m²].
        base_rotation: Shape (3, 3).
        base_turn_weight: One value in an array of shape (1,), [1/rad²].
        position: Shape (n,), [rad].
        weight: Shape (n,), [1/rad²].
    """

    base_position: FloatArray
    base_weight: FloatArray
    base_rotation: FloatArray
    base_turn_weight: FloatArray
    position: FloatArray
    weight: FloatArray


class Rows(NamedTuple):
    """Room for the quadratic form, for one block of rows, for capsules and for one-sided rows."""

    H: FloatArray
    g: FloatArray
    dof: NDArray[np.int64]
    columns: FloatArray
    near: Nearness
    one_sided: OneSided


def new_goal(problem: Problem) -> Goal:
    """Return a goal that asks for nothing."""
    k, m = len(problem.point_body), len(problem.turn_body)
    eye = np.eye(3)
    return Goal(
        np.zeros((k, 3)),
        np.zeros(k),
        np.tile(eye, (m, 1, 1)),
        np.zeros(m),
        np.zeros(2),
        np.zeros((2, 3)),
        np.tile(eye, (2, 1, 1)),
        np.zeros(2),
    )


def new_rows(problem: Problem) -> Rows:
    """Return room for a problem."""
    d = problem.dofs
    near = new_nearness(len(problem.capsules.body))
    return Rows(np.zeros((d, d)), np.zeros(d), np.zeros(d, dtype=np.int64), np.zeros((d, 3)), near, new_one_sided(d))


@kernel
def add_all_rows(problem: Problem, pose: Pose, position: FloatArray, goal: Goal, prior: Prior, rows: Rows) -> None:
    """Set H and g to the whole objective, linearised at a pose."""
    rows.H[:] = 0.0
    rows.g[:] = 0.0
    _add_prior(problem, pose, position, prior, rows)
    _add_keypoints(problem, pose, goal, rows)
    _add_orientations(problem, pose, goal, rows)
    _add_held_soles(problem, pose, goal, rows)
    mirror_triangle(rows.H)
    rows.one_sided.used[0] = 0
    s = problem.settings
    if s.floor > 0.0 or s.collision > 0.0:
        place_capsules(problem.capsules, pose, rows.near)
    if s.floor > 0.0:
        _add_floor(problem, pose, goal, rows)
        _add_links_on_floor(problem, pose, rows)
    if s.collision > 0.0:
        add_repulsion(problem.tree, problem.capsules, pose, s.clearance, s.collision, rows.near, rows.one_sided)


@kernel
def _add_prior(problem: Problem, pose: Pose, position: FloatArray, prior: Prior, rows: Rows) -> None:
    between, vector = np.empty((3, 3)), np.empty(3)
    transpose_multiply(prior.base_rotation, pose.rotation[0], between)
    logarithm(between, vector)
    for k in range(3):
        rows.H[k, k] += prior.base_weight[k]
        rows.g[k] += prior.base_weight[k] * (prior.base_position[k] - pose.position[0, k])
        rows.H[3 + k, 3 + k] += prior.base_turn_weight[0]
        rows.g[3 + k] += prior.base_turn_weight[0] * vector[k]
    for i in range(len(position)):
        rows.H[6 + i, 6 + i] += prior.weight[i] + problem.settings.posture
        rows.g[6 + i] += prior.weight[i] * (prior.position[i] - position[i])
        rows.g[6 + i] += problem.settings.posture * (problem.rest[i] - position[i])


@kernel
def _add_keypoints(problem: Problem, pose: Pose, goal: Goal, rows: Rows) -> None:
    """Keypoints relative to the hips' middle: the base's translation does not matter."""
    root, point, residual = np.empty(3), np.empty(3), np.empty(3)
    point_of(pose, 0, problem.root, root)
    for p in range(len(problem.point_body)):
        if goal.point_weight[p] <= 0.0:
            continue
        point_of(pose, problem.point_body[p], problem.point_offset[p], point)
        count = point_columns(problem.tree, pose, problem.point_body[p], point, rows.dof, rows.columns)
        x, y, z = point[0] - root[0], point[1] - root[1], point[2] - root[2]
        c, turn = rows.columns, count - 6
        c[turn, 0], c[turn, 1] = -y, x
        c[turn + 1, 0], c[turn + 1, 2] = z, -x
        c[turn + 2, 1], c[turn + 2, 2] = -z, y
        for k in range(3):
            residual[k] = goal.point[p, k] - (point[k] - root[k])
        # The base's translation, the last three columns, moves keypoint and hips alike.
        add_rows(rows.H, rows.g, rows.dof, c, count - 3, goal.point_weight[p], residual)


@kernel
def _add_orientations(problem: Problem, pose: Pose, goal: Goal, rows: Rows) -> None:
    between, residual = np.empty((3, 3)), np.empty(3)
    for t in range(len(problem.turn_body)):
        if goal.turn_weight[t] <= 0.0:
            continue
        transpose_multiply(goal.turn[t], pose.rotation[problem.turn_body[t]], between)
        logarithm(between, residual)
        count = angular_columns(problem.tree, pose, problem.turn_body[t], rows.dof, rows.columns)
        add_rows(rows.H, rows.g, rows.dof, rows.columns, count, goal.turn_weight[t], residual)


@kernel
def _add_held_soles(problem: Problem, pose: Pose, goal: Goal, rows: Rows) -> None:
    between, point, residual = np.empty((3, 3)), np.empty(3), np.empty(3)
    for s in range(2):
        if goal.hold[s] <= 0.0:
            continue
        body = problem.sole_body[s]
        point_of(pose, body, problem.sole_centre[s], point)
        for k in range(3):
            residual[k] = goal.anchor[s, k] - point[k]
        weight = goal.hold[s] * problem.settings.lock
        count = point_columns(problem.tree, pose, body, point, rows.dof, rows.columns)
        add_rows(rows.H, rows.g, rows.dof, rows.columns, count, weight, residual)
        transpose_multiply(goal.flat[s], pose.rotation[body], between)
        logarithm(between, residual)
        weight = goal.hold[s] * problem.settings.flat
        count = angular_columns(problem.tree, pose, body, rows.dof, rows.columns)
        add_rows(rows.H, rows.g, rows.dof, rows.columns, count, weight, residual)


@kernel
def _add_floor(problem: Problem, pose: Pose, goal: Goal, rows: Rows) -> None:
    """Corners of soles that may come under the floor in this step."""
    point = np.empty(3)
    for s in range(2):
        for c in range(problem.sole_corner.shape[1]):
            point_of(pose, problem.sole_body[s], problem.sole_corner[s, c], point)
            if point[2] < goal.ground[s] + _NEAR_FLOOR:
                _add_height(problem, pose, problem.sole_body[s], point, goal.ground[s], rows)


@kernel
def _add_links_on_floor(problem: Problem, pose: Pose, rows: Rows) -> None:
    """Ends of capsules that may come under the floor in this step, but for those of the feet, which have their soles."""
    capsules = problem.capsules
    for c in range(len(capsules.body)):
        body = capsules.body[c]
        if body == problem.sole_body[0] or body == problem.sole_body[1]:
            continue
        for end in range(2):
            point = rows.near.ends[c, end]
            if point[2] < capsules.radius[c] + _LINK_NEAR_FLOOR:
                _add_height(problem, pose, body, point, capsules.radius[c], rows)


@kernel
def _add_height(problem: Problem, pose: Pose, body: int, point: FloatArray, least: float, rows: Rows) -> None:
    """Add a one-sided row that keeps a body's point over a height [m]."""
    count = point_columns(problem.tree, pose, body, point, rows.dof, rows.columns)
    place = add_one_sided(rows.one_sided, least - point[2], problem.settings.floor)
    for k in range(count):
        rows.one_sided.row[place, rows.dof[k]] = rows.columns[k, 2]
