# SPDX-License-Identifier: Apache-2.0
"""Diffusion policy with a Transformer (Chi et al. 2023): the noisy actions of a chunk look at what is seen."""

import torch
from torch import Tensor, nn

from kata_learning.policies.config import DiffusionTransformerConfig
from kata_learning.policies.interface import Observed, Policy, Scaling
from kata_learning.policies.parts.attention import DecoderLayer, level_embedding
from kata_learning.policies.parts.denoising import Denoising
from kata_learning.policies.parts.heads import valid_mean
from kata_learning.policies.parts.tokens import ObservationTokens
from kata_learning.policies.spec import PolicySpec
from kata_policy.observation import TermSpec

__all__ = ["DiffusionTransformerPolicy"]


class DiffusionTransformerPolicy(Policy):
    """Steps from noise to chunk are unrolled; the noise is an input of the graph."""

    def __init__(self, spec: PolicySpec, config: DiffusionTransformerConfig, scaling: Scaling | None = None) -> None:
        """Make one with fresh weights."""
        super().__init__(spec, config, scaling)
        joints, width = len(spec.joint_names), config.width
        self.noise = (TermSpec("noise", (spec.horizon, joints)),)
        self.denoising = Denoising(config.diffusion)
        self.tokens = ObservationTokens(spec, width, config.vision)
        self.memory_norm, self.norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.lift, self.out = nn.Linear(joints, width), nn.Linear(width, joints)
        self.level = nn.Sequential(nn.Linear(width, 4 * width), nn.SiLU(), nn.Linear(4 * width, width))
        self.place = nn.Parameter(0.02 * torch.randn(1, spec.horizon, width))
        self.layers = nn.ModuleList(DecoderLayer(width, config.heads, 4 * width, config.dropout) for _ in range(config.layers))

    def predict(self, observed: Observed, noise: tuple[Tensor, ...]) -> Tensor:
        """Return the chunk that the noise becomes."""
        memory = self.memory_norm(self.tokens(observed))
        return self.denoising.restore(noise[0], lambda noisy, level: self._say(noisy, level, memory))

    def errors(self, observed: Observed, target: Tensor, valid: Tensor, generator: torch.Generator | None) -> dict[str, Tensor]:
        """Return the squared error of what is said of a noisy chunk."""
        noisy, level, wanted = self.denoising.spoil(target, generator)
        said = self._say(noisy, level, self.memory_norm(self.tokens(observed)))
        return {"action": valid_mean((said - wanted).square(), valid)}

    def _say(self, noisy: Tensor, level: Tensor, memory: Tensor) -> Tensor:
        """Return what is said of noisy chunks, shape (B, horizon, k), at levels, shape (B,) or (1,)."""
        step = self.level(level_embedding(level, self.config.width))
        tokens = self.lift(noisy) + self.place + step[:, None]
        for layer in self.layers:
            tokens = layer(tokens, memory)
        said: Tensor = self.out(self.norm(tokens))
        return said
