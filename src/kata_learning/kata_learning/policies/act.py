# SPDX-License-Identifier: Apache-2.0
"""ACT: a Transformer that says a whole chunk at once, trained as a conditional VAE (Zhao et al. 2023).

Two things are done once that others do for every sample: what the queries do before they look at the observation is the
same for all samples, and of the posterior's last layer one token alone is used.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from kata_learning.policies.config import ActConfig
from kata_learning.policies.interface import Observed, Policy, Scaling
from kata_learning.policies.parts.attention import DecoderLayer, EncoderLayer
from kata_learning.policies.parts.heads import valid_mean
from kata_learning.policies.parts.tokens import ObservationTokens
from kata_learning.policies.spec import PolicySpec

__all__ = ["ActPolicy"]


class ActPolicy(Policy):
    """Tokens of what is seen and of a latent variable → encoder → decoder with one query for each action."""

    def __init__(self, spec: PolicySpec, config: ActConfig, scaling: Scaling | None = None) -> None:
        """Make one with fresh weights."""
        super().__init__(spec, config, scaling)
        shape = (config.width, config.heads, config.feedforward, config.dropout)
        self.tokens = ObservationTokens(spec, config.width, config.vision)
        self.posterior = _Posterior(spec, config) if config.vae else None
        self.latent = nn.Linear(config.latent, config.width) if config.vae else None
        self.encoder = nn.ModuleList(EncoderLayer(*shape) for _ in range(config.encoder_layers))
        self.decoder = nn.ModuleList(DecoderLayer(*shape) for _ in range(config.decoder_layers))
        self.memory_norm, self.norm = nn.LayerNorm(config.width), nn.LayerNorm(config.width)
        self.queries = nn.Parameter(0.02 * torch.randn(1, spec.horizon, config.width))
        self.out = nn.Linear(config.width, len(spec.joint_names))

    def predict(self, observed: Observed, noise: tuple[Tensor, ...]) -> Tensor:
        """Return the chunk for a latent variable of zero, the prior's mean."""
        return self._chunk(self.tokens(observed), None)

    def errors(self, observed: Observed, target: Tensor, valid: Tensor, generator: torch.Generator | None) -> dict[str, Tensor]:
        """Return how far the chunk is off and, with a latent variable, its weighted divergence."""
        seen = self.tokens(observed)
        if self.posterior is None:
            return {"action": self._error(self._chunk(seen, None), target, valid)}
        mean, log_variance = self.posterior(observed, target, valid)
        draw = torch.randn(mean.shape, generator=generator).to(mean.device)
        latent = mean + (0.5 * log_variance).exp() * draw
        divergence = 0.5 * (mean.square() + log_variance.exp() - log_variance - 1.0).sum(-1).mean()
        action = self._error(self._chunk(seen, latent), target, valid)
        return {"action": action, "divergence": self.config.kl_weight * divergence}

    def _error(self, chunk: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        error = chunk - target
        return valid_mean(error.abs() if self.config.loss == "l1" else error.square(), valid)

    def _chunk(self, seen: Tensor, latent: Tensor | None) -> Tensor:
        """Return the chunk, shape (B, horizon, k); without a latent variable given it is zero."""
        tokens = seen
        if self.latent is not None:
            own = self.latent.bias.expand(seen.shape[0], -1) if latent is None else self.latent(latent)
            tokens = torch.cat([own[:, None], seen], dim=1)
        for layer in self.encoder:
            tokens = layer(tokens)
        memory, queries = self.memory_norm(tokens), self.queries
        for layer in self.decoder:
            queries = layer(queries, memory)
        chunk: Tensor = self.out(self.norm(queries))
        return chunk


class _Posterior(nn.Module):
    """How the demonstrated chunk was done: mean and logarithmic variance of the latent variable, shape (B, latent) each."""

    def __init__(self, spec: PolicySpec, config: ActConfig) -> None:
        super().__init__()
        width, self._patch = config.width, config.patch
        self._tokens = -(-spec.horizon // config.patch)
        shape = (width, config.heads, config.feedforward, config.dropout)
        self.state = nn.Linear(sum(spec.sizes), width)
        self.action = nn.Linear(config.patch * len(spec.joint_names), width)
        self.place = nn.Parameter(0.02 * torch.randn(1, 2 + self._tokens, width))
        self.layers = nn.ModuleList(EncoderLayer(*shape) for _ in range(config.posterior_layers))
        self.norm, self.out = nn.LayerNorm(width), nn.Linear(width, 2 * config.latent)

    def forward(self, observed: Observed, target: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        batch, beyond = len(target), self._tokens * self._patch - target.shape[1]
        counted = target.masked_fill(~valid.unsqueeze(-1), 0.0)
        patches = functional.pad(counted, (0, 0, 0, beyond)).reshape(batch, self._tokens, -1)
        shown = functional.pad(valid, (0, beyond)).reshape(batch, self._tokens, -1).any(-1)
        asking = torch.zeros_like(self.place[:, :1]).expand(batch, -1, -1)
        mask = functional.pad(shown, (2, 0), value=True) if not bool(valid.all()) else None
        tokens = torch.cat([asking, self.state(observed.numbers[:, -1:]), self.action(patches)], dim=1) + self.place
        for layer in self.layers[:-1]:
            tokens = layer(tokens, mask)
        tokens = self.layers[-1](tokens, mask, 1)
        mean, log_variance = self.out(self.norm(tokens[:, 0])).chunk(2, dim=-1)
        return mean, log_variance
