# SPDX-License-Identifier: Apache-2.0
"""The folder of a training run: how it is trained, how that went, and what came of it.

A run begins with ``config.json`` alone. While it is trained, ``checkpoint.pt`` and ``metrics.csv`` are replaced whole;
``policy.pt`` and ``loss.png`` come last, so that a run with them is finished, and one without can be resumed.
"""

import csv
import json
import pickle
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from kata_learning.policies.interface import Policy
from kata_learning.policies.registry import describe, restore
from kata_learning.training.recipe import Recipe
from kata_learning.training.train import EpochLoss, Trained
from kata_model.atomic import new_file, new_folder
from kata_model.errors import ConfigError, DataError

__all__ = ["MARKER", "About", "Run", "RunWriter", "begin_run", "finished", "load_losses", "load_run", "read_about", "save_run"]

MARKER = "config.json"
"""File that makes a folder a training run."""

_CHECKPOINT, _POLICY, _METRICS = "checkpoint.pt", "policy.pt", "metrics.csv"

_DAMAGES = (OSError, KeyError, TypeError, ValueError, RuntimeError, ConfigError, pickle.UnpicklingError, EOFError)


@dataclass(frozen=True, slots=True)
class About:
    """What a run says of itself.

    Attributes:
        recipe: How it is trained.
        data: Folder of its dataset.
        data_hash: Hash of that dataset.
        commit: Version of the code that trains it.
        task: Task that checkpoints are compared by; the dataset's, if nothing else was asked for.
    """

    recipe: Recipe
    data: Path
    data_hash: str
    commit: str
    task: str


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run as read from its folder.

    Attributes:
        network: The trained network, in evaluation mode.
        data: Folder of the dataset that it was trained on.
        data_hash: Hash of that dataset.
        commit: Version of the code that trained it.
    """

    network: Policy
    data: Path
    data_hash: str
    commit: str


class RunWriter:
    """Writes a run's folder while it is trained."""

    def __init__(self, folder: Path, save_every: float) -> None:
        """Take a folder that `begin_run` made, and the least time between checkpoints [s]."""
        self.folder, self._every = folder, save_every
        self._saved = time.monotonic()

    def save(self, state: Callable[[], dict[str, Any]]) -> bool:
        """Write a checkpoint if it is time for one, and return whether it was.

        Raises:
            DataError: The disk refuses.
        """
        if time.monotonic() - self._saved < self._every:
            return False
        kept = state()
        with new_file(self.folder / _CHECKPOINT) as partial:
            torch.save(kept, partial)
        _write_losses([EpochLoss(*loss) for loss in kept["course"]["losses"]], self.folder / _METRICS)
        self._saved = time.monotonic()
        return True

    def checkpoint(self) -> dict[str, Any] | None:
        """Return the state that training can go on from; None if there is none yet.

        Raises:
            DataError: It is damaged.
        """
        path = self.folder / _CHECKPOINT
        if not path.is_file():
            return None
        try:
            state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
        except _DAMAGES as error:
            raise DataError(f"damaged checkpoint: {_line(error)}", where=str(path), fix="train anew with --replace") from error
        return state

    def finish(self, trained: Trained) -> None:
        """Write what came of the training.

        Raises:
            DataError: The disk refuses.
        """
        _write_losses(trained.losses, self.folder / _METRICS)
        with new_file(self.folder / "loss.png") as partial:
            plot_losses(trained.losses, trained.best, partial)
        content = {"policy": describe(trained.network), "best_epoch": trained.best, "weights": trained.network.state_dict()}
        with new_file(self.folder / _POLICY) as partial:
            torch.save(content, partial)
        (self.folder / _CHECKPOINT).unlink(missing_ok=True)


def begin_run(about: About, folder: Path, *, replace: bool = False) -> RunWriter:
    """Make a run's folder.

    Raises:
        DataError: The folder exists (with `replace`: and is no run) or cannot be written.
    """
    said = {"data": str(about.data), "data_hash": about.data_hash, "commit": about.commit, "task": about.task}
    with new_folder(folder, MARKER, replace=replace) as partial:
        (partial / MARKER).write_text(json.dumps({**said, "recipe": about.recipe.to_mapping()}, indent=1) + "\n")
    return RunWriter(folder, about.recipe.train.save_every)


def save_run(trained: Trained, about: About, folder: Path, *, replace: bool = False) -> None:
    """Write the folder of a run that was trained in memory; raises as `begin_run`."""
    begin_run(about, folder, replace=replace).finish(trained)


def read_about(folder: Path) -> About:
    """Read what a run says of itself.

    Raises:
        DataError: The folder is no run.
    """
    try:
        content: dict[str, Any] = json.loads((folder / MARKER).read_text())
        said = [str(content[name]) for name in ("data_hash", "commit", "task")]
        return About(Recipe.from_mapping(content["recipe"]), Path(content["data"]), *said)
    except _DAMAGES as error:
        raise _no_run(folder, error) from error


def load_run(folder: Path) -> Run:
    """Read a finished run.

    Raises:
        DataError: The folder is no run, is not finished, or its files do not fit together.
    """
    about = read_about(folder)
    if not finished(folder):
        raise DataError("the training is not finished", where=str(folder), fix=f"kata train --resume {folder}")
    try:
        content = torch.load(folder / _POLICY, weights_only=True, map_location="cpu")
        network = restore(content["policy"])
        network.load_state_dict(content["weights"])
        return Run(network.eval(), about.data, about.data_hash, about.commit)
    except _DAMAGES as error:
        raise _no_run(folder, error) from error


def finished(folder: Path) -> bool:
    """Return whether a run's training has come to its end."""
    return (folder / _POLICY).is_file()


def load_losses(folder: Path) -> list[EpochLoss]:
    """Read the losses of a run.

    Raises:
        DataError: The file is missing or damaged.
    """
    try:
        with (folder / _METRICS).open(newline="") as file:
            return [_row(row) for row in csv.DictReader(file)]
    except (OSError, KeyError, TypeError, ValueError) as error:
        where = str(folder / _METRICS)
        raise DataError(f"no readable losses: {error}", where=where, fix="run `kata train` again") from error


def _row(row: dict[str, str]) -> EpochLoss:
    successes = int(row["successes"]) if row["successes"] else None
    return EpochLoss(int(row["epoch"]), float(row["train"]), float(row["validation"]), float(row["rate"]), successes)


def _write_losses(losses: Sequence[EpochLoss], path: Path) -> None:
    with new_file(path) as partial, partial.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(EpochLoss._fields)
        writer.writerows(losses)


def plot_losses(losses: Sequence[EpochLoss], best: int, path: Path) -> None:
    """Draw both losses, on a logarithmic scale where they allow one."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
    epochs, positive = [loss.epoch for loss in losses], all(loss.train > 0.0 < loss.validation for loss in losses)
    axes.plot(epochs, [loss.train for loss in losses], label="train, with noise")
    axes.plot(epochs, [loss.validation for loss in losses], label="validation")
    axes.axvline(best, color="0.6", linestyle=":", label="kept")
    axes.set(xlabel="epoch", ylabel="loss", yscale="log" if positive else "linear")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _no_run(folder: Path, error: BaseException) -> DataError:
    text = f"lacks {error}" if isinstance(error, KeyError) else _line(error)
    return DataError(f"not a training run: {text}", where=str(folder), fix="make one with `kata train`")


def _line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else "empty file"
