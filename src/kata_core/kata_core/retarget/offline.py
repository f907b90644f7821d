# SPDX-License-Identifier: Apache-2.0
"""Whole clips with hindsight: contacts found first, then a forward pass, then sweeps that smooth to both sides."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from kata_core.arrays import FloatArray
from kata_core.retarget.advance import begin, follow
from kata_core.retarget.config import RetargetConfig
from kata_core.retarget.goal import anchor_sole
from kata_core.retarget.problem import Problem
from kata_core.retarget.refine import HumanClip, Motion, refine_frame
from kata_core.retarget.skeleton import BODY_COUNT, Human
from kata_core.retarget.stances import ankle_clearance, find_stances
from kata_core.retarget.state import Memory, new_memory
from kata_core.retarget.tree import forward, point_of

__all__ = ["retarget_offline"]


def retarget_offline(
    problem: Problem, config: RetargetConfig, humans: Sequence[Human], dt: float, start: tuple[float, float], tick: Callable[[], None]
) -> Motion:
    """Retarget a clip.

    Args:
        problem: The robot.
        config: Settings.
        humans: Samples, N of them.
        dt: Time between them [s].
        start: The robot's leg length over the human's, and the height of a fixed base [m].
        tick: Called after each sweep.
    """
    position = np.stack([human.position for human in humans])
    clip = HumanClip(
        position, np.stack([h.orientation for h in humans]), np.stack([h.valid for h in humans]), ankle_clearance(position[:, :BODY_COUNT])
    )
    standing = find_stances(position, dt, problem.settings) if config.floating_base else np.zeros((len(humans), 2), dtype=bool)
    memory = new_memory(problem)
    memory.scale[0] = start[0]
    motion = _forward_pass(problem, clip, standing, memory, dt, start[1])
    tick()
    for sweep in range(config.sweeps):
        _anchor_stances(problem, motion, memory)
        order = range(len(humans)) if sweep % 2 else range(len(humans) - 1, -1, -1)
        for i in order:
            refine_frame(problem, clip, motion, memory, i, config.jerk, dt)
        tick()
    return motion


def _forward_pass(
    problem: Problem, clip: HumanClip, standing: NDArray[np.bool_], memory: Memory, dt: float, base_height: float
) -> Motion:
    """Follow the clip as a stream would, but with contacts and floor already known."""
    count, n = len(standing), len(problem.lower)
    motion = Motion(
        np.zeros((count, n)), np.zeros((count, 3)), np.zeros((count, 3, 3)), standing, np.zeros((count, 2, 3)), np.zeros((count, 2, 3, 3))
    )
    for i in range(count):
        human = Human(clip.position[i], clip.orientation[i], clip.valid[i])
        if i == 0:
            begin(problem, human, memory, base_height)
        memory.tracks.standing[:] = standing[i]
        memory.tracks.clearance[:] = clip.clearance[i]
        if i > 0:
            follow(problem, human, memory, dt)
        motion.position[i] = memory.position
        motion.base_position[i] = memory.pose.position[0]
        motion.base_rotation[i] = memory.pose.rotation[0]
    return motion


def _anchor_stances(problem: Problem, motion: Motion, memory: Memory) -> None:
    """Anchor each stance at the mean place and heading that its sole has now."""
    centre, rotation = _soles(problem, motion, memory)
    for s in range(2):
        for begin_, end in _intervals(motion.standing[:, s]):
            mean = rotation[begin_:end, s].mean(axis=0)
            anchor_sole(problem, s, centre[begin_:end, s].mean(axis=0), mean, memory.goal)
            motion.anchor[begin_:end, s] = memory.goal.anchor[s]
            motion.flat[begin_:end, s] = memory.goal.flat[s]


def _soles(problem: Problem, motion: Motion, memory: Memory) -> tuple[FloatArray, FloatArray]:
    """Return centres, shape (N, 2, 3), [m], and orientations, shape (N, 2, 3, 3), of both soles."""
    count = len(motion.position)
    centre, rotation = np.zeros((count, 2, 3)), np.zeros((count, 2, 3, 3))
    for i in range(count):
        memory.pose.position[0], memory.pose.rotation[0] = motion.base_position[i], motion.base_rotation[i]
        forward(problem.tree, motion.position[i], memory.pose)
        for s, body in enumerate(problem.sole_body):
            point_of(memory.pose, body, problem.sole_centre[s], centre[i, s])
            rotation[i, s] = memory.pose.rotation[body]
    return centre, rotation


def _intervals(values: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return begin and end of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], values, [False]]).astype(int)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
