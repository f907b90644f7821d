# SPDX-License-Identifier: Apache-2.0
"""From chunks of actions, which may come late, to one action for each step."""

from dataclasses import dataclass

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.config.params import param

__all__ = ["ChunkExecutor", "ExecutionConfig"]


@dataclass(frozen=True)
class ExecutionConfig:
    """How chunks become one motion.

    `ensemble`: all chunks that speak of now are averaged (Zhao et al. 2023, ACT, section IV-A); one that is the i-th
    oldest weighs exp(−decay · i), so for decay > 0 the oldest counts most, for decay < 0 the newest.
    `receding`: the newest chunk is carried out for `replan` steps before the next one is asked for (Chi et al. 2023,
    Diffusion Policy, section II-C); at the seam the old one fades out over `blend` steps.
    """

    mode: str = param("ensemble", choices=("ensemble", "receding"), doc="How chunks become one motion.")
    replan: int = param(1, unit="steps", low=1, high=1000, doc="Steps from one question to the next.")
    decay: float = param(0.01, low=-10.0, high=10.0, doc="Weight decay of the ensemble; above 0 old chunks count more.")
    blend: int = param(4, unit="steps", low=0, high=1000, doc="Steps over which an old chunk fades out (receding).")


@dataclass(slots=True)
class _Plan:
    """A chunk, shape (horizon, k), whose first row is for step `start`."""

    start: int
    chunk: FloatArray

    def covers(self, step: int) -> bool:
        return self.start <= step < self.start + len(self.chunk)

    def at(self, step: int) -> FloatArray:
        """Return the action for a step; beyond its ends the chunk stands still."""
        row: FloatArray = self.chunk[min(max(step - self.start, 0), len(self.chunk) - 1)]
        return row


class ChunkExecutor:
    """Carries out chunks in time.

    A chunk answers what was seen at some step, and its first row is for that step. However late it comes, the row for
    the present step is carried out: the time that inference takes shifts nothing (delay compensation). Seams do not
    jump: where a receding chunk takes over, its difference δ from the motion so far fades out linearly, so that a step
    moves the action no more than the chunks themselves do plus |δ| / (blend + 1). In an ensemble a new chunk counts
    with its share of the weights.
    """

    def __init__(self, config: ExecutionConfig) -> None:
        """Start without any chunk."""
        self._config = config
        self.clear()

    def clear(self) -> None:
        """Forget all chunks, as after an episode."""
        self._asked: int | None = None
        self.drop()

    def drop(self) -> None:
        """Forget all chunks, but not when the next one is to be asked for."""
        self._plans: list[_Plan] = []
        self._seam: FloatArray | float = 0.0
        self._since = 0

    def wants(self, step: int) -> bool:
        """Return whether a new chunk should be asked for at a step."""
        return self._asked is None or not 0 <= step - self._asked < self._config.replan

    def ask(self, step: int) -> None:
        """Note that a chunk was asked for at a step."""
        self._asked = step

    def push(self, chunk: FloatArray, start: int, now: int) -> None:
        """Take a chunk.

        Args:
            chunk: Shape (horizon, k), [rad].
            start: Step that its first row is for.
            now: Present step; from here on the chunk counts.
        """
        plan = _Plan(start, chunk)
        if self._config.mode == "ensemble":
            self._plans = [*(old for old in self._plans if old.covers(now)), plan]
            return
        self._seam = self._receding(now) - plan.at(now) if self._plans else 0.0
        self._plans, self._since = [plan], now

    def action(self, step: int) -> FloatArray | None:
        """Return the action for a step, shape (k,), [rad]; None if no chunk speaks of it."""
        if not any(plan.covers(step) for plan in self._plans):
            return None
        return self._ensemble(step) if self._config.mode == "ensemble" else self._receding(step)

    def _ensemble(self, step: int) -> FloatArray:
        rows = np.stack([plan.at(step) for plan in self._plans if plan.covers(step)])
        weights = np.exp(-self._config.decay * np.arange(len(rows)))
        blended: FloatArray = weights @ rows / weights.sum()
        return blended

    def _receding(self, step: int) -> FloatArray:
        left = max(0.0, 1.0 - (step - self._since + 1) / (self._config.blend + 1))
        faded: FloatArray = self._plans[0].at(step) + left * self._seam
        return faded
