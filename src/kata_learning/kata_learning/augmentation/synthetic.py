# SPDX-License-Identifier: Apache-2.0
"""Synthetic demonstrations: shown ones, done again in other scenes, kept where they succeed (as MimicGen, Mandlekar 2023)."""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from kata_data.dataset import Dataset
from kata_data.dataset.assemble import Steps, assemble, episodes_of
from kata_learning.augmentation.demonstrated_skill import REPEATED, DemonstratedSkill, read_shown
from kata_learning.augmentation.in_memory_recorder import Expert, InMemoryRecorder
from kata_model.errors import DataError
from kata_model.robot import RobotModel
from kata_safety import SafetyConfig
from kata_sim import Simulation, run_rollout
from kata_teleop.scripted import PersonConfig, ScriptedPerson

__all__ = ["Synthetic", "synthesize"]

_TRIES = 10
"""Attempts for each episode that is wanted, at most."""


class Synthetic(NamedTuple):
    """Demonstrations that nobody gave.

    Attributes:
        dataset: Those that were shown, and the new ones, which are all for training.
        made: How many new ones there are.
        tried: Attempts that it took.
    """

    dataset: Dataset
    made: int
    tried: int


def synthesize(
    dataset: Dataset, robot: RobotModel, count: int, seed: int = 0, on_attempt: Callable[[bool], None] | None = None
) -> Synthetic:
    """Return a dataset with synthetic demonstrations beside those that were shown.

    The palms' paths are carried along by the objects, the inverse kinematics is solved anew by the retargeting that people
    use, and the motion goes through the safety filter into the simulated robot.

    Args:
        dataset: What was shown, without pictures.
        robot: The robot.
        count: How many new episodes.
        seed: Of scenes and of which demonstration is done again.
        on_attempt: Called with the success of each attempt.

    Raises:
        DataError: The task cannot be done again, an object is not observed, or too few attempts succeed.
    """
    about = dataset.manifest
    if about.task not in REPEATED or about.cameras:
        what = f"pictures of {', '.join(about.cameras)} cannot be made up" if about.cameras else f"no replay of {about.task!r}"
        raise DataError(what, fix=f"tasks: {', '.join(REPEATED)}; datasets without cameras")
    shown = episodes_of(dataset)
    trained = [steps for steps in shown if steps.entry.split == "train"]
    rng, tried = np.random.default_rng(seed), 0
    made: list[Steps] = []
    simulation = Simulation(robot, task=about.task)
    try:
        while len(made) < count and tried < _TRIES * count:
            source = trained[int(rng.integers(len(trained)))]
            steps = _again(simulation, dataset, source, [seed, tried])
            tried += 1
            made += [] if steps is None else [steps]
            if on_attempt is not None:
                on_attempt(steps is not None)
    finally:
        simulation.close()
    if len(made) < count:
        raise DataError(f"{len(made)} of {tried} replays succeeded, {count} are wanted", fix="ask for fewer")
    joined = assemble(about, [*shown, *made], None)
    return Synthetic(dataclasses.replace(joined, folder=dataset.folder), len(made), tried)


def _again(simulation: Simulation, dataset: Dataset, source: Steps, seed: list[int]) -> Steps | None:
    """Do a demonstration again in the scene of a seed; None if it fails there."""
    about, robot, names = dataset.manifest, simulation.robot, REPEATED[dataset.manifest.task]
    try:
        replay = DemonstratedSkill(read_shown(source, about, robot, names), names)
    except KeyError as error:
        raise DataError(f"the dataset does not observe {error}", fix="build it with the task's own terms") from error
    still = PersonConfig(reaction=0.0, spread=0.0, tremor=0.0, noise=0.0)
    operator = ScriptedPerson(replay, still, np.random.default_rng(seed))
    recorder = InMemoryRecorder(robot, Expert(robot, operator), about)
    timeout = simulation.task.timeout if simulation.task else 0.0
    rollout = run_rollout(simulation, recorder, seed=seed, rate=SafetyConfig().rate, timeout=timeout)
    name = f"{source.entry.bag} again {seed[0]}.{seed[1]}"
    return recorder.steps(name, source.entry.task, success=True) if rollout.success else None
