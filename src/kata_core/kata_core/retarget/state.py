# SPDX-License-Identifier: Apache-2.0
"""What a streaming retargeter remembers between frames."""

from dataclasses import dataclass

import numpy as np

from kata_core.arrays import FloatArray
from kata_core.retarget.contact import FootTracks, new_tracks
from kata_core.retarget.objective import Goal, Prior, Rows, new_goal, new_rows
from kata_core.retarget.problem import Problem
from kata_core.retarget.tree import Pose, new_pose

__all__ = ["Memory", "new_memory"]


@dataclass(slots=True)
class Memory:
    """Everything that changes; arrays are written in place.

    Attributes:
        started: Whether a frame was solved.
        stamp: Stamp of the last frame [ns].
        dt: Time between the last two frames [s].
        position: Last joint positions, shape (n,), [rad].
        change: Their last change, shape (n,), [rad].
        base_turn: Last rotation of the base, shape (3,), [rad].
        root_human: Human's hips' middle in the last frame, shape (3,), [m].
        leg_human: Human's leg length [m].
        pose: Robot's poses.
        tracks: Human's feet.
        goal: Room for the frame's goal.
        prior: Room for the frame's prior.
        rows: Room for the solver.
    """

    position: FloatArray
    change: FloatArray
    base_turn: FloatArray
    root_human: FloatArray
    pose: Pose
    tracks: FootTracks
    goal: Goal
    prior: Prior
    rows: Rows
    started: bool = False
    stamp: int = 0
    dt: float = 1.0 / 30.0
    leg_human: float = 0.0


def new_memory(problem: Problem) -> Memory:
    """Return the memory of a retargeter that has seen nothing."""
    n = len(problem.lower)
    prior = Prior(np.zeros(3), np.zeros(3), np.eye(3), np.zeros(1), np.zeros(n), np.zeros(n))
    pose = new_pose(problem.tree)
    pose.rotation[0] = np.eye(3)
    rows = new_rows(problem.dofs)
    return Memory(problem.rest.copy(), np.zeros(n), np.zeros(3), np.zeros(3), pose, new_tracks(0.9), new_goal(problem), prior, rows)
