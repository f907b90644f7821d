# SPDX-License-Identifier: Apache-2.0
"""Calibration without hand-typed rotations: the robot itself is brought into the reference pose.

Human frames are the identity in a T-pose. A robot body's orientation in the robot's own T-pose is therefore
all that is needed to turn it with the human's. The T-pose is found by inverse kinematics on limb directions:
first with elbows and knees a little bent, which decides how upper arms and thighs are twisted, then straight.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_model.kinematics.tree import Pose, forward, new_pose, point_of
from kata_retarget.skeleton import BODY_COUNT, EDGES, HIPS, SHOULDERS, index_of
from kata_retarget.solver.objective import Goal, Prior, new_goal, new_rows
from kata_retarget.solver.problem import Problem
from kata_retarget.solver.solver import Box, approach

__all__ = ["Reference", "find_reference", "leg_length", "limb_lengths"]

_BEND = 0.6  # [rad]
_ITERATIONS = 200
_AT_REST = tuple(index_of(body) for body in ("pelvis", "torso", "head", "left_foot", "right_foot", "left_toes", "right_toes"))
_HELD = tuple(index_of(body) for body in ("pelvis", "torso"))
_LAST_HINGE = tuple(
    (index_of(f"{side}_{hinge}"), index_of(f"{side}_{end}"))
    for side in ("left", "right")
    for hinge, end in (("forearm", "hand"), ("shin", "foot"))
)


class Reference(NamedTuple):
    """The robot in the reference pose.

    Attributes:
        position: Joint positions of the T-pose, shape (n,), [rad].
        bent: The same with bent elbows and knees, shape (n,), [rad].
        length: Lengths of `EDGES`, shape (e,), [m].
    """

    position: FloatArray
    bent: FloatArray
    length: FloatArray


def leg_length(reference: Reference) -> float:
    """Return the length of the robot's leg from hip to ankle [m]."""
    ends = {index_of(f"left_{part}") for part in ("shin", "foot")}
    return float(sum(length for (child, _), length in zip(EDGES, reference.length, strict=True) if child in ends))


def limb_lengths(problem: Problem) -> FloatArray:
    """Return the robot's lengths of `EDGES` with joints at rest, shape (e,), [m]."""
    place = _keypoints(problem, problem.rest)
    return np.array([np.linalg.norm(place[child] - place[parent]) for child, parent in EDGES])


def find_reference(problem: Problem) -> tuple[Problem, Reference]:
    """Find the robot's T-pose; return the problem with the orientations that belong to it, and the pose.

    Wrists and ankles stay at rest, where a robot's palms face the thighs as a human's do and its soles are
    flat; so do torso and base.
    """
    length = limb_lengths(problem)
    pose = new_pose(problem.tree)
    pose.rotation[0] = np.eye(3)
    forward(problem.tree, problem.rest, pose)
    at_rest = pose.rotation.copy()
    free = problem.settings._replace(collision=0.0, floor=0.0)
    draft = problem._replace(turn_reference=at_rest[problem.turn_body], sole_reference=at_rest[problem.sole_body])
    bent = _solve(draft._replace(settings=free), pose, length, _BEND, problem.rest)
    straight = _solve(draft._replace(settings=free), pose, length, 0.0, bent)
    rests = np.isin(problem.turn_human, _AT_REST)[:, None, None]
    turns = np.where(rests, draft.turn_reference, pose.rotation[problem.turn_body])
    return draft._replace(turn_reference=turns, length=length), Reference(straight, bent, length)


def _solve(problem: Problem, pose: Pose, length: FloatArray, bend: float, start: FloatArray) -> FloatArray:
    position = start.copy()
    prior = Prior(np.zeros(3), np.ones(3), np.eye(3), np.ones(1), start.copy(), np.full(len(position), 1e-2))
    fixed = _beyond_hinges(problem)
    box = Box(np.where(fixed, problem.rest, problem.lower), np.where(fixed, problem.rest, problem.upper), True)
    approach(problem, _goal(problem, length, bend), prior, box, _ITERATIONS, position, pose, new_rows(problem))
    return position


def _beyond_hinges(problem: Problem) -> NDArray[np.bool_]:
    """Return which joints lie behind an elbow or a knee, shape (n,)."""
    beyond = np.zeros(len(problem.rest), dtype=bool)
    body = dict(zip(problem.point_human.tolist(), problem.point_body.tolist(), strict=True))
    for hinge, end in _LAST_HINGE:
        i = body[end]
        while i > 0 and i != body[hinge]:
            beyond[i - 1] = True
            i = int(problem.tree.parent[i])
    return beyond


def _goal(problem: Problem, length: FloatArray, bend: float) -> Goal:
    goal = new_goal(problem)
    place = np.zeros((BODY_COUNT + 2, 3))
    for (child, parent), reach in zip(EDGES, length, strict=True):
        place[child] = place[parent] + reach * _direction(child, bend)
    goal.point[:] = place[problem.point_human]
    goal.point_weight[:] = problem.point_weight
    goal.turn[:] = problem.turn_reference
    goal.turn_weight[:] = [float(body in _HELD) for body in problem.turn_human]
    return goal


def _direction(child: int, bend: float) -> FloatArray:
    """Return the direction in which a body lies from the one before in the T-pose."""
    if child == SHOULDERS:
        return np.array([0.0, 0.0, 1.0])
    for side, sign in (("left", 1.0), ("right", -1.0)):
        if child in (index_of(f"{side}_thigh"), index_of(f"{side}_upper_arm"), index_of(f"{side}_forearm")):
            return np.array([0.0, sign, 0.0])
        if child == index_of(f"{side}_hand"):
            return np.array([np.sin(bend), sign * np.cos(bend), 0.0])
        if child == index_of(f"{side}_foot"):
            return np.array([-np.sin(bend), 0.0, -np.cos(bend)])
    return np.array([0.0, 0.0, -1.0])


def _keypoints(problem: Problem, position: FloatArray) -> FloatArray:
    """Return the robot's keypoints by human body, virtual ones included, in the base's frame [m]."""
    pose, place = new_pose(problem.tree), np.zeros((BODY_COUNT + 2, 3))
    pose.rotation[0] = np.eye(3)
    forward(problem.tree, position, pose)
    for human, body, offset in zip(problem.point_human, problem.point_body, problem.point_offset, strict=True):
        point_of(pose, body, offset, place[human])
    for virtual, part in ((HIPS, "thigh"), (SHOULDERS, "upper_arm")):
        place[virtual] = 0.5 * (place[index_of(f"left_{part}")] + place[index_of(f"right_{part}")])
    return place
