# SPDX-License-Identifier: Apache-2.0
"""What a policy subtracts and divides by, from the training episodes."""

import torch
from torch import Tensor

from kata_data.dataset import Dataset
from kata_learning.augmentation.disturbance import Disturbance
from kata_learning.policies.interface import Batch, Scaling
from kata_learning.policies.spec import PolicySpec

__all__ = ["scaling_of"]

STEP_FLOOR = 5e-3
"""Smallest scale of a displacement [rad]: finer differences are noise of the measurement, not skill."""

TERM_FLOOR = 1e-2
"""Smallest scale of an observation [rad, m …]: a constant in the data must not blow up when it moves on the robot."""


def scaling_of(dataset: Dataset, spec: PolicySpec, train: Batch, disturbance: Disturbance) -> Scaling:
    """Return the scaling of a policy.

    Args:
        dataset: What is learned from.
        spec: What the policy sees.
        train: All windows of the training episodes, undisturbed.
        disturbance: How they will be disturbed; makes displacements larger.
    """
    shaped = [(dataset.manifest.statistics[term.name], term.shape) for term in spec.terms]
    colours = [dataset.manifest.statistics[camera.input] for camera in spec.cameras]
    mean, variance = _displacements(train, spec)
    pushed = disturbance.noise * (disturbance.left - float(spec.anchor is not None))
    return Scaling(
        mean=tuple(torch.tensor(s.mean).reshape(shape) for s, shape in shaped),
        std=tuple(torch.tensor(s.std).clamp(min=TERM_FLOOR).reshape(shape) for s, shape in shaped),
        step_mean=mean,
        step_std=(variance + pushed.square()).sqrt().clamp(min=STEP_FLOOR),
        colour_mean=tuple(torch.tensor(s.mean) for s in colours),
        colour_std=tuple(torch.tensor(s.std).clamp(min=TERM_FLOOR) for s in colours),
    )


def _displacements(train: Batch, spec: PolicySpec) -> tuple[Tensor, Tensor]:
    """Return mean and variance of the displacements from the measured position by action, shape (horizon, k) each."""
    anchor = 0.0 if spec.anchor is None else train.terms[spec.anchor][:, -1:]
    displacement, weight = train.chunk - anchor, train.valid.unsqueeze(-1)
    count = weight.sum(0).clamp(min=1)
    mean = (displacement * weight).sum(0) / count
    return mean, ((displacement - mean).square() * weight).sum(0) / count
