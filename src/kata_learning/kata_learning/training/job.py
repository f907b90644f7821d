# SPDX-License-Identifier: Apache-2.0
"""What `kata train` is asked for; apart from the work, so that `--help` need not wait for it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from kata_learning.training.recipe import Recipe

__all__ = ["Job"]


@dataclass(frozen=True)
class Job:
    """What `kata train` is asked for."""

    data: Path
    """Dataset, made by `kata dataset build`."""
    out: Path
    """Folder to write, RUN; it must not exist."""
    replace: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Replace a training run that lies there."""
    task: str = ""
    """Task that --rollouts attempt; the dataset must be of it. Left out: the dataset's."""
    terms: tuple[str, ...] = ()
    """What the policy sees of the dataset's observation terms. Left out: all of them."""
    cameras: tuple[str, ...] = ()
    """Cameras that the policy looks through. Left out: none."""
    folds: int = 0
    """Cross-validate: train so many times, each with another share of the episodes held out, and write only how that went."""
    jobs: int = 1
    """Attempts of --rollouts at a time."""
    log: Literal["none", "tensorboard", "wandb", "mlflow"] = "none"
    """Where figures go beside metrics.csv; all stay on this machine unless that tool is told otherwise."""
    recipe: Annotated[Recipe, tyro.conf.Suppress] = field(default_factory=Recipe)
    """How the policy is shaped and trained."""
