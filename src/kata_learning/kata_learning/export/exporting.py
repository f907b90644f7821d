# SPDX-License-Identifier: Apache-2.0
"""Training run → ``policy.onnx`` that describes itself, written only if it computes what torch does."""

import logging
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from kata_data.dataset import Dataset, Statistics
from kata_learning.export.monitoring import MonitorConfig, make_monitor
from kata_learning.export.onnx_graph import parity, to_onnx, with_contract
from kata_learning.export.quantising import quantise
from kata_learning.export.recorded import recorded_inputs, spread
from kata_learning.export.rehearsal import Rehearsal, rehearse
from kata_learning.policies.registry import kind_of
from kata_learning.training.run_folder import Run
from kata_model.atomic import new_file
from kata_model.errors import ConfigError, ContractError, DataError
from kata_model.robot import load_robot
from kata_policy import ExecutionConfig, PolicyContract

__all__ = [
    "PARITY_TOLERANCE",
    "Graph",
    "export_policy",
    "make_contract",
    "make_graph",
    "make_int8",
    "with_monitor",
    "write_graph",
]

_logger = logging.getLogger(__name__)

PARITY_TOLERANCE = 1e-5
"""Largest difference allowed between ONNX Runtime and torch [rad]; float32 gives about 1e-6."""

_SAMPLES = 256
"""Recorded observations that parity and int8 are checked on, spread over the dataset."""


@dataclass(frozen=True, eq=False)
class Graph:
    """A policy ready to be written.

    Attributes:
        model: The ONNX model, without contract.
        contract: What it promises.
        difference: Largest difference from torch on recorded observations, of the float32 graph [rad].
    """

    model: Any
    contract: PolicyContract
    difference: float


def export_policy(
    run: Run, dataset: Dataset, path: Path, monitor: MonitorConfig | None = None, jobs: int = 1
) -> tuple[PolicyContract, float]:
    """Write a policy file whole, or not at all.

    Args:
        run: The training run.
        dataset: The dataset that it was trained on.
        path: File to write.
        monitor: How its monitor is calibrated; None for the defaults.
        jobs: Attempts at a time, by which it is.

    Returns:
        The contract inside the file, and the largest difference from torch on recorded observations [rad].

    Raises:
        DataError: The dataset is another one than the run's, or too small to calibrate the monitor.
        ContractError: ONNX Runtime computes something else than torch.
    """
    graph = with_monitor(make_graph(run, dataset, where=str(path)), run, dataset, monitor or MonitorConfig(), jobs)
    write_graph(graph, path)
    return graph.contract, graph.difference


def make_graph(run: Run, dataset: Dataset, execution: ExecutionConfig | None = None, *, where: str = "") -> Graph:
    """Return a run's policy in float32, without a monitor.

    Args:
        run: The training run.
        dataset: The dataset that it was trained on.
        execution: How its chunks are meant to be carried out; None for the defaults.
        where: The file that it is for, for messages.

    Raises:
        DataError: The dataset is another one than the run's.
        ContractError: ONNX Runtime computes something else than torch.
    """
    if dataset.manifest.hash != run.data_hash:
        what = f"dataset {dataset.manifest.hash[:16]} is not the run's, {run.data_hash[:16]}"
        raise DataError(what, where=where, fix="give the dataset of the training with --data, or train again")
    contract = make_contract(run, dataset, execution or ExecutionConfig())
    model = to_onnx(run.network)
    onnx.checker.check_model(model, full_check=True)
    recorded = recorded_inputs(dataset, run.network, spread(np.arange(len(dataset)), _SAMPLES))
    difference = parity(model.SerializeToString(), run.network, recorded)
    if not difference <= PARITY_TOLERANCE:
        what = f"ONNX differs from torch by {difference:.1e} rad, allowed {PARITY_TOLERANCE:.0e}"
        raise ContractError(what, where=where, fix="nothing was written; train again, or report this")
    return Graph(model, contract, difference)


def with_monitor(graph: Graph, run: Run, dataset: Dataset, config: MonitorConfig, jobs: int = 1) -> Graph:
    """Return a policy with a monitor, calibrated on its own attempts where its task is simulated.

    Args:
        graph: The policy as it will be written.
        run: Where it came from.
        dataset: The dataset of the training.
        config: How the monitor is calibrated.
        jobs: Attempts at a time.

    Raises:
        DataError: There are too few episodes to calibrate on.
    """
    contract = graph.contract
    monitor = make_monitor(dataset, run.network, config, _rehearsals(graph, config.attempts, jobs), contract.execution)
    return replace(graph, contract=replace(contract, monitor=monitor))


def _rehearsals(graph: Graph, attempts: int, jobs: int) -> list[Rehearsal]:
    if not attempts:
        return []
    with tempfile.TemporaryDirectory(prefix="kata-rehearse-") as folder:
        path = Path(folder) / "policy.onnx"
        write_graph(graph, path)
        try:
            return rehearse(path, load_robot(graph.contract.robot), graph.contract.task, attempts, jobs)
        except ConfigError as error:
            _logger.warning("the monitor knows demonstrations alone, and will warn and hold too often: %s", error)
            return []


def make_int8(graph: Graph, run: Run, dataset: Dataset, method: str) -> Graph:
    """Return a policy in int8, calibrated on episodes that were held out of training.

    Args:
        graph: In float32.
        run: Where it came from.
        dataset: The dataset of the training.
        method: ``dynamic`` or ``static``.

    Raises:
        DataError: The int8 graph gives what is not finite.
    """
    steps = spread(held_out(dataset), 2 * _SAMPLES)
    calibration, others = (recorded_inputs(dataset, run.network, steps[i::2]) for i in (0, 1))
    model, cost = quantise(graph.model, method, calibration, others)
    return Graph(model, replace(graph.contract, quantisation=cost), graph.difference)


def write_graph(graph: Graph, path: Path) -> None:
    """Write a policy file whole, or not at all."""
    with new_file(path) as partial:
        partial.write_bytes(with_contract(graph.model, graph.contract))


def held_out(dataset: Dataset) -> NDArray[np.intp]:
    """Return the steps that were not trained on, or all where there are none."""
    steps = dataset.steps("validation")
    return steps if len(steps) > 1 else np.arange(len(dataset))


def make_contract(run: Run, dataset: Dataset, execution: ExecutionConfig) -> PolicyContract:
    """Return what the policy promises, still without a monitor."""
    about, policy = dataset.manifest, run.network
    seen = {term.name for term in policy.spec.terms}
    return PolicyContract(
        robot=about.robot,
        task=about.task,
        joint_names=policy.spec.joint_names,
        terms=policy.spec.terms,
        rate=about.rate,
        horizon=policy.spec.horizon,
        action_kind="joint_position",
        normalisation={name: _mean_std(values) for name, values in about.statistics.items() if name in seen | {"action"}},
        stiffness=about.stiffness,
        damping=about.damping,
        data_hash=about.hash,
        commit=run.commit,
        kind=kind_of(policy),
        history=policy.spec.history,
        cameras=policy.spec.cameras,
        noise=policy.noise,
        execution=execution,
    )


def _mean_std(statistics: Statistics) -> dict[str, list[float]]:
    return {"mean": list(statistics.mean), "std": list(statistics.std)}
