# SPDX-License-Identifier: Apache-2.0
"""Chunks of actions: for each step the actions that followed it without a gap."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Windows", "action_windows"]


@dataclass(frozen=True, slots=True)
class Windows:
    """For each step the steps of its chunk.

    Attributes:
        step: Indices of steps, shape (T, horizon); past the end the last valid one is repeated.
        valid: Whether the entry is a step of its own, shape (T, horizon); the first always is.
    """

    step: NDArray[np.intp]
    valid: NDArray[np.bool_]


def action_windows(episode: NDArray[np.int32], tick: NDArray[np.int32], horizon: int) -> Windows:
    """Return chunks that never cross an episode's end or a dropped step.

    Args:
        episode: Index of each step's episode, shape (T,).
        tick: Number of each step within its episode, shape (T,).
        horizon: Actions in a chunk.
    """
    steps = len(episode)
    ahead = np.arange(horizon)
    step = np.minimum(np.arange(steps)[:, None] + ahead, max(steps - 1, 0))
    follows = (episode[step] == episode[:, None]) & (tick[step] == tick[:, None] + ahead)
    valid = np.logical_and.accumulate(follows, axis=1)
    last = np.maximum.accumulate(np.where(valid, step, 0), axis=1)
    return Windows(last, valid)
