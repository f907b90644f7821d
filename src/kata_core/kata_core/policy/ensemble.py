# SPDX-License-Identifier: Apache-2.0
"""Blend overlapping chunks of actions into one smooth motion."""

import numpy as np

from kata_core.arrays import FloatArray

__all__ = ["TemporalEnsemble"]


class TemporalEnsemble:
    """Temporal ensembling (Zhao et al. 2023, ACT, section IV-A): all chunks that speak of now, averaged.

    A chunk that is k ticks old has the weight exp(−decay · (oldest − k)): as in the paper, the oldest
    counts most for decay > 0; a negative decay favours the newest.
    """

    def __init__(self, horizon: int, decay: float = 0.01) -> None:
        """Start with no chunks.

        Args:
            horizon: Actions in a chunk.
            decay: Exponent of the weights.
        """
        self._horizon = horizon
        self._decay = decay
        self._chunks: list[FloatArray] = []

    def push(self, chunk: FloatArray) -> FloatArray:
        """Take the newest chunk and return the action for now.

        Args:
            chunk: Shape (horizon, k), [rad]; its first row is for now.

        Returns:
            Shape (k,), [rad].
        """
        self._chunks = [*self._chunks[-(self._horizon - 1) :], chunk] if self._horizon > 1 else [chunk]
        newest = len(self._chunks) - 1
        rows = np.stack([c[newest - i] for i, c in enumerate(self._chunks)])
        weights = np.exp(-self._decay * np.arange(len(rows)))
        blended: FloatArray = weights @ rows / weights.sum()
        return blended

    def clear(self) -> None:
        """Forget all chunks, as after an episode."""
        self._chunks = []
