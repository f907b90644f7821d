# SPDX-License-Identifier: Apache-2.0
"""Multi-modal fusion: attention over tokens of pictures, proprioception, wrench and objects.

In training whole modalities are hidden at random (Neverova et al. 2016), so that none is relied upon alone.
"""

import torch
from torch import Tensor, nn

from kata_learning.policies.config import FusionConfig
from kata_learning.policies.interface import Observed, Policy, Scaling
from kata_learning.policies.parts.attention import EncoderLayer
from kata_learning.policies.parts.heads import make_head
from kata_learning.policies.parts.tokens import MODALITIES, ObservationTokens
from kata_learning.policies.spec import PolicySpec

__all__ = ["FusionPolicy"]


class FusionPolicy(Policy):
    """One more token asks all others, layer by layer; what it has found goes to a head."""

    def __init__(self, spec: PolicySpec, config: FusionConfig, scaling: Scaling | None = None) -> None:
        """Make one with fresh weights."""
        super().__init__(spec, config, scaling)
        width = config.width
        self.tokens = ObservationTokens(spec, width, config.vision)
        self.asking = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.layers = nn.ModuleList(EncoderLayer(width, config.heads, 4 * width, config.dropout) for _ in range(config.layers))
        self.norm = nn.LayerNorm(width)
        self.head = make_head(config.head, width, spec.horizon, len(spec.joint_names))
        self.register_buffer("modality", torch.tensor(self.tokens.modalities), persistent=False)

    def predict(self, observed: Observed, noise: tuple[Tensor, ...]) -> Tensor:
        """Return the chunk that the head would do."""
        chunk: Tensor = self.head(self._feature(observed, None))
        return chunk

    def errors(self, observed: Observed, target: Tensor, valid: Tensor, generator: torch.Generator | None) -> dict[str, Tensor]:
        """Return the head's loss."""
        mask = self._hide(len(target), generator) if self.training else None
        return {"action": self.head.loss(self._feature(observed, mask), target, valid)}

    def _feature(self, observed: Observed, mask: Tensor | None) -> Tensor:
        seen = self.tokens(observed)
        tokens = torch.cat([self.asking.expand(seen.shape[0], -1, -1), seen], dim=1)
        for i, layer in enumerate(self.layers):
            last = i == len(self.layers) - 1
            tokens = layer(tokens, mask, 1 if last else None)
        feature: Tensor = self.norm(tokens[:, 0])
        return feature

    def _hide(self, batch: int, generator: torch.Generator | None) -> Tensor | None:
        """Return which tokens may be looked at, shape (B, 1 + N); of each sample at least one modality stays."""
        share, modality = self.config.modality_dropout, self.get_buffer("modality")
        if share == 0.0:
            return None
        draws = torch.rand(batch, len(MODALITIES), generator=generator).to(modality.device)
        there = torch.zeros(len(MODALITIES), dtype=torch.bool, device=modality.device).index_fill(0, modality, value=True)
        stays = draws.masked_fill(~there, -1.0).argmax(1, keepdim=True)
        shown = (draws >= share).scatter(1, stays, value=True)[:, modality]
        return torch.cat([torch.ones_like(shown[:, :1]), shown], dim=1)
