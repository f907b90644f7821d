# SPDX-License-Identifier: Apache-2.0
"""Policies that make one vector of what is seen, and leave chunk and loss to a head."""

from abc import abstractmethod

import torch
from torch import Tensor

from kata_learning.policies.interface import Observed, Policy
from kata_learning.policies.parts.heads import Head

__all__ = ["HeadedPolicy"]


class HeadedPolicy(Policy):
    """A `feature`, and a `head` that its subclass makes."""

    head: Head

    @abstractmethod
    def feature(self, observed: Observed) -> Tensor:
        """Return one vector for each sample, shape (B, hidden)."""

    def predict(self, observed: Observed, noise: tuple[Tensor, ...]) -> Tensor:
        """Return the chunk that the head would do."""
        chunk: Tensor = self.head(self.feature(observed))
        return chunk

    def errors(self, observed: Observed, target: Tensor, valid: Tensor, generator: torch.Generator | None) -> dict[str, Tensor]:
        """Return the head's loss."""
        return {"action": self.head.loss(self.feature(observed), target, valid)}
