# SPDX-License-Identifier: Apache-2.0
"""Layers that several policies share."""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

__all__ = ["mlp", "norm"]

_GROUP = 16
"""Channels in a group of group normalisation, as in Wu & He (2018), section 4.1."""


def norm(kind: str, width: int, axes: int = 1) -> nn.Module:
    """Return a normalisation over channels that come right after the batch.

    Args:
        kind: ``none``, ``batch``, ``group`` or ``layer``.
        width: Number of channels.
        axes: 1 for shapes (B, C) and (B, C, T), 2 for (B, C, H, W).
    """
    if kind == "batch":
        return nn.BatchNorm1d(width) if axes == 1 else nn.BatchNorm2d(width)
    if kind == "group":
        return nn.GroupNorm(max(g for g in range(1, max(1, width // _GROUP) + 1) if width % g == 0), width)
    return nn.GroupNorm(1, width) if kind == "layer" else nn.Identity()


def mlp(widths: Sequence[int], kind: str = "none", dropout: float = 0.0) -> nn.Sequential:
    """Return hidden layers with GELU; the first width is the input's, the last layer is hidden, too."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths):
        layers += [nn.Linear(fan_in, fan_out), *([norm(kind, fan_out)] if kind != "none" else []), nn.GELU()]
        layers += [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(*layers)
