# SPDX-License-Identifier: Apache-2.0
"""What a streaming retargeter remembers between frames."""

from typing import NamedTuple

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.kinematics.tree import Pose, new_pose
from kata_retarget.solver.contact import FootTracks, new_tracks
from kata_retarget.solver.objective import Goal, Prior, Rows, new_goal, new_rows
from kata_retarget.solver.problem import Problem

__all__ = ["Memory", "new_memory"]


class Memory(NamedTuple):
    """Everything that changes; the arrays are written in place.

    Attributes:
        position: Last joint positions, shape (n,), [rad].
        change: Their last change, shape (n,), [rad].
        base_turn: Last rotation of the base, shape (3,), [rad].
        root_human: Human's hips' middle in the last frame, shape (3,), [m].
        scale: The robot's leg length over the human's, shape (1,).
        dt: Time between the last two frames, shape (1,), [s].
        before: Joint positions before the frame in hand, shape (n,), [rad].
        base_before: The base's rotation before the frame in hand, shape (3, 3).
        low: Where joints may be in this frame, lower bounds, shape (n,), [rad].
        high: Upper bounds, shape (n,), [rad].
        pose: Robot's poses.
        tracks: Human's feet.
        goal: The frame's goal.
        prior: The frame's prior.
        rows: Room for the solver.
    """

    position: FloatArray
    change: FloatArray
    base_turn: FloatArray
    root_human: FloatArray
    scale: FloatArray
    dt: FloatArray
    before: FloatArray
    base_before: FloatArray
    low: FloatArray
    high: FloatArray
    pose: Pose
    tracks: FootTracks
    goal: Goal
    prior: Prior
    rows: Rows


def new_memory(problem: Problem) -> Memory:
    """Return the memory of a retargeter that has seen nothing."""
    n = len(problem.lower)
    pose = new_pose(problem.tree)
    pose.rotation[0] = np.eye(3)
    return Memory(
        position=problem.rest.copy(),
        change=np.zeros(n),
        base_turn=np.zeros(3),
        root_human=np.zeros(3),
        scale=np.ones(1),
        dt=np.zeros(1),
        before=problem.rest.copy(),
        base_before=np.eye(3),
        low=problem.lower.copy(),
        high=problem.upper.copy(),
        pose=pose,
        tracks=new_tracks(),
        goal=new_goal(problem),
        prior=Prior(np.zeros(3), np.zeros(3), np.eye(3), np.zeros(1), np.zeros(n), np.zeros(n)),
        rows=new_rows(problem),
    )
