# SPDX-License-Identifier: Apache-2.0
"""Attention (Vaswani et al. 2017) in layers that normalise first (Xiong et al. 2020); weights are never written to memory."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from kata_model.errors import ConfigError

__all__ = ["Attention", "DecoderLayer", "EncoderLayer", "check_heads", "feed_forward", "level_embedding"]


def check_heads(width: int, heads: int) -> None:
    """Refuse a width that heads cannot share.

    Raises:
        ConfigError: The width is not a multiple of the heads.
    """
    if width % heads:
        raise ConfigError(f"width {width} is not a multiple of {heads} heads", fix="choose a width that is")


class Attention(nn.Module):
    """Queries that look at a memory, or at one another."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        """Make one with fresh weights; dropout hides what is looked at."""
        super().__init__()
        check_heads(width, heads)
        self._heads, self._dropout = heads, dropout
        self.query, self.memory = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, queries: Tensor, memory: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return what each query found, shape (B, N, width).

        Args:
            queries: Shape (B, N, width), or (1, N, width) where all samples ask the same.
            memory: Shape (B, M, width).
            mask: Which of the memory may be looked at, bool, shape (B, M); None is all.
        """
        asked = self._split(self.query(queries))
        keys, values = (self._split(part) for part in self.memory(memory).chunk(2, dim=-1))
        if asked.shape[0] != keys.shape[0]:
            asked = asked.expand(keys.shape[0], -1, -1, -1)
        allowed = None if mask is None else mask[:, None, None, :]
        dropout = self._dropout if self.training else 0.0
        found = functional.scaled_dot_product_attention(asked, keys, values, allowed, dropout)
        return cast("Tensor", self.out(found.transpose(1, 2).flatten(2)))

    def _split(self, values: Tensor) -> Tensor:
        """Return (B, N, width) as (B, heads, N, width / heads)."""
        return values.reshape(*values.shape[:2], self._heads, -1).transpose(1, 2)


def feed_forward(width: int, hidden: int, dropout: float) -> nn.Sequential:
    """Return the perceptron of a layer, its own normalisation first."""
    inner = [nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, width), nn.Dropout(dropout)]
    return nn.Sequential(nn.LayerNorm(width), *inner)


class EncoderLayer(nn.Module):
    """Tokens look at one another, then each thinks for itself."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        """Make one with fresh weights."""
        super().__init__()
        self.norm, self.attention = nn.LayerNorm(width), Attention(width, heads, dropout)
        self.think, self.dropout = feed_forward(width, hidden, dropout), nn.Dropout(dropout)

    def forward(self, tokens: Tensor, mask: Tensor | None = None, first: int | None = None) -> Tensor:
        """Return the tokens after this layer, shape (B, N, width), or of the first few alone, where others are not needed.

        Args:
            tokens: Shape (B, N, width).
            mask: As in `Attention`.
            first: How many tokens are wanted.
        """
        normal = self.norm(tokens)
        wanted = tokens[:, :first] + self.dropout(self.attention(normal[:, :first], normal, mask))
        return cast("Tensor", wanted + self.think(wanted))


class DecoderLayer(nn.Module):
    """Queries look at one another, then at a memory, then think."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        """Make one with fresh weights."""
        super().__init__()
        self.own_norm, self.own = nn.LayerNorm(width), Attention(width, heads, dropout)
        self.norm, self.attention = nn.LayerNorm(width), Attention(width, heads, dropout)
        self.think, self.dropout = feed_forward(width, hidden, dropout), nn.Dropout(dropout)

    def forward(self, queries: Tensor, memory: Tensor) -> Tensor:
        """Return the queries after this layer, shape (B, N, width).

        Args:
            queries: Shape (B, N, width), or (1, N, width) where they are the same for all: what is done before they look
                at the memory is then done once, and is a constant of the exported graph.
            memory: Shape (B, M, width).
        """
        normal = self.own_norm(queries)
        queries = queries + self.dropout(self.own(normal, normal))
        queries = queries + self.dropout(self.attention(self.norm(queries), memory))
        return cast("Tensor", queries + self.think(queries))


def level_embedding(level: Tensor, size: int) -> Tensor:
    """Return sines and cosines of a number at many rates (Vaswani et al. 2017, section 3.5), shape (B, size).

    Args:
        level: Shape (B,).
        size: Even.
    """
    rates = torch.exp(torch.arange(size // 2, device=level.device) * (-torch.log(torch.tensor(10000.0)) / (size // 2 - 1)))
    angle = level.float()[:, None] * rates
    return torch.cat([angle.sin(), angle.cos()], dim=-1)
