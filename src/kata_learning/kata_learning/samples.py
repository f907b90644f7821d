# SPDX-License-Identifier: Apache-2.0
"""What training draws from: steps with their chunks, and the same steps with the joints displaced."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from kata_learning.dataset import Dataset
from kata_learning.windows import action_windows

__all__ = ["Disturbance", "Samples", "take_samples"]


class Samples(NamedTuple):
    """Steps of one split; N steps.

    Attributes:
        terms: By observation term, shape (N, *shape).
        slopes: Derivative of each term by the policy's joints, shape (N, *shape, k).
        chunk: Actions from each step on, shape (N, horizon, k), [rad].
        valid: Whether an action of the chunk is one of the episode's own, shape (N, horizon).
    """

    terms: tuple[Tensor, ...]
    slopes: tuple[Tensor, ...]
    chunk: Tensor
    valid: Tensor

    def take(self, rows: Tensor) -> "Samples":
        """Return some of the steps."""
        terms, slopes = (tuple(values[rows] for values in part) for part in (self.terms, self.slopes))
        return Samples(terms, slopes, self.chunk[rows], self.valid[rows])


def take_samples(dataset: Dataset, split: str, horizon: int) -> Samples:
    """Return all steps of a split as tensors."""
    steps = dataset.steps(split)
    windows = action_windows(dataset.episode[steps], dataset.tick[steps], horizon)
    chunk = np.asarray(dataset.action)[steps][windows.step]
    terms, slopes = (
        tuple(torch.from_numpy(np.asarray(values)[steps]) for values in part.values())
        for part in (dataset.observation, dataset.sensitivity)
    )
    return Samples(terms, slopes, torch.from_numpy(chunk), torch.from_numpy(windows.valid))


class Disturbance(NamedTuple):
    """Errors that a policy will make but nobody demonstrated, and the way back from them.

    The joints of each step are displaced at random; what would then be observed follows from the terms'
    derivatives, and the chunk leads back to the demonstrated path, exponentially. It does in training what
    DART (Laskey et al. 2017) does by disturbing the demonstrator, with the data that there is.

    Attributes:
        noise: Standard deviation of the displacement [rad].
        left: What is left of it at each action of a chunk, shape (horizon, 1).
        blur: Standard deviation of independent noise by term, as term shapes.
    """

    noise: float
    left: Tensor
    blur: tuple[Tensor, ...]

    @classmethod
    def over(cls, horizon: int, rate: float, noise: float, recovery: float, blur: Sequence[Tensor]) -> "Disturbance":
        """Make one for chunks of a rate [Hz]; recovery is the time constant of the way back [s]."""
        elapsed = torch.arange(1, horizon + 1) / rate
        left = torch.exp(-elapsed / recovery) if recovery > 0.0 else torch.zeros(horizon)
        return cls(noise, left.unsqueeze(-1), tuple(blur))

    def apply(self, samples: Samples, generator: torch.Generator) -> Samples:
        """Return the steps as they would be after a random displacement of each."""
        # Most displacements small, some large: precise near the demonstrated path, and not lost far from it.
        size = self.noise * torch.rand(len(samples.chunk), 1, generator=generator)
        push = size * torch.randn(len(samples.chunk), samples.chunk.shape[-1], generator=generator)
        terms = tuple(
            term + (slope @ push[..., None]).squeeze(-1) + std * torch.randn(term.shape, generator=generator)
            for term, slope, std in zip(samples.terms, samples.slopes, self.blur, strict=True)
        )
        return Samples(terms, samples.slopes, samples.chunk + self.left * push[:, None], samples.valid)
