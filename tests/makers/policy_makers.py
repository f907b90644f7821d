# SPDX-License-Identifier: Apache-2.0
"""Small policies of all kinds, and windows that they can learn."""

from dataclasses import replace

import torch
from torch import Tensor

from kata_learning.policies import POLICIES, make_policy
from kata_learning.policies.config import (
    ActConfig,
    CnnConfig,
    DiffusionConfig,
    DiffusionTransformerConfig,
    DiffusionUnetConfig,
    FusionConfig,
    LstmConfig,
    MlpConfig,
    TcnConfig,
    VisionConfig,
)
from kata_learning.policies.interface import Batch, Policy, Scaling
from kata_learning.policies.spec import PolicySpec
from kata_policy.observation import CameraSpec, TermSpec

EYES = VisionConfig(width=4, stages=2, feature=8)
FEW = DiffusionConfig(levels=20, steps=4)
SMALL = {
    "mlp": MlpConfig(hidden=64, layers=2),
    "lstm": LstmConfig(hidden=32, layers=1),
    "tcn": TcnConfig(hidden=32, layers=2),
    "cnn": CnnConfig(hidden=64, vision=EYES),
    "fusion": FusionConfig(width=32, layers=2, vision=EYES),
    "act": ActConfig(width=32, heads=4, feedforward=64, encoder_layers=1, posterior_layers=2, latent=4, patch=4, vision=EYES),
    "diffusion_unet": DiffusionUnetConfig(width=16, levels=2, embedding=16, hidden=24, diffusion=FEW, vision=EYES),
    "diffusion_transformer": DiffusionTransformerConfig(width=32, layers=2, diffusion=FEW, vision=EYES),
}
"""A small form of each kind."""

TERMS = (TermSpec("joint_position", (3,)), TermSpec("object_position/ball", (3,)))


def spec_for(kind: str, **changes) -> PolicySpec:
    """Return a spec that a kind can see: with history where it looks back, with a camera where it must look."""
    about = POLICIES[kind]
    cameras = (CameraSpec("head", 24, 32),) if about.pictures == "must" else ()
    return PolicySpec(TERMS, ("a", "b", "c"), 6, 50.0, min(about.history, 3), cameras, **changes)


def scaling_for(spec: PolicySpec) -> Scaling:
    """Return numbers that are neither 0 nor 1."""
    shapes = [term.shape for term in spec.terms]
    chunk = (spec.horizon, len(spec.joint_names))
    return Scaling(
        mean=tuple(torch.full(shape, 0.1) for shape in shapes),
        std=tuple(torch.full(shape, 0.5) for shape in shapes),
        step_mean=torch.linspace(0.0, 0.1, chunk[0])[:, None].expand(chunk).clone(),
        step_std=torch.full(chunk, 0.2),
        colour_mean=tuple(torch.full((3,), 0.4) for _ in spec.cameras),
        colour_std=tuple(torch.full((3,), 0.2) for _ in spec.cameras),
    )


def batch_for(spec: PolicySpec, size: int = 4, seed: int = 0) -> Batch:
    """Return windows whose chunks follow from what is seen."""
    draw = torch.Generator().manual_seed(seed)
    terms = tuple(0.5 * torch.randn(size, spec.history, *term.shape, generator=draw) + 0.1 for term in spec.terms)
    pictures = tuple(
        torch.randint(0, 255, (size, spec.history, *camera.shape), generator=draw, dtype=torch.uint8) for camera in spec.cameras
    )
    ramp = torch.linspace(0.1, 1.0, spec.horizon)[:, None]
    chunk = terms[0][:, -1:] + 0.3 * ramp * terms[1][:, -1:]
    valid = torch.ones(size, spec.horizon, dtype=torch.bool)
    valid[0, -2:] = False
    return Batch(terms, pictures, chunk, valid)


def inputs_of(policy: Policy, batch: Batch, seed: int = 5) -> list[Tensor]:
    """Return what `forward` takes for a batch."""
    draw = torch.Generator().manual_seed(seed)
    seen = [*batch.terms, *batch.pictures]
    noise = [torch.randn(len(batch.chunk), *term.shape, generator=draw) for term in policy.noise]
    return [*(values if policy.spec.window else values[:, 0] for values in seen), *noise]


def make_policy_of(kind: str, seed: int = 0, **changes) -> Policy:
    """Return a small policy of a kind, its shape changed as told."""
    spec = spec_for(kind)
    torch.manual_seed(seed)
    return make_policy(kind, spec, replace(SMALL[kind], **changes), scaling_for(spec))
