# SPDX-License-Identifier: Apache-2.0
"""Heads: what a feature vector says of a chunk, how wrong that is, and what is done.

Chunks are in units of the displacements' spread, so that one head fits all joints.
"""

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional

from kata_learning.policies.config import HeadConfig

__all__ = ["Head", "make_head", "valid_mean"]


def valid_mean(error: Tensor, valid: Tensor) -> Tensor:
    """Return the mean over what counts.

    Args:
        error: Shape (B, horizon, k).
        valid: Shape (B, horizon).
    """
    weight = valid.unsqueeze(-1).expand_as(error)
    mean: Tensor = (error * weight).sum() / weight.sum().clamp(min=1)
    return mean


class Head(nn.Module, ABC):
    """A last layer with its loss."""

    @abstractmethod
    def loss(self, feature: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        """Return how far a target is from what was said, a scalar.

        Args:
            feature: Shape (B, width).
            target: Shape (B, horizon, k).
            valid: Shape (B, horizon).
        """

    @abstractmethod
    def forward(self, feature: Tensor) -> Tensor:
        """Return the chunk to be done, shape (B, horizon, k)."""


def make_head(config: HeadConfig, width: int, horizon: int, joints: int) -> Head:
    """Return a head of a kind for features of a width."""
    if config.kind == "mixture":
        return _Mixture(config, width, horizon, joints)
    if config.kind == "discrete":
        return _Discrete(config, width, horizon, joints)
    return _Regression(config.kind, width, horizon, joints)


class _Regression(Head):
    """One chunk, held against the demonstrated one by squares or absolute values."""

    def __init__(self, kind: str, width: int, horizon: int, joints: int) -> None:
        super().__init__()
        self._square, self._shape = kind == "mse", (horizon, joints)
        self.out = nn.Linear(width, horizon * joints)

    def forward(self, feature: Tensor) -> Tensor:
        out: Tensor = self.out(feature)
        return out.reshape(-1, *self._shape)

    def loss(self, feature: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        error = self(feature) - target
        return valid_mean(error.square() if self._square else error.abs(), valid)


class _Mixture(Head):
    """Gaussians with diagonal covariance over whole chunks (Bishop 1994), so that a mode is one motion to its end.

    What is done is the mean of the likeliest one.
    """

    def __init__(self, config: HeadConfig, width: int, horizon: int, joints: int) -> None:
        super().__init__()
        self._least, self._shape = config.least_std, (config.modes, horizon, joints)
        size = math.prod(self._shape)
        self.mean, self.spread, self.logit = nn.Linear(width, size), nn.Linear(width, size), nn.Linear(width, config.modes)

    def forward(self, feature: Tensor) -> Tensor:
        chosen = functional.one_hot(self.logit(feature).argmax(-1), self._shape[0]).to(feature.dtype)
        chunk: Tensor = (self.mean(feature).reshape(-1, *self._shape) * chosen[..., None, None]).sum(1)
        return chunk

    def loss(self, feature: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        """Return the negative log likelihood by number, so that the horizon does not change its size."""
        mean = self.mean(feature).reshape(-1, *self._shape)
        std = functional.softplus(self.spread(feature)).reshape(-1, *self._shape) + self._least
        weight = valid[:, None, :, None].expand_as(mean)
        log = -0.5 * ((target[:, None] - mean) / std).square() - std.log() - 0.5 * math.log(2.0 * math.pi)
        chunk = (log * weight).flatten(2).sum(-1) + self.logit(feature).log_softmax(-1)
        loss: Tensor = -chunk.logsumexp(-1).sum() / weight[:, 0].sum().clamp(min=1)
        return loss


class _Discrete(Head):
    """A distribution over bins for each number, by cross-entropy; what is done is the mean near the likeliest bin.

    A target between two bins' centres is shared among them in proportion (two-hot), so that bins cost no precision.
    """

    def __init__(self, config: HeadConfig, width: int, horizon: int, joints: int) -> None:
        super().__init__()
        self._shape, self._span = (horizon, joints, config.bins), config.span
        self.out = nn.Linear(width, math.prod(self._shape))
        self.register_buffer("centres", torch.linspace(-config.span, config.span, config.bins), persistent=False)

    def forward(self, feature: Tensor) -> Tensor:
        logits = self.out(feature).reshape(-1, *self._shape)
        index = torch.arange(self._shape[-1], device=feature.device)
        near = (index - logits.argmax(-1, keepdim=True)).abs() <= 1
        share = logits.masked_fill(~near, -1e9).softmax(-1)
        chunk: Tensor = (share * self.get_buffer("centres")).sum(-1)
        return chunk

    def loss(self, feature: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        log = self.out(feature).reshape(-1, *self._shape).log_softmax(-1)
        bins = self._shape[-1]
        place = ((target + self._span) / (2.0 * self._span) * (bins - 1)).clamp(0.0, bins - 1.0)
        left = place.floor().clamp(max=bins - 2.0).long()
        right_share = place - left
        both = log.gather(-1, torch.stack((left, left + 1), -1))
        return valid_mean(-(both[..., 0] * (1.0 - right_share) + both[..., 1] * right_share), valid)
