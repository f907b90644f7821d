# SPDX-License-Identifier: Apache-2.0
"""Bags, a dataset and a trained run, made once; each takes seconds."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from synthetic import SHORT, make_jpegs, simulate_reach, write_bag

from kata.cli import main
from kata_data.bags.bag_info import find_bags
from kata_data.building.build import DatasetConfig, build_dataset
from kata_data.dataset import Dataset, load_dataset, save_dataset
from kata_learning.export.exporting import export_policy
from kata_learning.export.monitoring import MonitorConfig
from kata_learning.training.run_folder import About, Run, load_run, save_run
from kata_learning.training.train import Trained, train_policy
from kata_model import RobotModel


@pytest.fixture(scope="session")
def bags(g1: RobotModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with six bags: five successes and a failure."""
    folder, rng = tmp_path_factory.mktemp("bags"), np.random.default_rng(0)
    for i in range(6):
        write_bag(folder / f"episode_{i:04d}", g1, simulate_reach(g1, rng, seconds=1.0), task_success=str(i != 3).lower())
    return folder


@pytest.fixture
def make_bag(g1: RobotModel, tmp_path: Path) -> Callable[..., Path]:
    """Return a maker of one short bag that a test may spoil."""

    def make(name: str = "episode_0000", **custom: str) -> Path:
        return write_bag(tmp_path / name, g1, simulate_reach(g1, np.random.default_rng(1), seconds=0.4), **custom)

    return make


@pytest.fixture(scope="session")
def dataset(bags: Path, g1: RobotModel) -> Dataset:
    return build_dataset(find_bags([bags]), g1, DatasetConfig())


@pytest.fixture(scope="session")
def saved(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the dataset."""
    folder = tmp_path_factory.mktemp("saved") / "dataset"
    save_dataset(dataset, folder)
    return folder


@pytest.fixture(scope="session")
def pictured_bags(g1: RobotModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with three short bags of two cameras, by two operators."""
    folder, rng = tmp_path_factory.mktemp("pictured_bags"), np.random.default_rng(3)
    for i, operator in enumerate(("anna", "ben", "anna")):
        pictures = {"head": make_jpegs(12, 64, 48, i), "wrist": make_jpegs(12, 32, 32, 5 + i)}
        reach = simulate_reach(g1, rng, seconds=0.6)
        labels = {"operator": operator, "quality": "AB"[i % 2]}
        write_bag(folder / f"episode_{i:04d}", g1, reach, pictures=pictures, **labels)
    return folder


@pytest.fixture(scope="session")
def pictured(pictured_bags: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a dataset with pictures, made by the command."""
    folder = tmp_path_factory.mktemp("pictured") / "dataset"
    assert main(["dataset", "build", str(pictured_bags), "--out", str(folder), "--jobs", "1"]) == 0
    return folder


@pytest.fixture(scope="session")
def trained(dataset: Dataset) -> Trained:
    return train_policy(dataset, SHORT)


@pytest.fixture(scope="session")
def run_path(trained: Trained, saved: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run that was trained on the saved dataset."""
    folder = tmp_path_factory.mktemp("run") / "run"
    save_run(trained, About(SHORT, saved, load_dataset(saved).manifest.hash, "test", "reach"), folder)
    return folder


@pytest.fixture(scope="session")
def run(run_path: Path) -> Run:
    return load_run(run_path)


@pytest.fixture(scope="session")
def policy_path(run: Run, saved: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run's ONNX file."""
    path = tmp_path_factory.mktemp("policy") / "policy.onnx"
    export_policy(run, load_dataset(saved), path, MonitorConfig(attempts=0))
    return path
