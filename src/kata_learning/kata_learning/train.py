# SPDX-License-Identifier: Apache-2.0
"""Behaviour cloning: fit a chunk policy to a dataset, in one loop that reads from top to bottom."""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from kata_core.errors import DataError
from kata_core.observation import TermSpec
from kata_learning.dataset import Dataset
from kata_learning.network import ChunkPolicy, NetworkSpec, Scaling
from kata_learning.samples import Disturbance, Samples, fading, take_samples
from kata_learning.train_config import TrainConfig

__all__ = ["EpochLoss", "Trained", "train_policy"]

STEP_FLOOR = 5e-3
"""Smallest scale of a displacement [rad]: finer differences are noise of the measurement, not skill."""

TERM_FLOOR = 1e-2
"""Smallest scale of an observation [rad, m …]: a constant in the data must not blow up when it moves on the robot."""


class EpochLoss(NamedTuple):
    """Mean squared errors after one pass, in units of the displacements' spread.

    `train` is with running weights, `validation` with averaged ones; both are on disturbed observations.
    """

    epoch: int
    train: float
    validation: float


@dataclass(frozen=True, slots=True)
class Trained:
    """The outcome.

    Attributes:
        network: With the averaged weights of the best pass, in evaluation mode.
        losses: One for each pass.
        best: Pass of the network that is returned, counted from 0.
    """

    network: ChunkPolicy
    losses: tuple[EpochLoss, ...]
    best: int


def train_policy(dataset: Dataset, config: TrainConfig, on_epoch: Callable[[EpochLoss], None] | None = None) -> Trained:
    """Train a policy; the same dataset, config and machine give the same weights.

    Args:
        dataset: What to learn from.
        config: How.
        on_epoch: Called after each epoch, e.g. to move a progress bar.

    Raises:
        DataError: There is nothing to train on.
    """
    if not dataset.sensitivity and (config.noise > 0.0 or config.shift > 0.0):
        what = "the dataset does not know how its observations change with the joints, as disturbances need"
        raise DataError(what, fix="train with --noise 0 --shift 0, or on a dataset that was built from bags")
    torch.set_num_threads(config.threads)
    generator = torch.Generator().manual_seed(config.seed)
    torch.manual_seed(config.seed)

    train, validation = (take_samples(dataset, split, config.horizon) for split in ("train", "validation"))
    if not len(train.chunk):
        raise DataError("the dataset has no training steps", fix="record more episodes, or lower --validation")
    if not len(validation.chunk):
        validation = train
    blur = tuple(
        torch.tensor(dataset.manifest.statistics[term].std).reshape(shape) * config.blur
        for term, shape in dataset.manifest.terms.items()
    )
    disturbance = Disturbance(config.noise, fading(config.horizon, dataset.manifest.rate, config.recovery), config.shift, blur)
    held_out = disturbance.apply(validation, generator)
    network = ChunkPolicy(_network_spec(dataset, config), _scaling(dataset, train, disturbance))
    averaged = copy.deepcopy(network).eval()
    optimiser = torch.optim.AdamW(network.parameters(), lr=config.rate, weight_decay=config.decay)
    batches = math.ceil(len(train.chunk) / config.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, _warm_cosine(batches * config.epochs))

    best, best_loss, best_state, losses, updates = 0, math.inf, averaged.state_dict(), [], 0
    for epoch in range(config.epochs):
        total = 0.0
        for rows in torch.split(torch.randperm(len(train.chunk), generator=generator), config.batch):
            loss = _loss(network, disturbance.apply(train.take(rows), generator))
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            updates += 1
            _average(averaged, network, min(config.average, updates / (updates + 10)))
            total += loss.item() * len(rows)
        with torch.no_grad():
            validation_loss = _loss(averaged, held_out).item()
        losses.append(EpochLoss(epoch, total / len(train.chunk), validation_loss))
        if on_epoch is not None:
            on_epoch(losses[-1])
        if validation_loss < best_loss:
            best, best_loss, best_state = epoch, validation_loss, copy.deepcopy(averaged.state_dict())
        if epoch - best >= config.patience:
            break

    averaged.load_state_dict(best_state)
    return Trained(averaged, tuple(losses), best)


def _loss(network: ChunkPolicy, samples: Samples) -> Tensor:
    """Mean squared error of valid actions in units of the displacements' spread."""
    error = (network(*samples.terms) - samples.chunk) / network.get_buffer("step_std")
    weight = samples.valid.unsqueeze(-1).expand_as(error)
    mean: Tensor = (error.square() * weight).sum() / weight.sum()
    return mean


def _average(averaged: ChunkPolicy, network: ChunkPolicy, decay: float) -> None:
    with torch.no_grad():
        for slow, fast in zip(averaged.parameters(), network.parameters(), strict=True):
            slow.lerp_(fast, 1.0 - decay)


def _warm_cosine(updates: int) -> Callable[[int], float]:
    """Return the factor of the learning rate by update: a linear rise, then half a cosine down to 0."""
    warm = min(100, max(1, updates // 10))

    def factor(update: int) -> float:
        return min(1.0, (update + 1) / warm) * 0.5 * (1.0 + math.cos(math.pi * min(1.0, update / updates)))

    return factor


def _network_spec(dataset: Dataset, config: TrainConfig) -> NetworkSpec:
    about = dataset.manifest
    terms = tuple(TermSpec(name, shape) for name, shape in about.terms.items())
    return NetworkSpec(terms, about.joint_names, config.horizon, config.hidden, config.layers)


def _scaling(dataset: Dataset, train: Samples, disturbance: Disturbance) -> Scaling:
    about = dataset.manifest
    shaped = [(about.statistics[name], shape) for name, shape in about.terms.items()]
    names = list(about.terms)
    anchored = "joint_position" in names
    anchor = train.terms[names.index("joint_position")].unsqueeze(1) if anchored else 0.0
    displacement, weight = train.chunk - anchor, train.valid.unsqueeze(-1)
    count = weight.sum(0).clamp(min=1)
    mean = (displacement * weight).sum(0) / count
    variance = ((displacement - mean).square() * weight).sum(0) / count
    pushed = disturbance.noise * (disturbance.left - float(anchored))
    return Scaling(
        mean=tuple(torch.tensor(s.mean).reshape(shape) for s, shape in shaped),
        std=tuple(torch.tensor(s.std).clamp(min=TERM_FLOOR).reshape(shape) for s, shape in shaped),
        step_mean=mean,
        step_std=(variance + pushed.square()).sqrt().clamp(min=STEP_FLOOR),
    )
