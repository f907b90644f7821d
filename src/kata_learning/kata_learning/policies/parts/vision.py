# SPDX-License-Identifier: Apache-2.0
"""Pictures → numbers: a small residual network (He et al. 2016) with group normalisation, trained from scratch."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from kata_learning.policies.config import VisionConfig
from kata_learning.policies.interface import Observed
from kata_learning.policies.parts.layers import norm
from kata_policy.observation import CameraSpec

__all__ = ["FeatureMap", "ObservationEncoder", "PictureEncoder"]


class _Block(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, channels: int, out: int, stride: int, kind: str) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(channels, out, 3, stride, 1, bias=False), norm(kind, out, 2), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(out, out, 3, 1, 1, bias=False), norm(kind, out, 2))
        # Not a strided 1×1 convolution: it loses three of four pixels, and torch 2.13's backward of it over channels_last
        # frees memory twice on CPU (found 2026-11-25).
        halve = nn.AvgPool2d(2, ceil_mode=True, count_include_pad=False) if stride == 2 else nn.Identity()
        straight = channels == out and stride == 1
        self.shortcut = nn.Identity() if straight else nn.Sequential(halve, nn.Conv2d(channels, out, 1))

    def forward(self, values: Tensor) -> Tensor:
        """Return values of the next shape, (B, out, height / stride, width / stride)."""
        return functional.relu(self.second(self.first(values)) + self.shortcut(values))


class FeatureMap(nn.Module):
    """The residual network: (B, 3, height, width) → (B, channels, height / 2^(stages + 1), …)."""

    def __init__(self, config: VisionConfig) -> None:
        """Make one with fresh weights."""
        super().__init__()
        first = config.width
        layers: list[nn.Module] = [nn.Conv2d(3, first, 5, 2, 2, bias=False), norm(config.norm, first, 2), nn.ReLU()]
        for stage in range(config.stages):
            out = config.width * 2**stage
            layers += [_Block(first if b == 0 else out, out, 2 if b == 0 else 1, config.norm) for b in range(config.blocks)]
            first = out
        self.channels = first
        self.layers = nn.Sequential(*layers).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the last map of normalised pictures."""
        found: Tensor = self.layers(pictures.contiguous(memory_format=torch.channels_last))
        return found


class PictureEncoder(nn.Module):
    """A picture as a vector: (B, 3, height, width) → (B, feature)."""

    def __init__(self, config: VisionConfig) -> None:
        """Make one with fresh weights."""
        super().__init__()
        self.map = FeatureMap(config)
        self._keypoints = config.pool == "keypoints"
        self.out = nn.Linear(self.map.channels * (2 if self._keypoints else 1), config.feature)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the features of normalised pictures."""
        found = self.map(pictures)
        pooled = keypoints(found) if self._keypoints else found.mean((2, 3))
        feature: Tensor = self.out(pooled)
        return feature


def keypoints(found: Tensor) -> Tensor:
    """Return where each channel is strongest, by a softmax over its cells (Finn et al. 2016, eq. 2), shape (B, 2 C)."""
    batch, channels, height, width = found.shape
    share = found.reshape(batch, channels, height * width).softmax(-1).reshape(batch, channels, height, width)
    down = torch.linspace(-1.0, 1.0, height, device=found.device)
    across = torch.linspace(-1.0, 1.0, width, device=found.device)
    return torch.cat([(share.sum(3) * down).sum(2), (share.sum(2) * across).sum(2)], dim=1)


class ObservationEncoder(nn.Module):
    """All that is seen at each step of the history as one vector: (B, history, width)."""

    def __init__(self, sizes: tuple[int, ...], cameras: tuple[CameraSpec, ...], config: VisionConfig) -> None:
        """Make one picture encoder for each camera.

        Args:
            sizes: Numbers of each term.
            cameras: The cameras.
            config: Of the picture encoders.
        """
        super().__init__()
        self.pictures = nn.ModuleList(PictureEncoder(config) for _ in cameras)
        self.width = sum(sizes) + len(cameras) * config.feature

    def forward(self, observed: Observed) -> Tensor:
        """Return what is seen."""
        parts = [observed.numbers]
        for encoder, pictures in zip(self.pictures, observed.pictures, strict=True):
            history = pictures.shape[1]
            feature = encoder(pictures.flatten(0, 1))
            parts.append(feature.reshape(-1, history, feature.shape[-1]))
        return torch.cat(parts, dim=-1)
