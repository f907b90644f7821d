# SPDX-License-Identifier: Apache-2.0
"""Behaviour cloning: fit a policy to a dataset, in one loop that reads from top to bottom."""

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from kata_data.dataset import Dataset
from kata_learning.augmentation.disturbance import Disturbance, fading
from kata_learning.augmentation.pictures import PictureChanges
from kata_learning.policies.interface import Batch, Policy
from kata_learning.policies.registry import make_policy
from kata_learning.policies.spec import PolicySpec
from kata_learning.training.process_group import ProcessGroup, join_group
from kata_learning.training.recipe import Recipe
from kata_learning.training.samples import Samples
from kata_learning.training.scaling import scaling_of
from kata_model.errors import DataError

__all__ = ["EpochLoss", "Trained", "Watch", "check_recipe", "train_policy"]

_VALIDATION_BATCH = 1024


class EpochLoss(NamedTuple):
    """What one pass came to.

    Losses are in the policy's own measure, on disturbed observations: `train` with running weights, `validation` with
    averaged ones on episodes held out.

    Attributes:
        epoch: Number of the pass, from 0.
        train: Mean over the pass.
        validation: After it.
        rate: Learning rate of the last batch.
        successes: Of the attempts in simulation, if there were any after this pass.
    """

    epoch: int
    train: float
    validation: float
    rate: float = 0.0
    successes: int | None = None


@dataclass(frozen=True, slots=True)
class Trained:
    """The outcome.

    Attributes:
        network: With the averaged weights of the best pass, in evaluation mode.
        losses: One for each pass.
        best: Pass of the network that is returned, counted from 0.
    """

    network: Policy
    losses: tuple[EpochLoss, ...]
    best: int


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told of a training while it runs; only rank 0 tells.

    Attributes:
        on_epoch: Called after each pass, e.g. to move a progress bar.
        save: Called after each pass with what gives the state that training can go on from.
        judge: Attempts the task with a network and returns the number of successes, of `TrainConfig.rollouts`.
    """

    on_epoch: Callable[[EpochLoss], None] = lambda _: None
    save: Callable[[Callable[[], dict[str, Any]]], object] = lambda _: None
    judge: Callable[[Policy], int] | None = None


@dataclass
class _Course:
    """How far a training has come; `weights` are those of the best pass."""

    epoch: int = 0
    updates: int = 0
    least: float = math.inf
    least_epoch: int = 0
    best: int = 0
    score: tuple[float, float] = (-math.inf, -math.inf)
    losses: list[EpochLoss] = field(default_factory=list)
    weights: Mapping[str, Tensor] = field(default_factory=dict)


def train_policy(dataset: Dataset, recipe: Recipe, watch: Watch = Watch(), start: Mapping[str, Any] | None = None) -> Trained:
    """Train a policy; the same dataset, recipe and machine give the same weights, in one go or resumed.

    All chance of a pass follows from the seed and the pass's number. In a group of processes (`torchrun`) each works on its
    share of every batch, and all hold the same weights.

    Args:
        dataset: What to learn from.
        recipe: How.
        watch: Who is told.
        start: State that `Watch.save` was given, to go on from there.

    Raises:
        DataError: There is nothing to train on, or the dataset lacks what the policy needs.
        ConfigError: The policy cannot be shaped so.
    """
    config = recipe.train
    processes, device = join_group(config.device), torch.device(config.device)
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)

    spec = recipe.spec(dataset)
    train = Samples(dataset, "train", spec)
    held_out = Samples(dataset, "validation", spec) if len(dataset.steps("validation")) else train
    _check(dataset, recipe, train, processes)
    disturbance = _disturbance(dataset, recipe, spec)
    changes = PictureChanges(recipe.augment.crop, recipe.augment.colour, recipe.augment.picture_blur)
    scaling = scaling_of(dataset, spec, train.numbers(torch.arange(len(train))), disturbance)

    network = make_policy(recipe.kind, spec, recipe.shape, scaling).to(device)
    averaged = copy.deepcopy(network).eval()
    weights = [value for value in network.parameters() if value.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=config.rate, weight_decay=config.decay, fused=True)
    slow, fast = (_values(one) for one in (averaged, network))
    batches = math.ceil(len(train) / config.batch)
    course = _Course()
    if start is not None:
        course = _restore(start, network, averaged, optimiser)

    for epoch in range(course.epoch, config.epochs):
        chance = torch.Generator().manual_seed(_seed(config.seed, epoch))
        torch.manual_seed(_seed(config.seed, epoch, processes.rank))
        network.train()
        parts = torch.randperm(len(train), generator=chance).tensor_split(batches)
        total = torch.zeros((), device=device)
        for rows, pictures in zip(parts, train.pictures([processes.shard(rows) for rows in parts]), strict=True):
            rate = config.rate * _warm_cosine(course.updates, batches * config.epochs, config.warmup)
            for group in optimiser.param_groups:
                group["lr"] = rate
            numbers = train.numbers(rows, disturbance, chance)
            looks = processes.shard(changes.draw(len(rows), chance))
            batch = _moved(_part(numbers, processes), tuple(changes.apply(values, looks) for values in pictures), device)
            with torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bfloat16"):
                loss = network.loss(batch).total * (batch.valid.sum() / numbers.valid.sum())
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            shared = loss.detach().clone()
            processes.all_reduce([shared, *(value.grad for value in weights if value.grad is not None)])
            torch.nn.utils.clip_grad_norm_(weights, config.clip)
            optimiser.step()
            course.updates += 1
            _average(slow, fast, min(config.average, course.updates / (course.updates + 10)))
            total += shared * len(rows)

        validation = _validate(averaged, held_out, disturbance, device, config.seed)
        if validation < course.least:
            course.least, course.least_epoch = validation, epoch
        last = epoch + 1 == config.epochs or epoch - course.least_epoch >= config.patience
        due = watch.judge is not None and (last or (epoch + 1) % config.rollout_every == 0)
        successes = _judge(averaged, watch, processes, device) if due else None
        course.losses.append(EpochLoss(epoch, total.item() / len(train), validation, rate, successes))
        score = (float(successes or 0), -validation)
        if (due or watch.judge is None) and score > course.score:
            course.score, course.best, course.weights = score, epoch, copy.deepcopy(averaged.state_dict())
        course.epoch = epoch + 1
        if processes.is_rank_0:
            watch.on_epoch(course.losses[-1])
            watch.save(lambda: _state(course, network, averaged, optimiser))
        if last:
            break

    if not math.isfinite(course.least):
        raise DataError("the loss never was a finite number", fix="lower --rate, or look for odd numbers in the dataset")
    averaged.load_state_dict(course.weights)
    return Trained(averaged.cpu(), tuple(course.losses), course.best)


def check_recipe(dataset: Dataset, recipe: Recipe) -> None:
    """Raise what `train_policy` would raise before its first pass, without training.

    Raises:
        DataError: There is nothing to train on, or the dataset lacks what the policy needs.
        ConfigError: The policy cannot be shaped so.
    """
    spec = recipe.spec(dataset)
    _check(dataset, recipe, Samples(dataset, "train", spec), join_group(recipe.train.device))
    make_policy(recipe.kind, spec, recipe.shape)


def _check(dataset: Dataset, recipe: Recipe, train: Samples, processes: ProcessGroup) -> None:
    if not train.slopes and (recipe.augment.noise > 0.0 or recipe.augment.shift > 0.0):
        what = "the dataset does not know how its observations change with the joints, as disturbances need"
        raise DataError(what, fix="train with --noise 0 --shift 0, or on a dataset that was built from bags")
    if min(len(train), recipe.train.batch) < processes.size:
        raise DataError(f"{len(train)} steps in batches of {recipe.train.batch} do not go round {processes.size} processes")


def _disturbance(dataset: Dataset, recipe: Recipe, spec: PolicySpec) -> Disturbance:
    augment, statistics = recipe.augment, dataset.manifest.statistics
    blur = {term.name: torch.tensor(statistics[term.name].std).reshape(term.shape) * augment.blur for term in spec.terms}
    return Disturbance(augment.noise, fading(spec.horizon, spec.rate, augment.recovery), augment.shift, blur)


def _seed(seed: int, epoch: int, rank: int = 0) -> int:
    """Return a number for torch that follows from the seed, the pass and the process."""
    return int(np.random.SeedSequence([seed, epoch, rank]).generate_state(1)[0])


def _warm_cosine(update: int, updates: int, warmup: int) -> float:
    """Return the factor of the learning rate: a linear rise, then half a cosine down to 0."""
    warm = min(warmup, max(1, updates // 10))
    return min(1.0, (update + 1) / warm) * 0.5 * (1.0 + math.cos(math.pi * min(1.0, update / updates)))


def _part(numbers: Batch, processes: ProcessGroup) -> Batch:
    return Batch(tuple(map(processes.shard, numbers.terms)), (), processes.shard(numbers.chunk), processes.shard(numbers.valid))


def _moved(numbers: Batch, pictures: tuple[Tensor, ...], device: torch.device) -> Batch:
    terms, seen = (tuple(value.to(device) for value in values) for values in (numbers.terms, pictures))
    return Batch(terms, seen, numbers.chunk.to(device), numbers.valid.to(device))


class _Values(NamedTuple):
    """A network's numbers."""

    parameters: list[Tensor]
    buffers: list[Tensor]


def _values(network: Policy) -> _Values:
    return _Values(list(network.parameters()), list(network.buffers()))


@torch.no_grad()
def _average(slow: _Values, fast: _Values, decay: float) -> None:
    torch._foreach_lerp_(slow.parameters, fast.parameters, 1.0 - decay)
    for kept, running in zip(slow.buffers, fast.buffers, strict=True):
        kept.copy_(running)


@torch.no_grad()
def _validate(averaged: Policy, held_out: Samples, disturbance: Disturbance, device: torch.device, seed: int) -> float:
    """Return the loss on held-out episodes; the same disturbances each time, so that passes compare."""
    chance, drawn = torch.Generator().manual_seed(seed), torch.Generator(device).manual_seed(seed)
    parts = torch.split(torch.arange(len(held_out)), _VALIDATION_BATCH)
    total, weight = 0.0, 0.0
    for rows, pictures in zip(parts, held_out.pictures(parts), strict=True):
        batch = _moved(held_out.numbers(rows, disturbance, chance), pictures, device)
        valid = batch.valid.sum().item()
        total, weight = total + averaged.loss(batch, drawn).total.item() * valid, weight + valid
    return total / weight


def _judge(averaged: Policy, watch: Watch, processes: ProcessGroup, device: torch.device) -> int:
    found = (watch.judge(averaged),) if watch.judge is not None and processes.is_rank_0 else None
    return processes.broadcast(found, 1, device)[0]


def _state(course: _Course, network: Policy, averaged: Policy, optimiser: torch.optim.Optimizer) -> dict[str, Any]:
    parts = {"network": network.state_dict(), "averaged": averaged.state_dict(), "optimiser": optimiser.state_dict()}
    return {"course": {**vars(course), "losses": [tuple(loss) for loss in course.losses]}, **parts}


def _restore(start: Mapping[str, Any], network: Policy, averaged: Policy, optimiser: Any) -> _Course:
    network.load_state_dict(start["network"])
    averaged.load_state_dict(start["averaged"])
    optimiser.load_state_dict(start["optimiser"])
    course = _Course(**start["course"])
    course.losses = [EpochLoss(*loss) for loss in course.losses]
    return course
