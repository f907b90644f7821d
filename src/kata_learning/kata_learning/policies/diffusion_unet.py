# SPDX-License-Identifier: Apache-2.0
"""Diffusion policy with a one-dimensional U-Net (Chi et al. 2023): noise becomes a chunk, told what is seen.

Chunks lie as (batch, time, channels) throughout, so that a convolution along time is one product of matrices, to which int8
applies.

What is seen enters each block as scale and shift (FiLM, Perez et al. 2018). The level's and the observation's parts of
that are apart, so that in the exported graph the one is a constant and the other is computed once for all steps.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from kata_learning.policies.config import DiffusionUnetConfig
from kata_learning.policies.interface import Observed, Policy, Scaling
from kata_learning.policies.parts.attention import level_embedding
from kata_learning.policies.parts.denoising import Denoising
from kata_learning.policies.parts.heads import valid_mean
from kata_learning.policies.parts.layers import mlp
from kata_learning.policies.parts.vision import ObservationEncoder
from kata_learning.policies.spec import PolicySpec
from kata_policy.observation import TermSpec

__all__ = ["DiffusionUnetPolicy"]


class DiffusionUnetPolicy(Policy):
    """Steps from noise to chunk are unrolled; the noise is an input of the graph."""

    def __init__(self, spec: PolicySpec, config: DiffusionUnetConfig, scaling: Scaling | None = None) -> None:
        """Make one with fresh weights."""
        super().__init__(spec, config, scaling)
        joints, halvings = len(spec.joint_names), 2 ** (config.levels - 1)
        self._length = -(-spec.horizon // halvings) * halvings
        self.noise = (TermSpec("noise", (self._length, joints)),)
        self.encoder = ObservationEncoder(spec.sizes, spec.cameras, config.vision)
        self.denoising = Denoising(config.diffusion)
        seen = spec.history * self.encoder.width
        self.trunk = mlp([seen, *[config.hidden] * 2]) if config.hidden else nn.Identity()
        self.network = _Unet(joints, config.hidden or seen, config)

    def predict(self, observed: Observed, noise: tuple[Tensor, ...]) -> Tensor:
        """Return the chunk that the noise becomes."""
        films = self.network.look(self._seen(observed))
        return self.denoising.restore(noise[0], lambda noisy, level: self.network(noisy, level, films))[:, : self.spec.horizon]

    def errors(self, observed: Observed, target: Tensor, valid: Tensor, generator: torch.Generator | None) -> dict[str, Tensor]:
        """Return the squared error of what is said of a noisy chunk."""
        beyond = self._length - self.spec.horizon
        chunk = torch.cat([target, target[:, -1:].expand(-1, beyond, -1)], dim=1) if beyond else target
        noisy, level, wanted = self.denoising.spoil(chunk, generator)
        said = self.network(noisy, level, self.network.look(self._seen(observed)))
        return {"action": valid_mean((said - wanted).square()[:, : self.spec.horizon], valid)}

    def _seen(self, observed: Observed) -> Tensor:
        """Return what is seen as one vector for each sample."""
        return cast("Tensor", self.trunk(self.encoder(observed).flatten(1)))


class _Along(nn.Module):
    """A convolution along time: (B, T, channels) → (B, T / stride, out)."""

    def __init__(self, channels: int, out: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self._kernel, self._stride = kernel, stride
        self.weigh = nn.Linear(kernel * channels, out)

    def forward(self, values: Tensor) -> Tensor:
        length, pad = values.shape[1], self._kernel // 2
        padded = functional.pad(values, (0, 0, pad, pad))
        taps = torch.cat([padded[:, i : i + length : self._stride] for i in range(self._kernel)], dim=-1)
        return cast("Tensor", self.weigh(taps))


class _Longer(_Along):
    """Twice the length: each step becomes two, of what is around it."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, 2 * channels, 3)

    def forward(self, values: Tensor) -> Tensor:
        return super().forward(values).reshape(values.shape[0], -1, values.shape[-1])


class _Smooth(nn.GroupNorm):
    """Group normalisation of (B, T, channels), then SiLU, whose gradient torch vectorises."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.silu(super().forward(input.transpose(1, 2)).transpose(1, 2))


class _Block(nn.Module):
    """Two convolutions beside a shortcut; between them a scale and shift by channel."""

    def __init__(self, channels: int, out: int, seen: int, config: DiffusionUnetConfig) -> None:
        super().__init__()
        groups = min(config.groups, out)
        self.first = nn.Sequential(_Along(channels, out, config.kernel), _Smooth(groups, out))
        self.second = nn.Sequential(_Along(out, out, config.kernel), _Smooth(groups, out))
        self.shortcut = nn.Linear(channels, out) if channels != out else nn.Identity()
        self.by_level, self.by_view = nn.Linear(config.embedding, 2 * out), nn.Linear(seen, 2 * out, bias=False)

    def forward(self, values: Tensor, level: Tensor, film: Tensor) -> Tensor:
        scale, shift = (self.by_level(level) + film).unsqueeze(1).chunk(2, dim=-1)
        return cast("Tensor", self.second(self.first(values) * (1.0 + scale) + shift) + self.shortcut(values))


class _Unet(nn.Module):
    """Down, through the middle, and up with what was on the same level on the way down."""

    def __init__(self, joints: int, seen: int, config: DiffusionUnetConfig) -> None:
        super().__init__()
        widths = [config.width * 2**i for i in range(config.levels)]
        self._embedding = config.embedding
        self.level = nn.Sequential(
            nn.Linear(config.embedding, 4 * config.embedding),
            nn.SiLU(),
            nn.Linear(4 * config.embedding, config.embedding),
            nn.SiLU(),
        )
        ins = [joints, *widths[:-1]]
        plan = [pair for fan_in, out in zip(ins, widths, strict=True) for pair in ((fan_in, out), (out, out))]
        plan += [(widths[-1], widths[-1])] * 2
        plan += [pair for out, wide in zip(widths[-2::-1], widths[:0:-1], strict=True) for pair in ((2 * wide, out), (out, out))]
        self.blocks = nn.ModuleList(_Block(*pair, seen, config) for pair in plan)
        self.down = nn.ModuleList(_Along(width, width, 3, 2) for width in widths[:-1])
        self.up = nn.ModuleList(_Longer(width) for width in widths[-2::-1])
        first = widths[0]
        smooth = _Smooth(min(config.groups, first), first)
        self.out = nn.Sequential(_Along(first, first, config.kernel), smooth, nn.Linear(first, joints))

    def look(self, seen: Tensor) -> list[Tensor]:
        """Return each block's scale and shift for what is seen, without the level's part, shape (B, 2 channels)."""
        view = functional.silu(seen)
        return [block.by_view(view) for block in self.blocks if isinstance(block, _Block)]

    def forward(self, noisy: Tensor, level: Tensor, films: list[Tensor]) -> Tensor:
        """Return what is said of a noisy chunk, shape (B, length, k).

        Args:
            noisy: Shape (B, length, k).
            level: Shape (B,) or (1,).
            films: From `look`.
        """
        step, films = self.level(level_embedding(level, self._embedding)), list(films)
        blocks = iter(self.blocks)
        values, kept = noisy, []

        def twice(values: Tensor) -> Tensor:
            for _ in range(2):
                values = next(blocks)(values, step, films.pop(0))
            return values

        for shorter in [*self.down, nn.Identity()]:
            kept.append(twice(values))
            values = shorter(kept[-1])
        values = twice(values)
        for longer in self.up:
            values = longer(twice(torch.cat((values, kept.pop()), dim=-1)))
        return cast("Tensor", self.out(values))
