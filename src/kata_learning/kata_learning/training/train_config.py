# SPDX-License-Identifier: Apache-2.0
"""How a policy is trained; apart from the training, so that `--help` need not wait for torch."""

from dataclasses import dataclass

from kata_model.config.params import param

__all__ = ["TrainConfig"]


@dataclass(frozen=True)
class TrainConfig:
    """How a policy is trained."""

    horizon: int = param(0, low=0, high=1000, doc="Actions in a chunk, one each step of the dataset; 0 for the policy's own.")
    history: int = param(0, low=0, high=1000, doc="Observations that are seen, the present one counted; 0 for the policy's own.")
    epochs: int = param(200, low=1, doc="Passes over the training steps, at most.")
    patience: int = param(40, low=1, doc="Passes without a better validation loss after which training ends.")
    batch: int = param(256, low=1, doc="Steps in a batch, over all processes.")
    rate: float = param(1e-3, low=0.0, high=1.0, doc="Learning rate at its peak; cosine decay to 0, after a warm-up.")
    warmup: int = param(100, low=1, doc="Batches over which the learning rate rises, at most a tenth of all.")
    decay: float = param(1e-3, low=0.0, high=1.0, doc="Weight decay (AdamW).")
    clip: float = param(1.0, low=1e-6, high=1e6, doc="Greatest norm of a gradient.")
    average: float = param(
        0.995, low=0.0, high=1.0, doc="Decay of the moving average of the weights, a batch; the average is kept."
    )
    rollouts: int = param(0, low=0, high=10_000, doc="Attempts in simulation that passes are compared by; 0: by their loss.")
    rollout_every: int = param(50, low=1, doc="Passes from one such comparison to the next; the last pass is always compared.")
    precision: str = param("float32", choices=("float32", "bfloat16"), doc="Numbers inside the network while training.")
    device: str = param("cpu", choices=("cpu", "cuda"), doc="Where the network is trained.")
    save_every: float = param(30.0, unit="s", low=0.0, high=86400.0, doc="Time between checkpoints, at the end of a pass.")
    seed: int = param(0, low=0, doc="Seed of weights, order and noise.")
    threads: int = param(1, low=1, high=256, doc="Threads of torch, in each process.")
