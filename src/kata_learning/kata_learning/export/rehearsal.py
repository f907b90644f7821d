# SPDX-License-Identifier: Apache-2.0
"""A policy's own attempts, watched: what it sees and answers on its way, for its monitor to know."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from kata_data.bags.bag_pool import open_pool
from kata_learning.evaluation.arena import Arena
from kata_model.arrays import FloatArray
from kata_model.errors import KataError
from kata_model.robot import RobotModel
from kata_policy.monitor import flatten
from kata_policy.onnx_policy import OnnxPolicy

__all__ = ["Rehearsal", "rehearse"]

_SEED = 700_000
"""Attempts begin from here: not those by which the policy is chosen or measured."""


@dataclass(frozen=True, slots=True, eq=False)
class Rehearsal:
    """One attempt of a policy that nothing stopped.

    Attributes:
        seen: What it saw whenever it was asked, as `flatten` gives it, shape (T, d).
        answers: Its chunks, shape (T, horizon, k), [rad].
    """

    seen: FloatArray
    answers: FloatArray


class _Witness(OnnxPolicy):
    """A policy that remembers an episode."""

    def reset(self, seed: int = 0) -> None:
        super().reset(seed)
        self.seen: list[FloatArray] = []
        self.answers: list[FloatArray] = []

    def act(self, observation: Mapping[str, NDArray[Any]]) -> FloatArray:
        about, chunk = self.contract, super().act(observation)
        present = {name: values[-1] for name, values in observation.items()} if about.history > 1 else observation
        self.seen.append(flatten(present, [term.name for term in about.terms], [camera.input for camera in about.cameras]))
        self.answers.append(chunk)
        return chunk


def rehearse(path: Path, robot: RobotModel, task: str, attempts: int, jobs: int = 1) -> list[Rehearsal]:
    """Let a policy attempt its task; in every second attempt inference takes a step, as on a busy machine.

    Args:
        path: A policy's file without a monitor: nothing may stop it.
        robot: The robot.
        task: Name of the task.
        attempts: How many.
        jobs: Attempts at a time, each in a process; the result is that of one after another.

    Raises:
        ContractError: The file is no policy of the robot.
        ConfigError: The task is not simulated, or does not show what the policy observes.
    """
    Arena(robot, OnnxPolicy.load(path, robot), task).close()
    found: dict[int, Rehearsal] = {}
    with open_pool(robot, jobs, attempts) as pool:
        for number, outcome in pool.run(_rehearse_once, [(path, task, i) for i in range(attempts)]):
            if isinstance(outcome, KataError):
                raise outcome
            found[number] = outcome
    while _arenas:
        _arenas.popitem()[1][0].close()
    return [found[number] for number in sorted(found)]


_arenas: dict[tuple[Path, str], tuple[Arena, _Witness]] = {}
"""The scene of a process that rehearses; the policy's file may be another one the next time."""


def _rehearse_once(robot: RobotModel, path: Path, task: str, number: int) -> Rehearsal:
    if (path, task) not in _arenas:
        witness = cast(_Witness, _Witness.load(path, robot))
        _arenas[path, task] = Arena(robot, witness, task), witness
    arena, witness = _arenas[path, task]
    arena.attempt(_SEED + number, delay=number % 2)
    return Rehearsal(np.array(witness.seen), np.array(witness.answers))
