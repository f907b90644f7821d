# SPDX-License-Identifier: Apache-2.0
"""Whole clips with hindsight: contacts found first, then a forward pass, then sweeps that smooth to both sides."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from kata_retarget.config import RetargetConfig
from kata_retarget.offline.refine import HumanClip, Motion, refine_frame
from kata_retarget.offline.stances import Stances, find_stances, no_stances
from kata_retarget.skeleton import Human
from kata_retarget.solver.advance import begin, finish, improve, prepare_tracked
from kata_retarget.solver.problem import Problem
from kata_retarget.solver.state import Memory, new_memory

__all__ = ["retarget_offline"]

_EAGER = 0.1  # share of the streaming mode's smoothing in the forward pass


def retarget_offline(
    problem: Problem,
    config: RetargetConfig,
    humans: Sequence[Human],
    dt: float,
    start: tuple[float, float],
    tick: Callable[[], None],
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
    stances = find_stances(position, dt, problem.settings) if config.floating_base else no_stances(len(humans))
    clip = HumanClip(
        position,
        np.stack([h.orientation for h in humans]),
        np.stack([h.valid for h in humans]),
        stances.clearance,
        stances.ground,
    )
    memory = new_memory(problem)
    memory.scale[0] = start[0]
    motion = _forward_pass(problem, clip, stances, memory, dt, start[1])
    tick()
    for sweep in range(config.sweeps):
        order = range(len(humans)) if sweep % 2 else range(len(humans) - 1, -1, -1)
        for i in order:
            refine_frame(problem, clip, motion, memory, i, config.jerk, dt)
        tick()
    return motion


def _forward_pass(problem: Problem, clip: HumanClip, stances: Stances, memory: Memory, dt: float, base_height: float) -> Motion:
    """Follow the clip as a stream would, but with contacts and floor already known, and with hardly any smoothing.

    A sole is held from the second frame of its stance on, where the first one put it.
    """
    standing = stances.standing
    count, n = len(standing), len(problem.lower)
    eager = problem._replace(settings=problem.settings._replace(smoothing=_EAGER * problem.settings.smoothing))
    held = standing & np.concatenate([standing[:1], standing[:-1]])
    room = np.zeros((count, n)), np.zeros((count, 3)), np.zeros((count, 3, 3))
    motion = Motion(*room, held, np.zeros((count, 2, 3)), np.zeros((count, 2, 3, 3)), np.zeros((count, 2)))
    for i in range(count):
        human = Human(clip.position[i], clip.orientation[i], clip.valid[i])
        if i == 0:
            begin(eager, human, memory, base_height)
        memory.tracks.standing[:] = held[i]
        memory.tracks.clearance[:] = clip.clearance[i]
        memory.tracks.ground[:] = clip.ground[i]
        memory.tracks.tilted[:] = stances.tilted[i]
        if i > 0:
            prepare_tracked(eager, human, memory, dt)
            improve(eager, memory, eager.settings.iterations)
            finish(eager, human, memory, dt)
        motion.position[i] = memory.position
        motion.base_position[i] = memory.pose.position[0]
        motion.base_rotation[i] = memory.pose.rotation[0]
        motion.anchor[i], motion.flat[i], motion.ground[i] = memory.goal.anchor, memory.goal.flat, memory.goal.ground
    _hold_from_first_frame(motion, standing)
    return motion


def _hold_from_first_frame(motion: Motion, standing: NDArray[np.bool_]) -> None:
    """Give the first frame of each stance the anchor of its second, in place; stances of one frame are none."""
    for i in range(len(standing) - 1):
        for s in range(2):
            if standing[i, s] and motion.standing[i + 1, s] and (i == 0 or not motion.standing[i, s]):
                motion.standing[i, s] = True
                motion.anchor[i, s], motion.flat[i, s] = motion.anchor[i + 1, s], motion.flat[i + 1, s]
    if not motion.anchor[0].any():
        motion.standing[0] &= standing[:2].all(axis=0)
