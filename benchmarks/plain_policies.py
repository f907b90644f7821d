# SPDX-License-Identifier: Apache-2.0
"""ACT and the diffusion U-Net as one writes them from the papers with torch's own layers: what ours are measured against.

Same widths, same layers, same loss, same optimiser; nothing is skipped, shared or fused. ACT follows Zhao et al. (2023)
and DETR's post-norm layers with positions added to queries and keys; the U-Net follows Chi et al. (2023).
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["ActShape", "PlainAct", "PlainUnet", "UnetShape"]


class ActShape(NamedTuple):
    """Widths of an ACT; the defaults make 40 million weights."""

    joints: int = 14
    state: int = 14
    others: int = 10
    horizon: int = 100
    width: int = 512
    heads: int = 8
    feedforward: int = 3200
    encoder_layers: int = 4
    decoder_layers: int = 1
    latent: int = 32
    dropout: float = 0.1
    kl_weight: float = 10.0


def _feed_forward(shape: ActShape) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(shape.width, shape.feedforward), nn.ReLU(), nn.Dropout(shape.dropout), nn.Linear(shape.feedforward, shape.width)
    )


class _EncoderLayer(nn.Module):
    def __init__(self, shape: ActShape) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(shape.width, shape.heads, shape.dropout, batch_first=True)
        self.think = _feed_forward(shape)
        self.norms = nn.ModuleList(nn.LayerNorm(shape.width) for _ in range(2))
        self.dropout = nn.Dropout(shape.dropout)

    def forward(self, values: Tensor, place: Tensor, padded: Tensor | None = None) -> Tensor:
        asked = values + place
        values = self.norms[0](values + self.dropout(self.attention(asked, asked, values, key_padding_mask=padded)[0]))
        return self.norms[1](values + self.dropout(self.think(values)))


class _DecoderLayer(nn.Module):
    def __init__(self, shape: ActShape) -> None:
        super().__init__()
        self.own = nn.MultiheadAttention(shape.width, shape.heads, shape.dropout, batch_first=True)
        self.attention = nn.MultiheadAttention(shape.width, shape.heads, shape.dropout, batch_first=True)
        self.think = _feed_forward(shape)
        self.norms = nn.ModuleList(nn.LayerNorm(shape.width) for _ in range(3))
        self.dropout = nn.Dropout(shape.dropout)

    def forward(self, values: Tensor, queries: Tensor, memory: Tensor, place: Tensor) -> Tensor:
        asked = values + queries
        values = self.norms[0](values + self.dropout(self.own(asked, asked, values)[0]))
        values = self.norms[1](values + self.dropout(self.attention(values + queries, memory + place, memory)[0]))
        return self.norms[2](values + self.dropout(self.think(values)))


class PlainAct(nn.Module):
    """ACT without pictures: tokens are the latent variable, the joints and the other numbers."""

    def __init__(self, shape: ActShape) -> None:
        """Make one with fresh weights."""
        super().__init__()
        self.shape = shape
        width = shape.width
        self.posterior = nn.ModuleList(_EncoderLayer(shape) for _ in range(shape.encoder_layers))
        self.asking = nn.Embedding(1, width)
        self.posterior_state, self.posterior_action = nn.Linear(shape.state, width), nn.Linear(shape.joints, width)
        self.posterior_out = nn.Linear(width, 2 * shape.latent)
        self.register_buffer("posterior_place", _sines(shape.horizon + 2, width))
        self.latent, self.state, self.other = (
            nn.Linear(shape.latent, width),
            nn.Linear(shape.state, width),
            nn.Linear(shape.others, width),
        )
        self.place = nn.Embedding(3, width)
        self.encoder = nn.ModuleList(_EncoderLayer(shape) for _ in range(shape.encoder_layers))
        self.decoder = nn.ModuleList(_DecoderLayer(shape) for _ in range(shape.decoder_layers))
        self.norm, self.queries = nn.LayerNorm(width), nn.Embedding(shape.horizon, width)
        self.out = nn.Linear(width, shape.joints)

    def forward(self, state: Tensor, others: Tensor, latent: Tensor | None = None) -> Tensor:
        """Return a chunk, shape (B, horizon, joints); without a latent variable it is zero."""
        if latent is None:
            latent = state.new_zeros(len(state), self.shape.latent)
        tokens = torch.stack([self.latent(latent), self.state(state), self.other(others)], dim=1)
        place = self.place.weight[None].expand(len(state), -1, -1)
        for layer in self.encoder:
            tokens = layer(tokens, place)
        queries = self.queries.weight[None].expand(len(state), -1, -1)
        values = torch.zeros_like(queries)
        for layer in self.decoder:
            values = layer(values, queries, tokens, place)
        return self.out(self.norm(values))

    def loss(self, state: Tensor, others: Tensor, chunk: Tensor, valid: Tensor) -> Tensor:
        """Return L1 loss and weighted divergence."""
        batch = len(state)
        asking = self.asking.weight[None].expand(batch, -1, -1)
        tokens = torch.cat([asking, self.posterior_state(state)[:, None], self.posterior_action(chunk)], dim=1)
        padded = torch.cat([valid.new_zeros(batch, 2), ~valid], dim=1)
        place = self.posterior_place[None].expand(batch, -1, -1)
        for layer in self.posterior:
            tokens = layer(tokens, place, padded)
        mean, log_variance = self.posterior_out(tokens[:, 0]).chunk(2, dim=-1)
        latent = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
        error = (functional.l1_loss(self(state, others, latent), chunk, reduction="none") * valid[..., None]).mean()
        divergence = (-0.5 * (1.0 + log_variance - mean.square() - log_variance.exp())).sum(-1).mean()
        return error + self.shape.kl_weight * divergence


def _sines(length: int, width: int) -> Tensor:
    rates = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    angle = torch.arange(length)[:, None] * rates
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)


class UnetShape(NamedTuple):
    """Widths of a U-Net; the defaults make 17.6 million weights."""

    joints: int = 14
    seen: int = 178
    horizon: int = 16
    widths: tuple[int, ...] = (128, 256, 512)
    kernel: int = 5
    groups: int = 8
    embedding: int = 128
    levels: int = 100


class _Conv(nn.Sequential):
    def __init__(self, channels: int, out: int, shape: UnetShape) -> None:
        super().__init__(
            nn.Conv1d(channels, out, shape.kernel, padding=shape.kernel // 2), nn.GroupNorm(shape.groups, out), nn.Mish()
        )


class _Residual(nn.Module):
    def __init__(self, channels: int, out: int, shape: UnetShape) -> None:
        super().__init__()
        self.first, self.second = _Conv(channels, out, shape), _Conv(out, out, shape)
        self.film = nn.Sequential(nn.Mish(), nn.Linear(shape.embedding + shape.seen, 2 * out))
        self.shortcut = nn.Conv1d(channels, out, 1) if channels != out else nn.Identity()

    def forward(self, values: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.film(condition).unsqueeze(-1).chunk(2, dim=1)
        return self.second(scale * self.first(values) + shift) + self.shortcut(values)


class PlainUnet(nn.Module):
    """The conditional one-dimensional U-Net, trained to say the noise in a chunk."""

    def __init__(self, shape: UnetShape) -> None:
        """Make one with fresh weights."""
        super().__init__()
        self.shape = shape
        size = shape.embedding
        self.level = nn.Sequential(nn.Linear(size, 4 * size), nn.Mish(), nn.Linear(4 * size, size))
        pairs = list(zip((shape.joints, *shape.widths[:-1]), shape.widths, strict=True))
        self.downs = nn.ModuleList()
        for i, (channels, out) in enumerate(pairs):
            shorter = nn.Conv1d(out, out, 3, 2, 1) if i + 1 < len(pairs) else nn.Identity()
            self.downs.append(nn.ModuleList([_Residual(channels, out, shape), _Residual(out, out, shape), shorter]))
        last = shape.widths[-1]
        self.middle = nn.ModuleList([_Residual(last, last, shape), _Residual(last, last, shape)])
        self.ups = nn.ModuleList()
        for channels, out in reversed(pairs[1:]):
            longer = nn.ConvTranspose1d(channels, channels, 4, 2, 1)
            self.ups.append(nn.ModuleList([_Residual(2 * out, channels, shape), _Residual(channels, channels, shape), longer]))
        first = shape.widths[0]
        self.out = nn.Sequential(_Conv(first, first, shape), nn.Conv1d(first, shape.joints, 1))
        left = torch.cos((torch.arange(shape.levels + 1) / shape.levels + 0.008) / 1.008 * math.pi / 2.0).square()
        self.register_buffer("left", (left[1:] / left[0]).clamp(min=1e-4))

    def forward(self, noisy: Tensor, level: Tensor, seen: Tensor) -> Tensor:
        """Return the noise that is believed to be in chunks, shape (B, horizon, joints)."""
        half = self.shape.embedding // 2
        angle = level[:, None] * torch.exp(torch.arange(half) * (-math.log(10000.0) / (half - 1)))
        condition = torch.cat([self.level(torch.cat([angle.sin(), angle.cos()], dim=-1)), seen], dim=-1)
        values, kept = noisy.transpose(1, 2), []
        for first, second, shorter in self.downs:
            values = second(first(values, condition), condition)
            kept.append(values)
            values = shorter(values)
        for block in self.middle:
            values = block(values, condition)
        for first, second, longer in self.ups:
            values = second(first(torch.cat((values, kept.pop()), dim=1), condition), condition)
            values = longer(values)
        return self.out(values).transpose(1, 2)

    def loss(self, seen: Tensor, chunk: Tensor, valid: Tensor) -> Tensor:
        """Return the squared error of the noise."""
        level, noise = torch.randint(self.shape.levels, (len(chunk),)), torch.randn_like(chunk)
        left = self.left[level][:, None, None]
        said = self(left.sqrt() * chunk + (1.0 - left).sqrt() * noise, level, seen)
        return (functional.mse_loss(said, noise, reduction="none") * valid[..., None]).mean()
