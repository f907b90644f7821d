# SPDX-License-Identifier: Apache-2.0
"""Random shifts, colours and blur of pictures, one draw for each sample's whole history."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["PictureChanges"]

_GREY = (0.299, 0.587, 0.114)
"""How bright red, green and blue look (ITU-R BT.601)."""


@dataclass(frozen=True, slots=True)
class PictureChanges:
    """How far pictures may change.

    Attributes:
        crop: Greatest shift, as a share of height and width; what comes in at the border repeats it.
        colour: Greatest change of brightness, contrast and saturation, as a share.
        blur: Greatest standard deviation of a Gaussian blur [px].
    """

    crop: float = 0.0
    colour: float = 0.0
    blur: float = 0.0

    @staticmethod
    def draw(count: int, generator: torch.Generator) -> Tensor:
        """Return the chance of some samples, shape (count, 6), for `apply`; a sample's pictures all change alike."""
        return torch.rand(count, 6, generator=generator)

    def apply(self, pictures: Tensor, chance: Tensor) -> Tensor:
        """Return changed pictures.

        Args:
            pictures: Shape (B, history, height, width, 3), uint8.
            chance: Of `draw`, shape (B, 6).
        """
        if self.crop == self.colour == self.blur == 0.0:
            return pictures
        count, history, height, width, _ = pictures.shape
        values = pictures.flatten(0, 1).permute(0, 3, 1, 2).float()
        shift, colour, blur = torch.split(chance.repeat_interleave(history, 0).to(values.device), [2, 3, 1], dim=1)
        if self.crop > 0.0:
            values = _shifted(values, (2.0 * shift - 1.0) * self.crop)
        if self.colour > 0.0:
            values = _coloured(values, 1.0 + (2.0 * colour - 1.0) * self.colour)
        if self.blur > 0.0:
            values = _blurred(values, blur[:, 0] * self.blur, self.blur)
        out = values.round().clamp(0, 255).to(torch.uint8)
        return out.permute(0, 2, 3, 1).reshape(count, history, height, width, 3)


def _shifted(values: Tensor, share: Tensor) -> Tensor:
    """Shift by whole pixels, shares of height and width of shape (N, 2)."""
    _, _, height, width = values.shape
    down, right = (share * torch.tensor([height, width], device=values.device)).round().long().unbind(1)
    rows = (torch.arange(height, device=values.device) + down[:, None]).clamp(0, height - 1)
    columns = (torch.arange(width, device=values.device) + right[:, None]).clamp(0, width - 1)
    sample = torch.arange(len(values), device=values.device)
    return values.permute(0, 2, 3, 1)[sample[:, None, None], rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _coloured(values: Tensor, factors: Tensor) -> Tensor:
    """Change saturation, contrast and brightness by factors of shape (N, 3)."""
    saturation, contrast, brightness = (factor.reshape(-1, 1, 1, 1) for factor in factors.unbind(1))
    grey = torch.einsum("nchw,c->nhw", values, values.new_tensor(_GREY)).unsqueeze(1)
    values = grey + (values - grey) * saturation
    middle = grey.mean((2, 3), keepdim=True)
    return (middle + (values - middle) * contrast) * brightness


def _blurred(values: Tensor, sigma: Tensor, greatest: float) -> Tensor:
    """Blur each picture by its own Gaussian, standard deviations of shape (N,), [px]."""
    reach = max(1, round(2.0 * greatest))
    offset = torch.arange(-reach, reach + 1, device=values.device)
    weight = torch.exp(-0.5 * (offset / sigma.clamp(min=0.1)[:, None]) ** 2)
    weight = (weight / weight.sum(1, keepdim=True)).repeat_interleave(3, 0)
    count, _, height, width = values.shape
    flat = values.reshape(1, 3 * count, height, width)
    flat = functional.conv2d(_padded(flat, reach, 0), weight[:, None, None, :], groups=3 * count)
    flat = functional.conv2d(_padded(flat, 0, reach), weight[:, None, :, None], groups=3 * count)
    return flat.reshape(values.shape)


def _padded(values: Tensor, across: int, down: int) -> Tensor:
    return functional.pad(values, (across, across, down, down), mode="replicate")
