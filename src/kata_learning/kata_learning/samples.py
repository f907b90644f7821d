# SPDX-License-Identifier: Apache-2.0
"""What training draws from: steps with their chunks, and the same steps with the joints displaced."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kata_learning.dataset import Dataset
from kata_learning.windows import action_windows

__all__ = ["Disturbance", "Samples", "carried_slopes", "derivatives", "fading", "take_samples"]


class Samples(NamedTuple):
    """Steps of one split; N steps.

    Attributes:
        terms: By observation term, shape (N, *shape).
        slopes: Derivative of each term by the policy's joints, shape (N, *shape, k).
        carried: The same where the objects move along with the hand, see `carried_slopes`.
        chunk: Actions from each step on, shape (N, horizon, k), [rad].
        valid: Whether an action of the chunk is one of the episode's own, shape (N, horizon).
    """

    terms: tuple[Tensor, ...]
    slopes: tuple[Tensor, ...]
    carried: tuple[Tensor, ...]
    chunk: Tensor
    valid: Tensor

    def take(self, rows: Tensor) -> "Samples":
        """Return some of the steps."""
        terms, slopes, carried = (tuple(values[rows] for values in part) for part in (self.terms, self.slopes, self.carried))
        return Samples(terms, slopes, carried, self.chunk[rows], self.valid[rows])


def take_samples(dataset: Dataset, split: str, horizon: int) -> Samples:
    """Return all steps of a split as tensors."""
    steps = dataset.steps(split)
    windows = action_windows(dataset.episode[steps], dataset.tick[steps], horizon)
    chunk = np.asarray(dataset.action)[steps][windows.step]
    terms = tuple(torch.from_numpy(np.asarray(values)[steps]) for values in dataset.observation.values())
    slopes = tuple(torch.from_numpy(values[steps]) for values in derivatives(dataset).values())
    carried = carried_slopes(tuple(dataset.observation), slopes)
    return Samples(terms, slopes, carried, torch.from_numpy(chunk), torch.from_numpy(windows.valid))


def derivatives(dataset: Dataset) -> Mapping[str, NDArray[np.float32]]:
    """Return how each term changes with the policy's joints; zeros where the dataset does not know (imported ones)."""
    if dataset.sensitivity:
        return dataset.sensitivity
    joints = len(dataset.manifest.joint_names)
    return {
        name: np.broadcast_to(np.float32(0.0), (len(dataset), *shape, joints)) for name, shape in dataset.manifest.terms.items()
    }


def carried_slopes(names: Sequence[str], slopes: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Return how terms change with the joints where each object moves along with a frame of the robot.

    An object moves along with the first frame F that a term ``object_from_frame/OBJECT/F`` names. Without
    any such term the result is all zeros.

    Args:
        names: Names of the terms.
        slopes: Their derivatives where the objects stay, shape (N, *shape, k) each.
    """
    frame_slopes: dict[str, Tensor] = {}
    for name, slope in zip(names, slopes, strict=True):
        kind, *rest = name.split("/")
        if kind == "object_from_frame":
            frame_slopes.setdefault(rest[0], -slope)
    if not frame_slopes:
        return tuple(torch.zeros_like(slope) for slope in slopes)
    return tuple(
        slope + frame_slopes.get(name.split("/")[1], 0.0) if name.startswith("object_") else slope
        for name, slope in zip(names, slopes, strict=True)
    )


class Disturbance(NamedTuple):
    """What nobody demonstrated, but follows from what was demonstrated.

    Errors: the joints of each step are displaced at random; what would then be observed follows from the terms'
    derivatives, and the chunk leads back to the demonstrated path, exponentially. This does in training what
    DART (Laskey et al. 2017) does by disturbing the demonstrator, with the data that there is.

    Other places: joints and objects are displaced together, and the chunk with them. The motion that remains to
    be done is then the same, to first order, and ends where the hand is at the object, wherever that is.

    Attributes:
        noise: Greatest standard deviation of an error [rad].
        left: What is left of an error at each action of a chunk, shape (horizon, 1).
        shift: Greatest standard deviation of a change of place [rad].
        blur: Standard deviation of independent noise by term, as term shapes.
    """

    noise: float
    left: Tensor
    shift: float
    blur: tuple[Tensor, ...]

    def apply(self, samples: Samples, generator: torch.Generator) -> Samples:
        """Return the steps with a random error and a random change of place each."""
        push, carry = (self._draw(size, samples.chunk, generator) for size in (self.noise, self.shift))
        anchored = any(bool(slope.any()) for slope in samples.carried)
        carry = carry if anchored else torch.zeros_like(carry)
        terms = tuple(
            term
            + (slope @ push[..., None] + carried @ carry[..., None]).squeeze(-1)
            + std * torch.randn(term.shape, generator=generator)
            for term, slope, carried, std in zip(samples.terms, samples.slopes, samples.carried, self.blur, strict=True)
        )
        chunk = samples.chunk + self.left * push[:, None] + carry[:, None]
        return Samples(terms, samples.slopes, samples.carried, chunk, samples.valid)

    @staticmethod
    def _draw(size: float, chunk: Tensor, generator: torch.Generator) -> Tensor:
        """Draw displacements, most of them small and some large, shape (N, k), [rad]."""
        sizes = size * torch.rand(len(chunk), 1, generator=generator)
        return sizes * torch.randn(len(chunk), chunk.shape[-1], generator=generator)


def fading(horizon: int, rate: float, recovery: float) -> Tensor:
    """Return what is left of an error at each action of a chunk, shape (horizon, 1).

    Args:
        horizon: Actions in a chunk.
        rate: Actions a second [Hz].
        recovery: Time constant [s]; 0 is at once.
    """
    elapsed = torch.arange(1, horizon + 1) / rate
    left = torch.exp(-elapsed / recovery) if recovery > 0.0 else torch.zeros(horizon)
    return left.unsqueeze(-1)
