# SPDX-License-Identifier: Apache-2.0
"""The simplest policy: a multi-layer perceptron."""

import torch
from torch import Tensor

from kata_learning.policies.config import MlpConfig
from kata_learning.policies.interface import Observed, Policy, Scaling
from kata_learning.policies.parts.heads import make_head
from kata_learning.policies.parts.layers import mlp
from kata_learning.policies.spec import PolicySpec

__all__ = ["MlpPolicy"]


class MlpPolicy(Policy):
    """All terms and their history side by side, hidden layers, a head."""

    def __init__(self, spec: PolicySpec, config: MlpConfig, scaling: Scaling | None = None) -> None:
        """Make one with fresh weights."""
        super().__init__(spec, config, scaling)
        widths = [spec.history * sum(spec.sizes), *[config.hidden] * config.layers]
        self.trunk = mlp(widths, config.norm, config.dropout)
        self.head = make_head(config.head, config.hidden, spec.horizon, len(spec.joint_names))

    def predict(self, observed: Observed, noise: tuple[Tensor, ...]) -> Tensor:
        """Return the chunk that the head would do."""
        chunk: Tensor = self.head(self.trunk(observed.numbers.flatten(1)))
        return chunk

    def errors(self, observed: Observed, target: Tensor, valid: Tensor, generator: torch.Generator | None) -> dict[str, Tensor]:
        """Return the head's loss."""
        return {"action": self.head.loss(self.trunk(observed.numbers.flatten(1)), target, valid)}
