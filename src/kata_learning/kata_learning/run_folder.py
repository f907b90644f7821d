# SPDX-License-Identifier: Apache-2.0
"""The folder of a training run: weights, configuration, and how the loss went."""

import csv
import json
import pickle
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from kata_core.atomic import new_folder
from kata_core.errors import DataError
from kata_core.observation import TermSpec
from kata_learning.network import ChunkPolicy, NetworkSpec
from kata_learning.train import EpochLoss, Trained
from kata_learning.train_config import TrainConfig

__all__ = ["MARKER", "Run", "load_losses", "load_run", "save_run"]

MARKER = "config.json"
"""File that makes a folder a training run."""


@dataclass(frozen=True, slots=True)
class Run:
    """A training run as read from its folder.

    Attributes:
        network: The trained network, in evaluation mode.
        data: Folder of the dataset that it was trained on.
        data_hash: Hash of that dataset.
        commit: Version of the code that trained it.
    """

    network: ChunkPolicy
    data: Path
    data_hash: str
    commit: str


def save_run(trained: Trained, config: TrainConfig, about: dict[str, str], folder: Path, *, replace: bool = False) -> None:
    """Write a run's folder whole, or not at all.

    Args:
        trained: The outcome of training.
        config: How it was trained.
        about: ``data``, ``data_hash`` and ``commit``, as in `Run`.
        folder: Where to.
        replace: Whether a run that lies there is replaced.

    Raises:
        DataError: The folder exists or cannot be written.
    """
    with new_folder(folder, MARKER, replace=replace) as partial:
        torch.save(trained.network.state_dict(), partial / "policy.pt")
        _write_losses(trained.losses, partial / "loss.csv")
        plot_losses(trained.losses, trained.best, partial / "loss.png")
        spec = asdict(trained.network.spec)
        content = {"train": asdict(config), "network": spec, "best_epoch": trained.best, **about}
        (partial / MARKER).write_text(json.dumps(content, indent=1) + "\n")


def load_run(folder: Path) -> Run:
    """Read a run.

    Raises:
        DataError: The folder is no run, or its files do not fit together.
    """
    try:
        content: dict[str, Any] = json.loads((folder / MARKER).read_text())
        spec = content["network"]
        terms = tuple(TermSpec(term["name"], tuple(term["shape"])) for term in spec.pop("terms"))
        network = ChunkPolicy(NetworkSpec(terms=terms, joint_names=tuple(spec.pop("joint_names")), **spec))
        network.load_state_dict(torch.load(folder / "policy.pt", weights_only=True, map_location="cpu"))
        return Run(network.eval(), Path(content["data"]), content["data_hash"], content["commit"])
    except (OSError, KeyError, TypeError, ValueError, RuntimeError, pickle.UnpicklingError, EOFError) as error:
        text = f"lacks {error}" if isinstance(error, KeyError) else str(error).splitlines()[0] if str(error) else "empty file"
        raise DataError(f"not a training run: {text}", where=str(folder), fix="make one with `kata train`") from error


def load_losses(folder: Path) -> list[EpochLoss]:
    """Read the losses of a run.

    Raises:
        DataError: The file is missing or damaged.
    """
    try:
        with (folder / "loss.csv").open(newline="") as file:
            return [EpochLoss(int(r["epoch"]), float(r["train"]), float(r["validation"])) for r in csv.DictReader(file)]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"no readable losses: {error}", where=str(folder / "loss.csv"), fix="run `kata train` again") from error


def _write_losses(losses: tuple[EpochLoss, ...], path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(EpochLoss._fields)
        writer.writerows(losses)


def plot_losses(losses: tuple[EpochLoss, ...], best: int, path: Path) -> None:
    """Draw both losses on a logarithmic scale."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
    axes.semilogy([loss.epoch for loss in losses], [loss.train for loss in losses], label="train, with noise")
    axes.semilogy([loss.epoch for loss in losses], [loss.validation for loss in losses], label="validation")
    axes.axvline(best, color="0.6", linestyle=":", label="kept")
    axes.set(xlabel="epoch", ylabel="squared error / spread²")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120)
    plt.close(figure)
