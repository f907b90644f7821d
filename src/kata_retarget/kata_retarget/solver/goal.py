# SPDX-License-Identifier: Apache-2.0
"""From a human's sample to what the robot is asked for."""

import numpy as np

from kata_model.compiled import kernel
from kata_model.kinematics.tree import Pose, point_of
from kata_retarget.skeleton import BODY_COUNT, Human, lay_out
from kata_retarget.solver.contact import FEET, FootTracks
from kata_retarget.solver.objective import Goal
from kata_retarget.solver.problem import Problem
from kata_retarget.solver.rotation import matrix_of, multiply

__all__ = ["hold_soles", "set_limbs"]

_FAR = 0.15  # distance of a foot from where it is wanted at which it is not held yet [m]
_LET_GO = 1e-3  # share of a lock below which it is none
_RISE = 0.3  # how fast the floor under a sole rises to raised ground [m/s]


@kernel
def set_limbs(problem: Problem, human: Human, goal: Goal) -> None:
    """Set keypoints and orientations; what is not seen is not asked for."""
    place, known = np.empty((BODY_COUNT + 2, 3)), np.empty(BODY_COUNT + 2, dtype=np.bool_)
    lay_out(human, problem.edges, problem.length, place, known)
    for p in range(len(problem.point_human)):
        body = problem.point_human[p]
        goal.point_weight[p] = problem.point_weight[p] if known[body] else 0.0
        goal.point[p] = place[body]
    turn = np.empty((3, 3))
    for t in range(len(problem.turn_human)):
        body = problem.turn_human[t]
        goal.turn_weight[t] = problem.turn_weight[t] if human.valid[body] else 0.0
        if human.valid[body]:
            matrix_of(human.orientation[body], turn)
            multiply(turn, problem.turn_reference[t], goal.turn[t])


@kernel
def hold_soles(problem: Problem, pose: Pose, tracks: FootTracks, scale: float, dt: float, goal: Goal) -> None:
    """Anchor soles that begin to stand where they are, once they have come near; let go gently those that leave.

    Args:
        problem: The robot.
        pose: Its poses in the last frame.
        tracks: Which of the human's feet stand, and how high the ground under them is.
        scale: The robot's leg length over the human's.
        dt: Time since the last frame [s].
        goal: Changed in place.
    """
    for s in range(2):
        if tracks.standing[s] and not (goal.hold[s] < 1.0 and _still_far(problem, pose, s, goal)):
            if goal.hold[s] < 1.0:
                _anchor_sole(problem, pose, s, scale * tracks.ground[s], tracks.tilted[s], goal)
            goal.hold[s] = 1.0
            if not tracks.tilted[s]:
                goal.ground[s] = min(max(goal.anchor[s, 2], 0.0), goal.ground[s] + _RISE * dt)
            continue
        goal.ground[s] = 0.0
        goal.hold[s] *= 0.0 if tracks.standing[s] else np.exp(-dt / max(problem.settings.release, 1e-6))
        if goal.hold[s] < _LET_GO:
            goal.hold[s] = 0.0


@kernel
def _still_far(problem: Problem, pose: Pose, s: int, goal: Goal) -> bool:
    """Return whether a foot has not yet come to where it is wanted; held there it would stay wrong."""
    ankle, hips, square = np.empty(3), np.empty(3), 0.0
    for p in range(len(problem.point_human)):
        if problem.point_human[p] == FEET[s, 0] and goal.point_weight[p] > 0.0:
            point_of(pose, problem.point_body[p], problem.point_offset[p], ankle)
            point_of(pose, 0, problem.root, hips)
            for k in range(3):
                square += (goal.point[p, k] - (ankle[k] - hips[k])) ** 2
    return square > _FAR * _FAR


@kernel
def _anchor_sole(problem: Problem, pose: Pose, s: int, height: float, tilted: bool, goal: Goal) -> None:
    """Hold a sole where it is, at a height [m]; level, with the heading it has, unless it is to stay tilted."""
    reference, rotation, centre = problem.sole_reference[s], pose.rotation[problem.sole_body[s]], goal.anchor[s]
    point_of(pose, problem.sole_body[s], problem.sole_centre[s], centre)
    lowest = min(centre[2], height)
    centre[2] = height
    if tilted:
        goal.flat[s] = rotation
        goal.ground[s] = 0.0
        return
    goal.ground[s] = max(0.0, lowest)
    x, y = 0.0, 0.0
    for k in range(3):
        x += rotation[0, k] * reference[0, k]
        y += rotation[1, k] * reference[0, k]
    norm = np.sqrt(x * x + y * y)
    c, w = (x / norm, y / norm) if norm > 1e-9 else (1.0, 0.0)
    for k in range(3):
        goal.flat[s, 0, k] = c * reference[0, k] - w * reference[1, k]
        goal.flat[s, 1, k] = w * reference[0, k] + c * reference[1, k]
        goal.flat[s, 2, k] = reference[2, k]
