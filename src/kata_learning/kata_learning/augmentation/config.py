# SPDX-License-Identifier: Apache-2.0
"""How demonstrations are varied in training; apart from the work, so that `--help` need not wait for torch."""

from dataclasses import dataclass

from kata_model.config.params import param

__all__ = ["AugmentConfig"]


@dataclass(frozen=True)
class AugmentConfig:
    """How demonstrations are varied."""

    noise: float = param(
        0.1,
        unit="rad",
        low=0.0,
        high=1.0,
        doc="Joint displacements shown beside the data, with the way back; makes errors heal.",
    )
    recovery: float = param(0.1, unit="s", low=0.0, high=10.0, doc="Time constant of that way back.")
    shift: float = param(
        0.2, unit="rad", low=0.0, high=1.0, doc="Joint displacements that objects share; makes a skill hold in other places."
    )
    blur: float = param(0.01, low=0.0, high=10.0, doc="Noise on each observed number, in its standard deviations.")
    warp: float = param(0.0, low=0.0, high=0.9, doc="Temporal warping: greatest change of pace, as a share of it.")
    warped: int = param(1, low=0, high=100, doc="Warped copies of each training episode; none while warp is 0.")
    mirror: bool = param(False, doc="Also learn from each demonstration's mirror image, left for right.")
    crop: float = param(0.0, low=0.0, high=0.5, doc="Pictures are shifted at random by up to this share of their size.")
    colour: float = param(0.0, low=0.0, high=1.0, doc="Random change of brightness, contrast and colours, as a share.")
    picture_blur: float = param(0.0, unit="px", low=0.0, high=10.0, doc="Greatest standard deviation of a picture's blur.")
