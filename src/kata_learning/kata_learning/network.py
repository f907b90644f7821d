# SPDX-License-Identifier: Apache-2.0
"""The policy network: an MLP that maps an observation to a chunk of joint positions."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from kata_core.observation import TermSpec

__all__ = ["ChunkPolicy", "NetworkSpec", "Scaling"]


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """The shape of a network.

    Attributes:
        terms: Observation terms in the order of the network's inputs.
        joint_names: Joints that it moves, k.
        horizon: Actions in a chunk.
        hidden: Width of a hidden layer.
        layers: Number of hidden layers.
    """

    terms: tuple[TermSpec, ...]
    joint_names: tuple[str, ...]
    horizon: int
    hidden: int
    layers: int


@dataclass(frozen=True, slots=True)
class Scaling:
    """What is subtracted and divided by, inside the network.

    Attributes:
        mean: By term, as term shapes.
        std: By term, positive.
        step_mean: Displacement from the measured position, shape (horizon, k), [rad].
        step_std: Likewise, positive.
    """

    mean: tuple[Tensor, ...]
    std: tuple[Tensor, ...]
    step_mean: Tensor
    step_std: Tensor


class ChunkPolicy(nn.Module):
    """Observation terms → absolute joint positions for the next `horizon` steps.

    The MLP predicts displacements from the measured joint position, which is added inside, so that what
    comes out needs no knowledge of the network; normalisation is inside, too. A network that does not see
    ``joint_position`` predicts positions directly.
    """

    def __init__(self, spec: NetworkSpec, scaling: Scaling | None = None) -> None:
        """Make a network with fresh weights; without scaling the buffers wait for `load_state_dict`."""
        super().__init__()
        self.spec = spec
        names = [term.name for term in spec.terms]
        self._anchor = names.index("joint_position") if "joint_position" in names else None
        chunk = (spec.horizon, len(spec.joint_names))
        for i, term in enumerate(spec.terms):
            self.register_buffer(f"mean_{i}", scaling.mean[i] if scaling else torch.zeros(term.shape))
            self.register_buffer(f"std_{i}", scaling.std[i] if scaling else torch.ones(term.shape))
        self.register_buffer("step_mean", scaling.step_mean if scaling else torch.zeros(chunk))
        self.register_buffer("step_std", scaling.step_std if scaling else torch.ones(chunk))
        self.trunk = _mlp(sum(_size(term) for term in spec.terms), spec)

    def forward(self, *terms: Tensor) -> Tensor:
        """Return joint positions.

        Args:
            terms: One tensor for each term in the order of the spec, shape (batch, *shape).

        Returns:
            Shape (batch, horizon, k), [rad].
        """
        return self.anchor(terms) + self.displacement(terms)

    def anchor(self, terms: Sequence[Tensor]) -> Tensor | float:
        """Return what displacements start from, shape (batch, 1, k), [rad], or 0."""
        return 0.0 if self._anchor is None else terms[self._anchor].unsqueeze(1)

    def displacement(self, terms: Sequence[Tensor]) -> Tensor:
        """Return the predicted displacement, shape (batch, horizon, k), [rad]."""
        scaled = [
            ((term - self.get_buffer(f"mean_{i}")) / self.get_buffer(f"std_{i}")).flatten(1) for i, term in enumerate(terms)
        ]
        out: Tensor = self.trunk(torch.cat(scaled, dim=1))
        chunk = out.reshape(-1, self.spec.horizon, len(self.spec.joint_names))
        displacement: Tensor = chunk * self.get_buffer("step_std") + self.get_buffer("step_mean")
        return displacement


def _size(term: TermSpec) -> int:
    return int(torch.Size(term.shape).numel())


def _mlp(inputs: int, spec: NetworkSpec) -> nn.Sequential:
    widths = [inputs, *[spec.hidden] * spec.layers]
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths):
        layers += [nn.Linear(fan_in, fan_out), nn.GELU()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], spec.horizon * len(spec.joint_names)))
