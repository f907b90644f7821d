# SPDX-License-Identifier: Apache-2.0
"""How each policy is shaped; apart from the networks, so that `--help` need not wait for torch."""

from dataclasses import dataclass

from kata_model.config.params import param

__all__ = [
    "ActConfig",
    "CnnConfig",
    "DiffusionConfig",
    "DiffusionTransformerConfig",
    "DiffusionUnetConfig",
    "FusionConfig",
    "HeadConfig",
    "LstmConfig",
    "MlpConfig",
    "TcnConfig",
    "VisionConfig",
]

NORMS = ("none", "batch", "group", "layer")


@dataclass(frozen=True)
class HeadConfig:
    """What a policy says of a chunk, and how that is held against the demonstrated one."""

    kind: str = param(
        "mse",
        choices=("mse", "l1", "mixture", "discrete"),
        doc="mse, l1: one chunk; mixture: Gaussians over whole chunks; discrete: a distribution over bins for each number.",
    )
    modes: int = param(5, low=1, high=64, doc="Gaussians of a mixture.")
    least_std: float = param(
        0.03, low=1e-4, high=1.0, doc="Smallest deviation of a Gaussian, in the spread of the displacements."
    )
    bins: int = param(64, low=2, high=1024, doc="Bins of a discrete head.")
    span: float = param(4.0, low=0.5, high=20.0, doc="Bins reach so far to both sides, in the spread of the displacements.")


@dataclass(frozen=True)
class VisionConfig:
    """A small residual network for pictures, one for each camera, trained from scratch."""

    width: int = param(16, low=1, high=512, doc="Channels of the first stage; each stage has twice those of the one before.")
    stages: int = param(4, low=1, high=6, doc="Stages, each of which halves height and width; so does the first layer.")
    blocks: int = param(1, low=1, high=8, doc="Residual blocks in a stage.")
    norm: str = param("group", choices=NORMS, doc="Normalisation; group does not depend on the batch.")
    pool: str = param(
        "keypoints",
        choices=("keypoints", "mean"),
        doc="What becomes of a feature map: where each channel is strongest, or its mean.",
    )
    feature: int = param(64, low=1, high=4096, doc="Numbers that a picture becomes.")


@dataclass(frozen=True)
class MlpConfig:
    """A multi-layer perceptron over all that is observed."""

    hidden: int = param(256, low=1, high=8192, doc="Width of a hidden layer.")
    layers: int = param(3, low=1, high=32, doc="Number of hidden layers.")
    norm: str = param("none", choices=NORMS, doc="Normalisation after each hidden layer.")
    dropout: float = param(0.0, low=0.0, high=0.95, doc="Share of hidden numbers left out in training.")
    head: HeadConfig = param(HeadConfig(), doc="What it says of a chunk.")


@dataclass(frozen=True)
class CnnConfig:
    """Pictures through a residual network, then a perceptron over them and all else."""

    vision: VisionConfig = param(VisionConfig(), doc="The residual network.")
    hidden: int = param(256, low=1, high=8192, doc="Width of a hidden layer.")
    layers: int = param(2, low=1, high=32, doc="Number of hidden layers.")
    norm: str = param("none", choices=NORMS, doc="Normalisation after each hidden layer.")
    dropout: float = param(0.0, low=0.0, high=0.95, doc="Share of hidden numbers left out in training.")
    head: HeadConfig = param(HeadConfig(), doc="What it says of a chunk.")


@dataclass(frozen=True)
class LstmConfig:
    """A recurrent network over the history."""

    hidden: int = param(256, low=1, high=4096, doc="Width of the state.")
    layers: int = param(2, low=1, high=8, doc="Layers of the recurrent network.")
    dropout: float = param(0.0, low=0.0, high=0.95, doc="Share of numbers between layers left out in training.")
    vision: VisionConfig = param(VisionConfig(), doc="For pictures, where there are cameras.")
    head: HeadConfig = param(HeadConfig(), doc="What it says of a chunk.")


@dataclass(frozen=True)
class TcnConfig:
    """Dilated causal convolutions over the history."""

    hidden: int = param(128, low=1, high=4096, doc="Channels.")
    layers: int = param(3, low=1, high=8, doc="Residual blocks; the dilation doubles with each.")
    kernel: int = param(3, low=2, high=9, doc="Steps that a convolution spans.")
    norm: str = param("group", choices=NORMS, doc="Normalisation after each convolution.")
    dropout: float = param(0.0, low=0.0, high=0.95, doc="Share of numbers left out in training.")
    vision: VisionConfig = param(VisionConfig(), doc="For pictures, where there are cameras.")
    head: HeadConfig = param(HeadConfig(), doc="What it says of a chunk.")


@dataclass(frozen=True)
class FusionConfig:
    """Attention over tokens of all modalities: pictures, proprioception, wrench, objects."""

    width: int = param(128, low=8, high=2048, doc="Width of a token.")
    heads: int = param(4, low=1, high=32, doc="Attention heads; the width is a multiple.")
    layers: int = param(3, low=1, high=24, doc="Layers of attention.")
    dropout: float = param(0.1, low=0.0, high=0.95, doc="Share of numbers left out in training.")
    modality_dropout: float = param(0.1, low=0.0, high=0.9, doc="Share of samples in which a modality is hidden, in training.")
    vision: VisionConfig = param(VisionConfig(), doc="For pictures; each cell of its last map becomes a token.")
    head: HeadConfig = param(HeadConfig(), doc="What it says of a chunk.")


@dataclass(frozen=True)
class ActConfig:
    """A Transformer that says a chunk at once, with a latent variable for how it was done."""

    width: int = param(256, low=8, high=2048, doc="Width of a token.")
    heads: int = param(8, low=1, high=32, doc="Attention heads; the width is a multiple.")
    feedforward: int = param(1024, low=8, high=16384, doc="Hidden width of the layers' perceptrons.")
    encoder_layers: int = param(4, low=1, high=24, doc="Layers over what is observed.")
    decoder_layers: int = param(1, low=1, high=24, doc="Layers over the chunk.")
    posterior_layers: int = param(4, low=1, high=24, doc="Layers over the demonstrated chunk, in training only.")
    dropout: float = param(0.1, low=0.0, high=0.95, doc="Share of numbers left out in training.")
    vae: bool = param(True, doc="Whether it has a latent variable; at run time that is zero.")
    latent: int = param(32, low=1, high=512, doc="Size of the latent variable.")
    kl_weight: float = param(
        10.0, low=0.0, high=1e4, doc="Weight of the latent variable's divergence from a standard normal one."
    )
    patch: int = param(4, low=1, high=32, doc="Demonstrated actions that share a token of the posterior.")
    loss: str = param("l1", choices=("l1", "mse"), doc="How chunks are compared.")
    vision: VisionConfig = param(VisionConfig(), doc="For pictures; each cell of its last map becomes a token.")


@dataclass(frozen=True)
class DiffusionConfig:
    """How noise becomes a chunk."""

    levels: int = param(100, low=2, high=10_000, doc="Noise levels in training.")
    steps: int = param(10, low=1, high=1000, doc="Steps from noise to chunk at run time, unrolled in the graph.")
    says: str = param(
        "sample", choices=("sample", "noise", "velocity"), doc="What the network says of a noisy chunk; velocity mixes the two."
    )
    clip: float = param(5.0, low=0.5, high=100.0, doc="Chunks stay within this, in the spread of the displacements.")
    temperature: float = param(
        0.1, low=0.01, high=1.0, doc="Size of the noise that a chunk begins as, at run time: 1 draws from all that was shown."
    )


@dataclass(frozen=True)
class DiffusionUnetConfig:
    """Diffusion by a one-dimensional U-Net along the chunk."""

    width: int = param(64, low=8, high=2048, doc="Channels of the first level; each level has twice those of the one before.")
    levels: int = param(3, low=1, high=5, doc="Levels; each but the last halves the length.")
    kernel: int = param(5, low=1, high=9, doc="Steps that a convolution spans, odd.")
    groups: int = param(8, low=1, high=64, doc="Groups of the normalisation.")
    embedding: int = param(128, low=8, high=1024, doc="Numbers that a noise level becomes.")
    hidden: int = param(
        0, low=0, high=4096, doc="Units of two layers between what is seen and the blocks, once for all steps; 0 for none."
    )
    diffusion: DiffusionConfig = param(DiffusionConfig(), doc="How noise becomes a chunk.")
    vision: VisionConfig = param(VisionConfig(), doc="For pictures, where there are cameras.")


@dataclass(frozen=True)
class DiffusionTransformerConfig:
    """Diffusion by a Transformer over the actions of a chunk."""

    width: int = param(128, low=8, high=2048, doc="Width of a token.")
    heads: int = param(4, low=1, high=32, doc="Attention heads; the width is a multiple.")
    layers: int = param(4, low=1, high=24, doc="Layers.")
    dropout: float = param(0.0, low=0.0, high=0.95, doc="Share of numbers left out in training.")
    diffusion: DiffusionConfig = param(DiffusionConfig(), doc="How noise becomes a chunk.")
    vision: VisionConfig = param(VisionConfig(), doc="For pictures, where there are cameras.")
