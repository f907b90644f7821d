# SPDX-License-Identifier: Apache-2.0
"""Where robot and base would go if a frame asked for nothing: on as before, and with the human's hips."""

import numpy as np

from kata_model.compiled import kernel
from kata_retarget.skeleton import HIPS, PELVIS, Human
from kata_retarget.solver.contact import FEET
from kata_retarget.solver.problem import Problem
from kata_retarget.solver.rotation import exponential, matrix_of, multiply
from kata_retarget.solver.state import Memory

__all__ = ["DT", "continue_motion", "follow_hips", "hips_height"]

DT = 1.0 / 30.0
"""The frame time to which smoothing and momentum refer [s]."""


@kernel
def continue_motion(problem: Problem, memory: Memory, dt: float) -> None:
    """Set the prior to the last posture, moved on by a share of the last change."""
    settings, prior = problem.settings, memory.prior
    keep = settings.momentum ** (dt / DT) * dt / memory.dt[0] if memory.dt[0] > 0.0 else 0.0
    weight = settings.smoothing * (DT / dt) ** 2
    for i in range(len(memory.position)):
        prior.position[i] = memory.position[i] + keep * memory.change[i]
        prior.weight[i] = weight
    turn = np.empty((3, 3))
    exponential(keep * memory.base_turn, turn)
    multiply(turn, memory.pose.rotation[0], prior.base_rotation)
    prior.base_turn_weight[0] = weight


@kernel
def follow_hips(problem: Problem, human: Human, memory: Memory, first: bool) -> None:
    """Set the base's place in the prior so that the hips' middle moves as the human's does, to scale."""
    settings, prior, scale = problem.settings, memory.prior, memory.scale[0]
    rotation = np.empty((3, 3))
    matrix_of(human.orientation[PELVIS], rotation)
    total = settings.base_follow + settings.base_drift
    for k in range(3):
        lever, arm = 0.0, 0.0
        for j in range(3):
            lever += rotation[k, j] * problem.root[j]
            arm += memory.pose.rotation[0, k, j] * problem.root[j]
        path = scale * human.position[HIPS, k]
        moved = memory.pose.position[0, k] + arm + scale * (human.position[HIPS, k] - memory.root_human[k])
        if first:
            moved = path
        prior.base_position[k] = (settings.base_follow * moved + settings.base_drift * path) / total - lever
        prior.base_weight[k] = total
        if k == 2:
            prior.base_position[2] = hips_height(problem, human, memory) - lever
            prior.base_weight[2] = settings.base_height


@kernel
def hips_height(problem: Problem, human: Human, memory: Memory) -> float:
    """Return the height of the hips' middle that puts the lower foot at its scaled height [m]."""
    height, total = 0.0, 0.0
    for p in range(len(problem.point_human)):
        for s in range(2):
            if problem.point_human[p] == FEET[s, 0] and memory.goal.point_weight[p] > 0.0:
                ankle = 0.0
                for j in range(3):
                    ankle += problem.sole_reference[s, 2, j] * (problem.point_offset[p, j] - problem.sole_centre[s, j])
                clearance = memory.tracks.clearance[s]
                share = np.exp(-abs(clearance - memory.tracks.ground[s]) / 0.02) + 1e-6
                height += share * (ankle + memory.scale[0] * clearance - memory.goal.point[p, 2])
                total += share
    if total <= 0.0:
        return float(memory.scale[0] * human.position[HIPS, 2])
    return float(height / total)
