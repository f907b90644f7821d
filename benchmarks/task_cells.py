# SPDX-License-Identifier: Apache-2.0
"""The cells of the table that benchmarks/tasks.py measures: which policy learns which task how."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from kata_learning.augmentation import AugmentConfig
from kata_learning.policies.registry import POLICIES
from kata_learning.training.recipe import Recipe
from kata_learning.training.train_config import TrainConfig
from kata_model.config.params import from_mapping

__all__ = ["ABLATIONS", "TASKS", "VISION", "Cell", "ablations", "small_table", "whole_table"]

TASKS = ("reach", "lift", "push")
SEEDS = {"mlp": 3, "act": 3, "diffusion_unet": 3}
"""Seeds of each policy; the others have one, for want of time."""

_TRAIN: Mapping[str, Any] = {"epochs": 60, "patience": 60, "batch": 256, "rate": 1e-3, "average": 0.995}

_POLICIES: Mapping[str, tuple[str, Mapping[str, Any], Mapping[str, Any]]] = {
    "mlp": ("mlp", {}, {}),
    "gmm": ("mlp", {"head": {"kind": "mixture"}}, {}),
    "discrete": ("mlp", {"head": {"kind": "discrete"}}, {"epochs": 30}),
    "lstm": ("lstm", {"hidden": 128, "layers": 1}, {"epochs": 25}),
    "tcn": ("tcn", {"hidden": 64, "layers": 2}, {"epochs": 25}),
    "act": (
        "act",
        {"width": 96, "heads": 4, "feedforward": 256, "encoder_layers": 2, "posterior_layers": 1, "patch": 5, "dropout": 0.0},
        {"epochs": 25, "horizon": 30},
    ),
    "diffusion_unet": (
        "diffusion_unet",
        {"width": 24, "levels": 2, "embedding": 64, "hidden": 256},
        {"epochs": 40, "history": 1},
    ),
    "diffusion_transformer": ("diffusion_transformer", {"width": 64, "layers": 2}, {"epochs": 40, "history": 1}),
}
"""By label: kind, departures from its shape, departures from `_TRAIN`. Sizes that train in one to ten minutes of CPU time."""

VISION = {"reach": 300, "push": 200}
"""Demonstrations that a policy with pictures learns from; of 100, it learns the places by heart."""
_SELF = ("joint_position", "frame_position/right_palm")
"""What it sees beside the pictures: of itself alone."""

ABLATIONS: Mapping[str, Mapping[str, Any]] = {
    "all": {},
    "no noise in training": {"noise": 0.0},
    "no common shift": {"shift": 0.0},
    "no observation noise": {"blur": 0.0},
    "no disturbance at all": {"noise": 0.0, "shift": 0.0, "blur": 0.0},
    "temporal warping": {"warp": 0.3},
    "no weight decay": {"decay": 0.0},
    "no moving average": {"average": 0.0},
    "dropout 0.1": {"dropout": 0.1},
}
"""Departures from the way the table is trained, on push with 50 demonstrations; by field of any of the configs."""


@dataclass(frozen=True)
class Cell:
    """One figure of the table.

    Attributes:
        task: What is learned.
        policy: Label of the row.
        seed: Of training.
        recipe: How.
        demonstrations: How many, of which kind.
        data: As `demonstrations` names it.
        rollouts: Attempts that measure it.
        part: Of the page that it stands in: ``table``, ``small`` or ``ablations``.
    """

    task: str
    policy: str
    seed: int
    recipe: Recipe = field(repr=False)
    demonstrations: int = 100
    data: str = "dart"
    rollouts: int = 50
    part: str = "table"

    @property
    def name(self) -> str:
        """Return a name for a file; cells that differ in anything differ in it."""
        text = json.dumps(asdict(self), sort_keys=True, default=str)
        label = self.policy.replace(" ", "-")
        return f"{self.task}-{label}-{self.seed}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _recipe(label: str, seed: int, **departures: Any) -> Recipe:
    kind, shape, train = _POLICIES[label]
    config = POLICIES[kind].config
    own = {name: value for name, value in departures.items() if name in config.__dataclass_fields__}
    of = {
        part: {name: value for name, value in departures.items() if name in part.__dataclass_fields__}
        for part in (TrainConfig, AugmentConfig)
    }
    return Recipe(
        kind,
        from_mapping(config, {**shape, **own}),
        from_mapping(TrainConfig, {**_TRAIN, **train, "seed": seed, **of[TrainConfig]}),
        from_mapping(AugmentConfig, of[AugmentConfig]),
    )


def whole_table() -> Iterator[Cell]:
    """Yield the cells in the order in which they are worth most: one seed of all, then the others."""
    for seed in range(3):
        for label in _POLICIES:
            if seed < SEEDS.get(label, 1):
                for task in ("push", "lift", "reach"):
                    yield Cell(task, label, seed, _recipe(label, seed))
    for task, count in VISION.items():
        yield Cell(task, "vision", 0, _vision(), demonstrations=count, data="pictures")


def _vision() -> Recipe:
    train = from_mapping(TrainConfig, {**_TRAIN, "epochs": 12, "batch": 64})
    shape = from_mapping(POLICIES["cnn"].config, {"vision": {"stages": 2}})  # more would leave too few cells to tell places apart
    augment = AugmentConfig(shift=0.0, colour=0.2)  # no crop: where things are in the picture is what matters
    return Recipe("cnn", shape, train, augment, _SELF, ("head",))


def small_table() -> Iterator[Cell]:
    """Yield the cells that continuous integration measures within three minutes."""
    for label, epochs in (("mlp", 150), ("act", 12)):
        yield Cell(
            "reach", label, 0, _recipe(label, 0, epochs=epochs), demonstrations=30, data="plain", rollouts=10, part="small"
        )


def ablations() -> Iterator[Cell]:
    """Yield the cells of the ablations, and two that differ in their data."""
    for label, departures in ABLATIONS.items():
        yield Cell("push", label, 0, _recipe("mlp", 0, **departures), demonstrations=50, part="ablations")
    plain = {"demonstrations": 50, "data": "plain", "part": "ablations"}
    whole = Cell("push", "demonstrations undisturbed", 0, _recipe("mlp", 0), **plain)
    yield whole
    yield replace(whole, policy="50 synthetic demonstrations more", data="synthetic")
