# SPDX-License-Identifier: Apache-2.0
"""Compare the passes of a training by what they are for: attempts at the task, in simulation."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from kata_data.dataset import Dataset
from kata_learning.evaluation.evaluation import EvaluationConfig, evaluate_file
from kata_learning.export.exporting import make_graph, write_graph
from kata_learning.policies.interface import Policy
from kata_learning.training.run_folder import About, Run
from kata_model.robot import RobotModel

__all__ = ["judge_of"]

_SEED = 500_000
"""Attempts begin from here: not those by which the finished policy is measured."""


def judge_of(about: About, dataset: Dataset, robot: RobotModel, jobs: int) -> Callable[[Policy], int]:
    """Return what exports a network as it would be deployed, and counts its successes.

    Args:
        about: The run.
        dataset: What it learns from.
        robot: The robot.
        jobs: Attempts at a time.
    """
    config = EvaluationConfig(rollouts=about.recipe.train.rollouts, seed=_SEED)

    def judge(network: Policy) -> int:
        run = Run(network, about.data, about.data_hash, about.commit)
        with tempfile.TemporaryDirectory(prefix="kata-judge-") as folder:
            path = Path(folder) / "policy.onnx"
            write_graph(make_graph(run, dataset, where=str(path)), path)  # passes are compared by what nothing stops
            return sum(evaluate_file(path, robot, about.task, config, jobs).successes)

    return judge
