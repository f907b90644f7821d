# SPDX-License-Identifier: Apache-2.0
"""A training from dataset to run folder, as `kata train` does it: begun, watched, cut off, resumed."""

import functools
import statistics
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from kata_data.dataset import Dataset, load_dataset
from kata_learning.augmentation.episodes import more_episodes
from kata_learning.evaluation.interval import wilson
from kata_learning.evaluation.judging import judge_of
from kata_learning.training.folds import fold_of
from kata_learning.training.job import Job
from kata_learning.training.metrics_log import open_log
from kata_learning.training.process_group import join_group
from kata_learning.training.recipe import Recipe
from kata_learning.training.run_folder import MARKER, About, RunWriter, begin_run, finished, read_about
from kata_learning.training.train import EpochLoss, Trained, Watch, check_recipe, train_policy
from kata_model.atomic import check_free, new_file
from kata_model.errors import DataError
from kata_model.robot import load_robot
from kata_model.version import code_version

__all__ = ["resume_job", "start_job"]


def start_job(job: Job) -> int:
    """Train as a job says, and print what came of it.

    Raises:
        DataError: The data lack what the policy needs, the run's folder is taken, or the disk refuses.
        ConfigError: The policy cannot be shaped so.
    """
    check_free(job.out, MARKER, replace=job.replace)
    dataset = load_dataset(job.data)
    task = job.task or dataset.manifest.task
    if task != dataset.manifest.task:
        raise DataError(f"the dataset is of the task {dataset.manifest.task!r}, not {task!r}", where=str(job.data))
    varied = more_episodes(dataset, load_robot(dataset.manifest.robot), job.recipe.augment, job.recipe.train.seed)
    check_recipe(varied, job.recipe)
    if job.folds:
        return _cross_validate(job, dataset)
    about = About(job.recipe, job.data.resolve(), dataset.manifest.hash, code_version(), task)
    is_rank_0 = join_group(job.recipe.train.device).is_rank_0
    writer = begin_run(about, job.out, replace=job.replace) if is_rank_0 else RunWriter(job.out, 0.0)
    return _train(about, varied, writer, job, None)


def resume_job(folder: Path) -> int:
    """Finish a training that was cut off.

    Raises:
        DataError: The folder is no run, is finished, or its dataset is not what it was.
    """
    about = read_about(folder)
    if finished(folder):
        raise DataError("the training is finished already", where=str(folder), fix="export it with `kata export`")
    dataset = load_dataset(about.data)
    if dataset.manifest.hash != about.data_hash:
        what = f"dataset {dataset.manifest.hash[:16]} is not the run's, {about.data_hash[:16]}"
        raise DataError(what, where=str(about.data), fix="train anew")
    train = about.recipe.train
    writer = RunWriter(folder, train.save_every)
    varied = more_episodes(dataset, load_robot(dataset.manifest.robot), about.recipe.augment, train.seed)
    return _train(about, varied, writer, Job(about.data, folder), writer.checkpoint())


def _train(about: About, dataset: Dataset, writer: RunWriter, job: Job, start: Mapping[str, Any] | None) -> int:
    recipe = about.recipe
    judge = judge_of(about, dataset, load_robot(dataset.manifest.robot), job.jobs) if recipe.train.rollouts else None
    is_rank_0 = join_group(recipe.train.device).is_rank_0
    with _bar(recipe, is_rank_0) as bar, open_log(job.log if is_rank_0 else "none", writer.folder, recipe.to_mapping()) as log:
        bar.update(int(start["course"]["epoch"]) if start else 0)

        def show(loss: EpochLoss) -> None:
            bar.set_postfix(train=f"{loss.train:.4f}", validation=f"{loss.validation:.4f}", refresh=False)
            bar.update()
            log({name: float(value) for name, value in loss._asdict().items() if value is not None}, loss.epoch)

        trained = train_policy(dataset, recipe, Watch(show, writer.save, judge), start)
    if is_rank_0:
        writer.finish(trained)
        _tell(trained, recipe, writer.folder)
    return 0


def _tell(trained: Trained, recipe: Recipe, folder: Path) -> None:
    best = trained.losses[trained.best]
    tqdm.write(f"run       {folder}")
    tqdm.write(f"epochs    {len(trained.losses)}, kept epoch {best.epoch}")
    tqdm.write(f"loss      {best.train:.4f} train, {best.validation:.4f} validation")
    if best.successes is not None:
        low, high = wilson(best.successes, recipe.train.rollouts)
        tqdm.write(f"attempts  {best.successes} of {recipe.train.rollouts} succeeded (95 %: {low:.2f} to {high:.2f})")


def _cross_validate(job: Job, dataset: Dataset) -> int:
    """Train once for each fold, and write what each came to as a table."""
    recipe, is_rank_0 = job.recipe, join_group(job.recipe.train.device).is_rank_0
    robot = load_robot(dataset.manifest.robot)
    rows = []
    for number in range(job.folds):
        fold = more_episodes(fold_of(dataset, number, job.folds, recipe.train.seed), robot, recipe.augment, recipe.train.seed)
        with _bar(recipe, is_rank_0, f"fold {number + 1} of {job.folds}") as bar:
            trained = train_policy(fold, recipe, Watch(on_epoch=functools.partial(_advance, bar)))
        best = trained.losses[trained.best]
        rows.append((number, len(trained.losses), best.epoch, best.train, best.validation))
    losses = [row[-1] for row in rows]
    if is_rank_0:
        with new_file(job.out / "folds.csv") as partial:
            lines = ["fold,epochs,kept,train,validation", *(",".join(map(str, row)) for row in rows)]
            partial.write_text("\n".join(lines) + "\n")
        tqdm.write(f"folds     {job.out / 'folds.csv'}")
        tqdm.write(f"loss      {statistics.mean(losses):.4f} ± {statistics.stdev(losses):.4f} validation, {job.folds} folds")
    return 0


def _advance(bar: "tqdm[None]", loss: EpochLoss) -> None:
    bar.update()


@contextmanager
def _bar(recipe: Recipe, is_rank_0: bool, title: str = "training") -> Iterator["tqdm[None]"]:
    with tqdm(total=recipe.train.epochs, desc=title, unit="epoch", disable=None if is_rank_0 else True) as bar:
        yield bar
