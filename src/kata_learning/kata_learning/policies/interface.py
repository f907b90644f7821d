# SPDX-License-Identifier: Apache-2.0
"""What every policy offers: a loss to learn from, and one deterministic graph to run and export.

A policy is made of three parts that are the same for all: it normalises what it sees, a kind's own network works in
normalised numbers, and what comes out is made into absolute joint positions. A kind writes the middle part alone:
`predict` and `errors`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from kata_learning.policies.spec import PolicySpec
from kata_policy.observation import TermSpec

__all__ = ["Batch", "Losses", "Observed", "Policy", "Scaling"]


class Batch(NamedTuple):
    """Windows of a dataset as tensors, as `kata_data.dataset.loader` gathers them; B windows.

    Attributes:
        terms: In the spec's order, shape (B, history, *shape).
        pictures: Likewise by camera, shape (B, history, height, width, 3), uint8.
        chunk: Demonstrated joint positions, shape (B, horizon, k), [rad]; beyond the end the last one is repeated.
        valid: Whether an action is one of the episode's own, shape (B, horizon).
    """

    terms: tuple[Tensor, ...]
    pictures: tuple[Tensor, ...]
    chunk: Tensor
    valid: Tensor


@dataclass(frozen=True, slots=True)
class Observed:
    """What a network works on: all normalised.

    Attributes:
        numbers: All terms side by side, shape (B, history, d).
        sizes: How many of the numbers each term has.
        pictures: By camera, shape (B, history, 3, height, width).
    """

    numbers: Tensor
    sizes: tuple[int, ...]
    pictures: tuple[Tensor, ...]

    @property
    def terms(self) -> tuple[Tensor, ...]:
        """Return the terms, shape (B, history, size) each."""
        return tuple(torch.split_with_sizes(self.numbers, list(self.sizes), -1))


class Losses(NamedTuple):
    """A loss and what it is made of.

    Attributes:
        total: What is minimised, a scalar.
        parts: Scalars by name, for logs.
    """

    total: Tensor
    parts: Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class Scaling:
    """What is subtracted and divided by, inside the graph.

    Attributes:
        mean: By term, as term shapes.
        std: By term, positive.
        step_mean: Displacement from the measured position, shape (horizon, k), [rad].
        step_std: Likewise, positive.
        colour_mean: By camera, shape (3,), 0 to 1.
        colour_std: By camera, positive.
    """

    mean: tuple[Tensor, ...]
    std: tuple[Tensor, ...]
    step_mean: Tensor
    step_std: Tensor
    colour_mean: tuple[Tensor, ...] = field(default=())
    colour_std: tuple[Tensor, ...] = field(default=())


class Policy(nn.Module, ABC):
    """Observation → absolute joint positions for the next `horizon` steps.

    What is learned is the displacement from the measured joint position, which is added inside, so that nobody needs
    to know of it; a policy that does not see ``joint_position`` learns positions.

    Attributes:
        spec: What it sees and moves.
        config: Its shape, of its kind's dataclass.
        noise: Random inputs of the graph, each standard normal; empty for most.
    """

    noise: tuple[TermSpec, ...] = ()

    def __init__(self, spec: PolicySpec, config: Any, scaling: Scaling | None = None) -> None:
        """Keep the spec and register the scaling; without one the buffers wait for `load_state_dict`."""
        super().__init__()
        self.spec, self.config = spec, config
        chunk = (spec.horizon, len(spec.joint_names))
        for i, term in enumerate(spec.terms):
            self.register_buffer(f"mean_{i}", scaling.mean[i] if scaling else torch.zeros(term.shape))
            self.register_buffer(f"std_{i}", scaling.std[i] if scaling else torch.ones(term.shape))
        for i in range(len(spec.cameras)):
            self.register_buffer(f"colour_mean_{i}", scaling.colour_mean[i] if scaling else torch.zeros(3))
            self.register_buffer(f"colour_std_{i}", scaling.colour_std[i] if scaling else torch.ones(3))
        self.register_buffer("step_mean", scaling.step_mean if scaling else torch.zeros(chunk))
        self.register_buffer("step_std", scaling.step_std if scaling else torch.ones(chunk))

    @property
    def inputs(self) -> tuple[TermSpec, ...]:
        """Return the inputs of `forward` with their shapes without the batch: terms, cameras, noise."""
        window = self.spec.window
        terms = tuple(TermSpec(term.name, (*window, *term.shape)) for term in self.spec.terms)
        cameras = tuple(TermSpec(camera.input, (*window, *camera.shape)) for camera in self.spec.cameras)
        return (*terms, *cameras, *self.noise)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return joint positions; nothing is drawn at random, and dropout is the caller's `eval()`.

        Args:
            inputs: As `inputs` says, with the batch before: a history axis only where the history is longer than 1;
                pictures uint8, all else float32.

        Returns:
            Shape (B, horizon, k), [rad].
        """
        spec, count = self.spec, len(self.spec.terms)
        terms, pictures, noise = inputs[:count], inputs[count : count + len(spec.cameras)], inputs[count + len(spec.cameras) :]
        numbers = torch.cat([term.flatten(1 + len(spec.window)) for term in terms], dim=-1)
        if not spec.window:
            numbers, pictures = numbers.unsqueeze(1), tuple(values.unsqueeze(1) for values in pictures)
        chunk = self.predict(self._observed(numbers, pictures), noise)
        return self._anchor(terms, bool(spec.window)) + (chunk * self.get_buffer("step_std") + self.get_buffer("step_mean"))

    def loss(self, batch: Batch, generator: torch.Generator | None = None) -> Losses:
        """Return the loss of a batch.

        Args:
            batch: The windows.
            generator: Draws what the loss needs of chance, such as noise levels; dropout draws from torch's own.
        """
        target = (batch.chunk - self._anchor(batch.terms, windowed=True) - self.get_buffer("step_mean")) / self.get_buffer(
            "step_std"
        )
        observed = self._observed(torch.cat([term.flatten(2) for term in batch.terms], dim=-1), batch.pictures)
        parts = self.errors(observed, target, batch.valid, generator)
        return Losses(torch.stack(tuple(parts.values())).sum(), {name: value.detach() for name, value in parts.items()})

    @abstractmethod
    def predict(self, observed: Observed, noise: tuple[Tensor, ...]) -> Tensor:
        """Return the chunk in units of the displacements' spread, shape (B, horizon, k).

        Args:
            observed: What is seen.
            noise: One tensor for each of `noise`, shape (B, *shape).
        """

    @abstractmethod
    def errors(self, observed: Observed, target: Tensor, valid: Tensor, generator: torch.Generator | None) -> dict[str, Tensor]:
        """Return the parts of the loss by name; their sum is minimised.

        Args:
            observed: What is seen.
            target: The demonstrated chunk in units of the displacements' spread, shape (B, horizon, k).
            valid: Which of its actions count, shape (B, horizon).
            generator: As in `loss`.
        """

    def _anchor(self, terms: Sequence[Tensor], windowed: bool) -> Tensor | float:
        """Return what displacements start from, shape (B, 1, k), [rad], or 0."""
        if self.spec.anchor is None:
            return 0.0
        position = terms[self.spec.anchor]
        return position[:, -1:] if windowed else position.unsqueeze(1)

    def _observed(self, numbers: Tensor, pictures: Sequence[Tensor]) -> Observed:
        # The scaling is joined in the graph, where it is a constant, rather than each term scaled on its own: a small
        # network's time is in the number of its operations.
        mean, std = (
            torch.cat([self.get_buffer(f"{what}_{i}").flatten() for i in range(len(self.spec.terms))]) for what in ("mean", "std")
        )
        seen = []
        for i, picture in enumerate(pictures):
            colours = (picture.float() - 255.0 * self.get_buffer(f"colour_mean_{i}")) / (
                255.0 * self.get_buffer(f"colour_std_{i}")
            )
            seen.append(colours.permute(0, 1, 4, 2, 3))
        return Observed((numbers - mean) / std, self.spec.sizes, tuple(seen))
