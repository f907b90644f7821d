# SPDX-License-Identifier: Apache-2.0
"""How a policy is trained; apart from the training, so that `--help` need not wait for torch."""

from dataclasses import dataclass

from kata_core.params import param

__all__ = ["TrainConfig"]


@dataclass(frozen=True)
class TrainConfig:
    """How a policy is trained."""

    horizon: int = param(20, low=1, high=1000, doc="Actions in a chunk, one each step of the dataset.")
    hidden: int = param(256, low=1, high=8192, doc="Width of a hidden layer.")
    layers: int = param(3, low=1, high=32, doc="Number of hidden layers.")
    epochs: int = param(200, low=1, doc="Passes over the training steps, at most.")
    patience: int = param(40, low=1, doc="Passes without a better validation loss after which training ends.")
    batch: int = param(256, low=1, doc="Steps in a batch.")
    rate: float = param(1e-3, low=0.0, high=1.0, doc="Learning rate at its peak; cosine decay to 0, after a short warm-up.")
    decay: float = param(1e-3, low=0.0, high=1.0, doc="Weight decay (AdamW).")
    average: float = param(
        0.995, low=0.0, high=1.0, doc="Decay of the moving average of the weights, a batch; the average is kept."
    )
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
    seed: int = param(0, low=0, doc="Seed of weights, order and noise.")
    threads: int = param(1, low=1, high=256, doc="Threads of torch.")
