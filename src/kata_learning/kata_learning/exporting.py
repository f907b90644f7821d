# SPDX-License-Identifier: Apache-2.0
"""Training run → ``policy.onnx`` that describes itself, written only if it computes what torch does."""

import contextlib
import io
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import torch
from numpy.typing import NDArray

from kata_core.atomic import new_file
from kata_core.errors import ContractError, DataError
from kata_core.policy import CONTRACT_KEY, PolicyContract
from kata_learning.dataset import Dataset, Statistics
from kata_learning.monitoring import MonitorConfig, make_monitor
from kata_learning.network import ChunkPolicy
from kata_learning.run_folder import Run

__all__ = ["PARITY_TOLERANCE", "export_policy", "make_contract"]

PARITY_TOLERANCE = 1e-5
"""Largest difference allowed between ONNX Runtime and torch [rad]; float32 gives about 1e-6."""

_SAMPLES = 512
"""Recorded observations that parity is checked on, spread over the dataset."""


def export_policy(run: Run, dataset: Dataset, path: Path, monitor: MonitorConfig | None = None) -> tuple[PolicyContract, float]:
    """Write a policy file whole, or not at all.

    Args:
        run: The training run.
        dataset: The dataset that it was trained on.
        path: File to write.
        monitor: How its monitor is calibrated; None for the defaults.

    Returns:
        The contract inside the file, and the largest difference from torch on recorded observations [rad].

    Raises:
        DataError: The dataset is another one than the run's, or too small to calibrate the monitor.
        ContractError: ONNX Runtime computes something else than torch.
    """
    if dataset.manifest.hash != run.data_hash:
        what = f"dataset {dataset.manifest.hash[:16]} is not the run's, {run.data_hash[:16]}"
        raise DataError(what, where=str(path), fix="give the dataset of the training with --data, or train again")
    contract = make_contract(run, dataset, monitor or MonitorConfig())
    model = _to_onnx(run.network)
    entry = model.metadata_props.add()
    entry.key, entry.value = CONTRACT_KEY, contract.to_json()
    onnx.checker.check_model(model, full_check=True)
    difference = parity(model.SerializeToString(), run.network, _recorded(dataset))
    if not difference <= PARITY_TOLERANCE:
        what = f"ONNX differs from torch by {difference:.1e} rad, allowed {PARITY_TOLERANCE:.0e}"
        raise ContractError(what, where=str(path), fix="nothing was written; train again, or report this")
    with new_file(path) as partial:
        partial.write_bytes(model.SerializeToString())
    return contract, difference


def make_contract(run: Run, dataset: Dataset, monitor: MonitorConfig) -> PolicyContract:
    """Return what the policy promises."""
    about, spec = dataset.manifest, run.network.spec
    return PolicyContract(
        robot=about.robot,
        task=about.task,
        joint_names=spec.joint_names,
        terms=spec.terms,
        rate=about.rate,
        horizon=spec.horizon,
        action_kind="joint_position",
        normalisation={name: _mean_std(statistics) for name, statistics in about.statistics.items()},
        stiffness=about.stiffness,
        damping=about.damping,
        data_hash=about.hash,
        commit=run.commit,
        monitor=make_monitor(dataset, run.network, monitor),
    )


def parity(model: bytes, network: ChunkPolicy, observations: Mapping[str, NDArray[np.float32]]) -> float:
    """Return the largest difference of ONNX Runtime from torch [rad]; NaN if either is not finite.

    Args:
        model: Serialised ONNX model.
        network: The network that it was made of.
        observations: By term, shape (N, *shape).
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    theirs = session.run(["action"], dict(observations))[0]
    with torch.no_grad():
        ours = network(*(torch.from_numpy(observations[term.name]) for term in network.spec.terms)).numpy()
    return float(np.abs(theirs - ours).max()) if np.isfinite(theirs).all() and np.isfinite(ours).all() else float("nan")


def _to_onnx(network: ChunkPolicy) -> Any:
    """Trace the network with torch's dynamo exporter; the batch is dynamic."""
    examples = tuple(torch.zeros(2, *term.shape) for term in network.spec.terms)
    batch = torch.export.Dim("batch", min=1)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network.eval(),
            examples,
            dynamo=True,
            input_names=[term.name for term in network.spec.terms],
            output_names=["action"],
            dynamic_shapes=(tuple({0: batch} for _ in examples),),
        )
    if program is None:
        raise RuntimeError("torch.onnx.export gave no program")
    return program.model_proto


def _recorded(dataset: Dataset) -> dict[str, NDArray[np.float32]]:
    rows = np.unique(np.linspace(0, len(dataset) - 1, _SAMPLES).astype(int))
    return {name: np.ascontiguousarray(values[rows]) for name, values in dataset.observation.items()}


def _mean_std(statistics: Statistics) -> dict[str, list[float]]:
    return {"mean": list(statistics.mean), "std": list(statistics.std)}
