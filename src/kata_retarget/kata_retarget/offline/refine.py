# SPDX-License-Identifier: Apache-2.0
"""Smoothing of a whole motion to both sides, with the same solver and all constraints.

Each frame is solved again with its neighbours held, in sweeps to and fro (block Gauss-Seidel). What the
neighbours ask of a frame is the minimum over it of the sum of squared third differences, the jerk: for x₀ that is
(15 (x₋₁ + x₁) − 6 (x₋₂ + x₂) + (x₋₃ + x₃)) / 20.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_model.compiled import kernel
from kata_model.kinematics.tree import forward, point_of
from kata_retarget.skeleton import HIPS, PELVIS, Human
from kata_retarget.solver.bounds import bound_between
from kata_retarget.solver.goal import set_limbs
from kata_retarget.solver.prior import DT, hips_height
from kata_retarget.solver.problem import Problem
from kata_retarget.solver.rotation import exponential, logarithm, matrix_of, multiply, transpose_multiply
from kata_retarget.solver.solver import Box, lift_out_of_floor, solve
from kata_retarget.solver.state import Memory

__all__ = ["HumanClip", "Motion", "refine_frame"]


class HumanClip(NamedTuple):
    """Samples of a human as in `skeleton.Human`, with a first axis of N frames.

    Attributes:
        position: Shape (N, BODY_COUNT + 2, 3), [m].
        orientation: Shape (N, BODY_COUNT, 4).
        valid: Shape (N, BODY_COUNT + 2).
        clearance: Height of the ankles over their lowest, shape (N, 2), [m].
        ground: Height of the ground under feet that stand, shape (N, 2), [m].
    """

    position: FloatArray
    orientation: FloatArray
    valid: NDArray[np.bool_]
    clearance: FloatArray
    ground: FloatArray


class Motion(NamedTuple):
    """A robot's motion over N frames, with the soles' anchors.

    Attributes:
        position: Joint positions, shape (N, n), [rad].
        base_position: Shape (N, 3), [m].
        base_rotation: Shape (N, 3, 3).
        standing: Shape (N, 2).
        anchor: Shape (N, 2, 3), [m].
        flat: Shape (N, 2, 3, 3).
        ground: Height of the floor under each sole, shape (N, 2), [m].
    """

    position: FloatArray
    base_position: FloatArray
    base_rotation: FloatArray
    standing: NDArray[np.bool_]
    anchor: FloatArray
    flat: FloatArray
    ground: FloatArray


@kernel
def refine_frame(problem: Problem, clip: HumanClip, motion: Motion, memory: Memory, i: int, weight: float, dt: float) -> None:
    """Solve frame i again between its neighbours; weight is the cost of jerk [1/rad² at 1/30 s]."""
    human = Human(clip.position[i], clip.orientation[i], clip.valid[i])
    pose, goal, settings = memory.pose, memory.goal, problem.settings
    pose.position[0] = motion.base_position[i]
    pose.rotation[0] = motion.base_rotation[i]
    memory.position[:] = motion.position[i]
    memory.tracks.clearance[:] = clip.clearance[i]
    memory.tracks.ground[:] = clip.ground[i]
    set_limbs(problem, human, goal)
    goal.hold[:] = 0.0
    goal.ground[:] = 0.0
    if settings.floating_base:
        _hold_near_stances(problem, motion, memory, i)
    _joints_between(motion, memory, i, weight * (DT / dt) ** 2)
    _base_between(problem, clip, human, motion, memory, i, weight * (DT / dt) ** 2)
    low, high = np.empty(len(memory.position)), np.empty(len(memory.position))
    bound_between(problem, motion.position, i, dt, low, high)
    solve(problem, goal, memory.prior, Box(low, high, not settings.floating_base), 2, memory.position, pose, memory.rows)
    if settings.floating_base:
        lift_out_of_floor(problem, goal.ground, pose)
    motion.position[i] = memory.position
    motion.base_position[i] = pose.position[0]
    motion.base_rotation[i] = pose.rotation[0]


@kernel
def _hold_near_stances(problem: Problem, motion: Motion, memory: Memory, i: int) -> None:
    """Hold soles that stand; those that stand in a frame or two, or just did, already stay over that place."""
    goal, pose = memory.goal, memory.pose
    forward(problem.tree, memory.position, pose)
    centre = np.empty(3)
    for s in range(2):
        if motion.standing[i, s]:
            goal.hold[s] = 1.0
            goal.anchor[s] = motion.anchor[i, s]
            goal.flat[s] = motion.flat[i, s]
            goal.ground[s] = motion.ground[i, s]
            continue
        for ahead in (2, -2, 1, -1):
            near = i + ahead
            if 0 <= near < len(motion.position) and motion.standing[near, s]:
                body = problem.sole_body[s]
                point_of(pose, body, problem.sole_centre[s], centre)
                goal.hold[s] = _NEAR_STANCE if abs(ahead) == 1 else _NEAR_STANCE**2
                goal.anchor[s] = motion.anchor[near, s]
                goal.anchor[s, 2] = centre[2]
                goal.flat[s] = pose.rotation[body]


@kernel
def _coefficients(i: int, count: int, out: FloatArray) -> float:
    """Write what x₋₃ … x₃ ask of x₀ (the middle stays 0) and return the weight of it all, over the third differences in range."""
    out[:] = 0.0
    total = 0.0
    for first in range(i - 3, i + 1):
        if first < 0 or first + 3 >= count:
            continue
        own = _BINOMIAL[i - first]
        total += own * own
        for k in range(4):
            if first + k != i:
                out[first + k - i + 3] -= own * _BINOMIAL[k]
    if total > 0.0:
        for k in range(7):
            out[k] /= total
    return total / 20.0


_NEAR_STANCE = 0.2  # share of a full lock one frame away from a stance
_BINOMIAL = np.array([1.0, -3.0, 3.0, -1.0])


@kernel
def _joints_between(motion: Motion, memory: Memory, i: int, weight: float) -> None:
    share = np.empty(7)
    scale = _coefficients(i, len(motion.position), share)
    for j in range(len(memory.position)):
        value = 0.0
        for k in range(7):
            if share[k] != 0.0:
                value += share[k] * motion.position[i + k - 3, j]
        memory.prior.position[j] = value
        memory.prior.weight[j] = weight * scale


@kernel
def _base_between(problem: Problem, clip: HumanClip, human: Human, motion: Motion, memory: Memory, i: int, weight: float) -> None:
    """Set the base's prior: turned as its neighbours suggest, and moved from either one as the human's hips move."""
    settings, prior, scale = problem.settings, memory.prior, memory.scale[0]
    share, rotation, between, vector = np.empty(7), np.empty((3, 3)), np.empty((3, 3)), np.empty(3)
    prior.base_turn_weight[0] = weight * _coefficients(i, len(motion.position), share)
    mean = np.zeros(3)
    for k in range(7):
        if share[k] != 0.0:
            transpose_multiply(motion.base_rotation[i + k - 3], motion.base_rotation[i], between)
            logarithm(between, vector)
            mean += share[k] * vector
    exponential(mean, between)
    multiply(between, motion.base_rotation[i], prior.base_rotation)
    if not settings.floating_base:
        prior.base_position[:] = motion.base_position[i]
        prior.base_weight[:] = 1.0
        return
    matrix_of(human.orientation[PELVIS], rotation)
    # No pull to the human's path here: stances stay where the forward pass put them, and what is between them fits.
    for k in range(3):
        lever = 0.0
        for j in range(3):
            lever += rotation[k, j] * problem.root[j]
        moved, count = 0.0, 0
        for other in (i - 1, i + 1):
            if 0 <= other < len(motion.position):
                moved += motion.base_position[other, k] + scale * (human.position[HIPS, k] - clip.position[other, HIPS, k])
                for j in range(3):
                    moved += motion.base_rotation[other, k, j] * problem.root[j]
                count += 1
        moved = moved / count if count else scale * human.position[HIPS, k]
        prior.base_position[k] = moved - lever
        prior.base_weight[k] = settings.base_follow
        if k == 2:
            prior.base_position[2] = hips_height(problem, human, memory) - lever
            prior.base_weight[2] = settings.base_height
