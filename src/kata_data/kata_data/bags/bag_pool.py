# SPDX-License-Identifier: Apache-2.0
"""Work on many bags at a time: the same function for each, in processes of their own where that pays."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from kata_model.errors import KataError
from kata_model.process_pool import process_pool
from kata_model.robot import RobotModel, load_robot

__all__ = ["Pool", "open_pool"]

T = TypeVar("T")

Task = tuple[Callable[..., T], tuple[Any, ...]]


class Pool:
    """Runs tasks for one robot; a `KataError` is an outcome like any other."""

    def __init__(self, robot: RobotModel, executor: ProcessPoolExecutor | None) -> None:
        """Work for a robot, with processes or without."""
        self._robot, self._executor = robot, executor

    def run(self, function: Callable[..., T], tasks: Sequence[tuple[Any, ...]]) -> Iterator[tuple[int, T | KataError]]:
        """Call ``function(robot, *task)`` for each task; outcomes come as they are ready, each with its task's number.

        Args:
            function: Of a module, so that another process finds it.
            tasks: Arguments that can be pickled.
        """
        if self._executor is None:
            for i, task in enumerate(tasks):
                yield i, _attempt(function, self._robot, task)
            return
        folder = self._robot.description.folder
        pending = {self._executor.submit(_remote, function, folder, task): i for i, task in enumerate(tasks)}
        for future in as_completed(pending):
            yield pending[future], future.result()


@contextmanager
def open_pool(robot: RobotModel, jobs: int, tasks: int) -> Iterator[Pool]:
    """Give a pool of as many processes as pay for a number of tasks; with one there is no other process.

    Raises:
        DataError: A process was killed.
    """
    workers = min(jobs, tasks)
    if workers <= 1:
        yield Pool(robot, None)
        return
    with process_pool(workers) as executor:
        yield Pool(robot, executor)


@cache
def _load(folder: Path) -> RobotModel:
    import cv2

    cv2.setNumThreads(1)
    return load_robot(folder)


def _remote(function: Callable[..., T], folder: Path, task: tuple[Any, ...]) -> T | KataError:
    return _attempt(function, _load(folder), task)


def _attempt(function: Callable[..., T], robot: RobotModel, task: tuple[Any, ...]) -> T | KataError:
    try:
        return function(robot, *task)
    except KataError as error:
        return error
