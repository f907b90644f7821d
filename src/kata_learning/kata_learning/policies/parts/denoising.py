# SPDX-License-Identifier: Apache-2.0
"""From chunk to noise and back: DDPM's levels for training, DDIM's steps for running.

With ᾱ the share of the chunk's variance that is left at a level (cosine schedule, Nichol & Dhariwal 2021, eq. 17), a noisy
chunk is x = √ᾱ · chunk + √(1 − ᾱ) · noise (Ho et al. 2020, eq. 4). A step from level t to s keeps the noise that the
network believes in, and is the same at each run (Song et al. 2021, eq. 12 with η = 0). Less noise than there was in training
(a temperature below 1) gives chunks that are nearer to the likeliest. A draw would repeat what in the demonstrations does not
follow from what is seen, and disturbances of training are just that.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from kata_learning.policies.config import DiffusionConfig

__all__ = ["Denoising"]


class _Step(NamedTuple):
    """A level with the factors of chunk and noise in it; plain numbers, so that they are constants of the graph."""

    level: int
    signal: float
    share: float


class Denoising(nn.Module):
    """Both directions for one schedule; holds no weights."""

    def __init__(self, config: DiffusionConfig) -> None:
        """Compute the schedule."""
        super().__init__()
        self.config = config
        place = (torch.arange(config.levels + 1, dtype=torch.float64) / config.levels + 0.008) / 1.008
        level = torch.cos(place * math.pi / 2.0).square()
        factor = (level[1:] / level[:-1]).clamp(min=1.0 - 0.999)
        left = torch.cumprod(factor, 0)
        self.register_buffer("signal", left.sqrt().float(), persistent=False)
        self.register_buffer("share", (1.0 - left).sqrt().float(), persistent=False)
        levels = torch.linspace(config.levels - 1, 0, config.steps).round().long()
        self._steps = [_Step(int(t), float(left[t].sqrt()), float((1.0 - left[t]).sqrt())) for t in levels]

    def spoil(self, chunk: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor, Tensor]:
        """Return noisy chunks, their levels, shape (B,), and what the network should say of them.

        Args:
            chunk: Shape (B, …).
            generator: Draws levels and noise.
        """
        level = torch.randint(self.config.levels, (len(chunk),), generator=generator).to(chunk.device)
        noise = torch.randn(chunk.shape, generator=generator).to(chunk.device)
        shape = (-1, *[1] * (chunk.dim() - 1))
        signal, share = (self.get_buffer(name)[level].reshape(shape) for name in ("signal", "share"))
        says = {"sample": chunk, "noise": noise, "velocity": signal * noise - share * chunk}[self.config.says]
        return signal * chunk + share * noise, level, says

    def restore(self, noise: Tensor, network: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """Return the chunk that becomes of noise, in a fixed number of steps.

        Args:
            noise: Standard normal, shape (B, …).
            network: (noisy chunk, level, shape (1,)) → what it says.
        """
        noisy = chunk = self.config.temperature * noise
        for i, step in enumerate(self._steps):
            said = network(noisy, torch.tensor([step.level], device=noise.device))
            chunk = self._chunk(noisy, said, step).clamp(-self.config.clip, self.config.clip)
            if i + 1 < len(self._steps):
                believed, after = (noisy - step.signal * chunk) / step.share, self._steps[i + 1]
                noisy = after.signal * chunk + after.share * believed
        return chunk

    def _chunk(self, noisy: Tensor, said: Tensor, step: _Step) -> Tensor:
        match self.config.says:
            case "noise":
                return (noisy - step.share * said) / step.signal
            case "velocity":
                return step.signal * noisy - step.share * said
        return said
