# SPDX-License-Identifier: Apache-2.0
"""A policy as an ONNX graph, and whether that computes what torch does."""

import contextlib
import io
import logging
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from onnx_ir.passes import common
from onnxscript import optimizer

from kata_learning.policies.interface import Policy
from kata_policy import CONTRACT_KEY, PolicyContract

__all__ = ["Inputs", "answers", "onnx_answers", "parity", "to_onnx", "with_contract"]

Inputs = Mapping[str, NDArray[Any]]
"""By name of a graph's input, shape (N, *shape)."""

_SLICE = 64
"""Observations that are computed at once: enough for speed, little enough for memory."""


def to_onnx(policy: Policy) -> Any:
    """Trace a policy with torch's dynamo exporter; the batch is dynamic.

    The unrolled steps of a sampler make tens of thousands of operations, on which the exporter's rewriting rules work for
    minutes; there constants are folded and what is double is joined, and the rest is left to ONNX Runtime.

    Args:
        policy: It is put into evaluation mode.
    """
    pictures = {camera.input for camera in policy.spec.cameras}
    examples = tuple(
        torch.zeros(2, *term.shape, dtype=torch.uint8 if term.name in pictures else torch.float32) for term in policy.inputs
    )
    batch = torch.export.Dim("batch", min=1)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    logging.getLogger("onnxscript").setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            policy.eval(),
            examples,
            dynamo=True,
            input_names=[term.name for term in policy.inputs],
            output_names=["action"],
            dynamic_shapes=(tuple({0: batch} for _ in examples),),
            optimize=not policy.noise,
        )
    if program is None:
        raise RuntimeError("torch.onnx.export gave no program")
    if policy.noise:
        _shorten(program.model)
    return program.model_proto


def _shorten(model: Any) -> None:
    """Fold a graph's constants and join what is double, in place."""
    common.InlinePass()(model)
    optimizer.fold_constants(model)
    passes = (
        common.RemoveUnusedNodesPass(),
        common.RemoveUnusedFunctionsPass(),  # type: ignore[no-untyped-call]
        common.RemoveUnusedOpsetsPass(),
        common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0),
        common.DeduplicateInitializersPass(),
        common.CommonSubexpressionEliminationPass(),
        common.OutputFixPass(),
        common.NameFixPass(),
    )
    ir.passes.Sequential(*passes)(model)


def with_contract(model: Any, contract: PolicyContract) -> bytes:
    """Return a model's bytes with a contract inside, in place of one that it may have."""
    for entry in [entry for entry in model.metadata_props if entry.key == CONTRACT_KEY]:
        model.metadata_props.remove(entry)
    entry = model.metadata_props.add()
    entry.key, entry.value = CONTRACT_KEY, contract.to_json()
    content: bytes = model.SerializeToString()
    return content


def answers(policy: Policy, inputs: Inputs) -> NDArray[np.float32]:
    """Return a policy's chunks, shape (N, horizon, k), [rad]."""
    with torch.inference_mode():
        parts = [policy(*(torch.from_numpy(part[term.name]) for term in policy.inputs)).numpy() for part in _slices(inputs)]
    return np.concatenate(parts)


def onnx_answers(model: bytes, inputs: Inputs) -> NDArray[np.float32]:
    """Return the chunks that ONNX Runtime computes from a model, shape (N, horizon, k), [rad]."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(["action"], dict(part))[0] for part in _slices(inputs)])


def parity(model: bytes, policy: Policy, inputs: Inputs) -> float:
    """Return the largest difference of ONNX Runtime from torch [rad]; NaN if either is not finite."""
    theirs, ours = onnx_answers(model, inputs), answers(policy, inputs)
    return float(np.abs(theirs - ours).max()) if np.isfinite(theirs).all() and np.isfinite(ours).all() else float("nan")


def _slices(inputs: Inputs) -> list[dict[str, NDArray[Any]]]:
    count = len(next(iter(inputs.values())))
    return [
        {name: np.ascontiguousarray(values[i : i + _SLICE]) for name, values in inputs.items()} for i in range(0, count, _SLICE)
    ]
