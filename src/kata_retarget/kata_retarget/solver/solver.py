# SPDX-License-Identifier: Apache-2.0
"""Gauss-Newton on the whole body within the joints' box."""

from typing import NamedTuple

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.compiled import kernel
from kata_model.kinematics.tree import Pose, forward, point_of
from kata_retarget.solver.inequality import solve_one_sided
from kata_retarget.solver.objective import Goal, Prior, Rows, add_all_rows
from kata_retarget.solver.problem import Problem
from kata_retarget.solver.rotation import exponential, multiply

__all__ = ["CONVERGED", "Box", "approach", "lift_out_of_floor", "solve"]

_STEP = 0.4  # largest change of a degree of freedom in one iteration [rad or m]; beyond it the linearisation is worth little
CONVERGED = 5e-3
"""Length of a step after which another would change nothing that matters [rad and m]."""


class Box(NamedTuple):
    """Where the joints may be in a frame.

    Attributes:
        low: Lower bounds, shape (n,), [rad].
        high: Upper bounds, shape (n,), [rad].
        fixed_base: Whether the base stays where it is.
    """

    low: FloatArray
    high: FloatArray
    fixed_base: bool


@kernel
def approach(
    problem: Problem, goal: Goal, prior: Prior, box: Box, iterations: int, position: FloatArray, pose: Pose, rows: Rows
) -> float:
    """Solve from afar: every step is damped by the prior's cost of leaving the last; arguments and result as `solve`."""
    length = 0.0
    for _ in range(iterations):
        prior.position[:] = position
        length = solve(problem, goal, prior, box, 1, position, pose, rows)
    return length


@kernel
def solve(
    problem: Problem, goal: Goal, prior: Prior, box: Box, iterations: int, position: FloatArray, pose: Pose, rows: Rows
) -> float:
    """Improve a posture for one frame.

    Args:
        problem: The robot.
        goal: What the frame asks for.
        prior: Where robot and base tend to be.
        box: Where the joints may be.
        iterations: How many Gauss-Newton steps at most.
        position: Joint positions, improved in place, shape (n,), [rad].
        pose: Poses; the base's row is read and improved, the others are written.
        rows: Room.

    Returns:
        The length of the last step, [rad and m together].
    """
    n = len(position)
    d = n + 6
    bottom, top, step = np.empty(d), np.empty(d), np.empty(d)
    turn, turned = np.empty((3, 3)), np.empty((3, 3))
    norm = 0.0
    for i in range(n):
        position[i] = min(max(position[i], box.low[i]), box.high[i])
    forward(problem.tree, position, pose)
    for _ in range(iterations):
        add_all_rows(problem, pose, position, goal, prior, rows)
        for i in range(6):
            top[i] = 0.0 if box.fixed_base else _STEP
            bottom[i] = -top[i]
        for i in range(n):
            bottom[6 + i] = max(box.low[i] - position[i], -_STEP)
            top[6 + i] = min(box.high[i] - position[i], _STEP)
        solve_one_sided(rows.H, rows.g, rows.one_sided, bottom, top, step)
        norm = 0.0
        for i in range(d):
            norm += step[i] ** 2
        for k in range(3):
            pose.position[0, k] += step[k]
        exponential(step[3:6], turn)
        multiply(turn, pose.rotation[0], turned)
        pose.rotation[0] = turned
        for i in range(n):
            position[i] = min(max(position[i] + step[6 + i], box.low[i]), box.high[i])
        forward(problem.tree, position, pose)
        if norm < CONVERGED * CONVERGED:
            break
    return float(np.sqrt(norm))


@kernel
def lift_out_of_floor(problem: Problem, ground: FloatArray, pose: Pose) -> float:
    """Raise the whole robot until nothing is under the floor; return by how much [m].

    Args:
        problem: The robot.
        ground: Height of the floor under each sole, shape (2,), [m]; under all else it is 0.
        pose: Poses, changed in place.
    """
    if problem.settings.floor <= 0.0:
        return 0.0
    lift = max(_soles_below(problem, ground, pose), _links_below(problem, pose))
    for i in range(len(pose.position)):
        pose.position[i, 2] += lift
    return lift


@kernel
def _soles_below(problem: Problem, ground: FloatArray, pose: Pose) -> float:
    """Return how deep the deepest corner of a sole is under its floor [m]."""
    depth, point = 0.0, np.empty(3)
    for s in range(2):
        for c in range(problem.sole_corner.shape[1]):
            point_of(pose, problem.sole_body[s], problem.sole_corner[s, c], point)
            depth = max(depth, ground[s] - point[2])
    return depth


@kernel
def _links_below(problem: Problem, pose: Pose) -> float:
    """Return how deep the deepest capsule but those of the feet is under the floor [m]."""
    depth, point, capsules = 0.0, np.empty(3), problem.capsules
    for c in range(len(capsules.body)):
        body = capsules.body[c]
        if body == problem.sole_body[0] or body == problem.sole_body[1]:
            continue
        for end in range(2):
            point_of(pose, body, capsules.ends[c, end], point)
            depth = max(depth, capsules.radius[c] - point[2])
    return depth
