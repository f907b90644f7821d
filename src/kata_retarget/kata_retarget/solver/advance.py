# SPDX-License-Identifier: Apache-2.0
"""One frame of streaming, in one kernel."""

import numpy as np

from kata_model.compiled import kernel
from kata_retarget.skeleton import HIPS, PELVIS, Human
from kata_retarget.solver.bounds import bound_motion
from kata_retarget.solver.contact import FEET, find_floor, track_feet
from kata_retarget.solver.goal import hold_soles, set_limbs
from kata_retarget.solver.prior import DT, continue_motion, follow_hips
from kata_retarget.solver.problem import Problem
from kata_retarget.solver.rotation import logarithm, matrix_of, quaternion_of, transpose_multiply
from kata_retarget.solver.solver import Box, approach, lift_out_of_floor, solve
from kata_retarget.solver.state import Memory

__all__ = ["advance", "begin", "finish", "improve", "prepare", "prepare_tracked"]

_START_DAMPING = 1e-2  # cost of a joint's step from the last one while the first frame is approached [1/rad²]


@kernel
def begin(problem: Problem, human: Human, memory: Memory, base_height: float) -> float:
    """Solve the first frame from rest, whatever the human's posture; a fixed base stands at a height [m].

    Returns:
        The length of the last step, [rad and m together].
    """
    settings = problem.settings
    memory.position[:] = problem.rest
    matrix_of(human.orientation[PELVIS], memory.pose.rotation[0])
    for k in range(3):
        memory.pose.position[0, k] = memory.scale[0] * human.position[HIPS, k]
    if settings.floating_base:
        find_floor(human, FEET, memory.tracks)
        track_feet(human, FEET, settings, DT, memory.tracks)
    set_limbs(problem, human, memory.goal)
    continue_motion(problem, memory, DT)
    if settings.floating_base:
        follow_hips(problem, human, memory, True)
    else:
        memory.pose.position[0, 2] = base_height
        memory.prior.base_weight[:] = 1.0
        memory.prior.base_position[:] = memory.pose.position[0]
    memory.prior.weight[:] = _START_DAMPING
    memory.prior.base_turn_weight[0] = 1e-6
    box = Box(problem.lower, problem.upper, not settings.floating_base)
    length = approach(
        problem, memory.goal, memory.prior, box, settings.start_iterations, memory.position, memory.pose, memory.rows
    )
    memory.change[:] = 0.0
    memory.base_turn[:] = 0.0
    _close(problem, human, memory, DT)
    return length


@kernel
def advance(problem: Problem, human: Human, memory: Memory, dt: float) -> float:
    """Solve a frame that is dt seconds after the last; return the length of the last step, [rad and m together]."""
    prepare(problem, human, memory, dt)
    length = improve(problem, memory, problem.settings.iterations)
    finish(problem, human, memory, dt)
    return length


@kernel
def prepare(problem: Problem, human: Human, memory: Memory, dt: float) -> None:
    """Judge the human's feet and set goal, prior and bounds of a frame that is dt seconds after the last."""
    if problem.settings.floating_base:
        track_feet(human, FEET, problem.settings, dt, memory.tracks)
    prepare_tracked(problem, human, memory, dt)


@kernel
def prepare_tracked(problem: Problem, human: Human, memory: Memory, dt: float) -> None:
    """Set goal, prior and bounds with the feet's tracks as they stand."""
    set_limbs(problem, human, memory.goal)
    if problem.settings.floating_base:
        hold_soles(problem, memory.pose, memory.tracks, memory.scale[0], dt, memory.goal)
        follow_hips(problem, human, memory, False)
    continue_motion(problem, memory, dt)
    memory.before[:] = memory.position
    memory.base_before[:] = memory.pose.rotation[0]
    bound_motion(problem, memory, dt)


@kernel
def improve(problem: Problem, memory: Memory, iterations: int) -> float:
    """Take iterations towards the frame's goal; return the length of the last step, [rad and m together]."""
    box = Box(memory.low, memory.high, not problem.settings.floating_base)
    return solve(problem, memory.goal, memory.prior, box, iterations, memory.position, memory.pose, memory.rows)


@kernel
def finish(problem: Problem, human: Human, memory: Memory, dt: float) -> None:
    """Remember the frame, whether or not its solution has converged."""
    between = np.empty((3, 3))
    for i in range(len(memory.before)):
        memory.change[i] = memory.position[i] - memory.before[i]
    transpose_multiply(memory.pose.rotation[0], memory.base_before, between)
    logarithm(between, memory.base_turn)
    _close(problem, human, memory, dt)


@kernel
def _close(problem: Problem, human: Human, memory: Memory, dt: float) -> None:
    """Lift the robot out of the floor and remember the frame."""
    quaternion = np.empty(4)
    quaternion_of(memory.pose.rotation[0], quaternion)
    matrix_of(quaternion, memory.pose.rotation[0])
    if problem.settings.floating_base:
        lift_out_of_floor(problem, memory.goal.ground, memory.pose)
    memory.root_human[:] = human.position[HIPS]
    memory.dt[0] = dt
