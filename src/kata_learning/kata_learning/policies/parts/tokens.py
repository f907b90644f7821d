# SPDX-License-Identifier: Apache-2.0
"""What is observed as tokens: one for each term and step of the history, one for each cell of a picture's last map."""

import torch
from torch import Tensor, nn

from kata_learning.policies.config import VisionConfig
from kata_learning.policies.interface import Observed
from kata_learning.policies.parts.vision import FeatureMap
from kata_learning.policies.spec import PolicySpec

__all__ = ["MODALITIES", "ObservationTokens", "modality"]

MODALITIES = ("proprioception", "wrench", "object", "picture")


def modality(term: str) -> str:
    """Return which sense a term belongs to."""
    kind = term.split("/")[0]
    return "wrench" if kind == "wrench" else "object" if kind.startswith("object") else "proprioception"


class ObservationTokens(nn.Module):
    """Tokens with learned places: what they are, and when it was."""

    def __init__(self, spec: PolicySpec, width: int, vision: VisionConfig) -> None:
        """Make one with fresh weights."""
        super().__init__()
        self.lifts = nn.ModuleList(nn.Linear(size, width) for size in spec.sizes)
        self.maps = nn.ModuleList(FeatureMap(vision) for _ in spec.cameras)
        self.cells = nn.ModuleList(nn.Conv2d(seen.channels, width, 1) for seen in self.maps if isinstance(seen, FeatureMap))
        self.when = nn.Parameter(0.02 * torch.randn(spec.history, width))
        self.what = nn.Parameter(0.02 * torch.randn(len(spec.terms) + len(spec.cameras), width))
        sizes = [_cells(camera.height, camera.width, vision.stages + 1) for camera in spec.cameras]
        self.where = nn.ParameterList(nn.Parameter(0.02 * torch.randn(size, width)) for size in sizes)
        counts = [spec.history] * len(spec.terms) + [spec.history * size for size in sizes]
        senses = [modality(term.name) for term in spec.terms] + ["picture"] * len(spec.cameras)
        self.modalities = [MODALITIES.index(sense) for sense, count in zip(senses, counts, strict=True) for _ in range(count)]
        """Index into `MODALITIES` of each token."""

    def forward(self, observed: Observed) -> Tensor:
        """Return the tokens, shape (B, N, width): term by term, then camera by camera, each from the oldest on."""
        parts = [
            lift(term) + self.what[i] + self.when for i, (lift, term) in enumerate(zip(self.lifts, observed.terms, strict=True))
        ]
        for i, pictures in enumerate(observed.pictures):
            cells = self.cells[i](self.maps[i](pictures.flatten(0, 1))).flatten(2).transpose(1, 2)
            placed = cells.reshape(-1, pictures.shape[1], *cells.shape[1:]) + self.where[i] + self.when[:, None]
            parts.append((placed + self.what[len(observed.terms) + i]).flatten(1, 2))
        return torch.cat(parts, dim=1)


def _cells(height: int, width: int, halvings: int) -> int:
    """Return how many cells are left of a picture after some halvings, each rounded up."""
    for _ in range(halvings):
        height, width = (height + 1) // 2, (width + 1) // 2
    return height * width
