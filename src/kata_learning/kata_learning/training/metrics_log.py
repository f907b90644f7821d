# SPDX-License-Identifier: Apache-2.0
"""Where figures of a training go beside its folder's own table: TensorBoard, Weights & Biases, MLflow; none goes online."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kata_model.errors import ConfigError

__all__ = ["LOGS", "open_log"]

Write = Callable[[Mapping[str, float], int], None]
"""Takes numbers by name, and the pass they belong to."""


@contextmanager
def open_log(kind: str, folder: Path, about: Mapping[str, Any]) -> Iterator[Write]:
    """Give what writes to a log, and close it in the end.

    Args:
        kind: A name in `LOGS`.
        folder: The run's folder; logs lie in it.
        about: Configuration to be shown beside the figures.

    Raises:
        ConfigError: What the log needs is not installed.
    """
    try:
        write, close = LOGS[kind](folder, about)
    except ImportError as error:
        raise ConfigError(f"--log {kind} needs the package {error.name}", fix=f"pip install {kind}") from error
    try:
        yield write
    finally:
        close()


def _none(folder: Path, about: Mapping[str, Any]) -> tuple[Write, Callable[[], None]]:
    return lambda numbers, step: None, lambda: None


def _tensorboard(folder: Path, about: Mapping[str, Any]) -> tuple[Write, Callable[[], None]]:
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(folder / "tensorboard"))

    def write(numbers: Mapping[str, float], step: int) -> None:
        for name, value in numbers.items():
            writer.add_scalar(name, value, step)
        writer.flush()

    return write, writer.close


def _wandb(folder: Path, about: Mapping[str, Any]) -> tuple[Write, Callable[[], None]]:
    import wandb

    os.environ.setdefault("WANDB_MODE", "offline")
    run = wandb.init(project="kata", dir=str(folder), name=folder.name, config=dict(about))
    return lambda numbers, step: run.log(dict(numbers), step=step), run.finish


def _mlflow(folder: Path, about: Mapping[str, Any]) -> tuple[Write, Callable[[], None]]:
    import mlflow

    if "MLFLOW_TRACKING_URI" not in os.environ:
        mlflow.set_tracking_uri(f"sqlite:///{folder.resolve() / 'mlflow.db'}")
    mlflow.start_run(run_name=folder.name)
    mlflow.log_params({key: str(value) for key, value in about.items()})
    return lambda numbers, step: mlflow.log_metrics(dict(numbers), step=step), mlflow.end_run


LOGS: Mapping[str, Callable[[Path, Mapping[str, Any]], tuple[Write, Callable[[], None]]]] = {
    "none": _none,
    "tensorboard": _tensorboard,
    "wandb": _wandb,
    "mlflow": _mlflow,
}
"""By name; wandb is offline unless WANDB_MODE says otherwise, mlflow writes a file unless MLFLOW_TRACKING_URI is set."""
