# SPDX-License-Identifier: Apache-2.0
"""Smaller weights: a policy's graph in int8, and how far that is off on held-out observations.

Weights take 7 bits by output channel, because the integer products of processors without VNNI saturate with 8. Static
quantisation also fixes the ranges of what flows through the graph, from the one half of the held-out observations; the
error is measured on the other half.
"""

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from kata_learning.export.onnx_graph import Inputs, onnx_answers
from kata_model.errors import DataError
from kata_policy import Quantisation

__all__ = ["METHODS", "quantise"]

METHODS = ("dynamic", "static")

_MULTIPLYING = {"dynamic": ["MatMul", "Gemm"], "static": ["MatMul", "Gemm", "Conv"]}
"""Operators whose weights are made smaller: where the time goes."""


def quantise(model: Any, method: str, calibration: Inputs, held_out: Inputs) -> tuple[Any, Quantisation]:
    """Return a graph in int8 and what that costs.

    Args:
        model: The float32 graph.
        method: Of `METHODS`.
        calibration: Observations from which static quantisation takes its ranges.
        held_out: Others, on which the error is measured.

    Raises:
        DataError: The int8 graph gives what is not finite.
    """
    with tempfile.TemporaryDirectory(prefix="kata-int8-") as folder:
        source, target = Path(folder, "float32.onnx"), Path(folder, "int8.onnx")
        onnx.save(model, source)
        _write(method, source, target, calibration)
        smaller = onnx.load(target)
    ours, theirs = onnx_answers(model.SerializeToString(), held_out), onnx_answers(smaller.SerializeToString(), held_out)
    error = np.abs(theirs - ours)
    if not np.isfinite(error).all():
        raise DataError(f"the {method} int8 graph gives what is not finite", fix="export without --int8")
    return smaller, Quantisation(method, float(error.max()), float(error.mean()), len(ours))


def _write(method: str, source: Path, target: Path, calibration: Inputs) -> None:
    logging.getLogger().addFilter(_quiet)
    try:
        prepared = source.with_name("prepared.onnx")
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        if method == "dynamic":
            operators = _MULTIPLYING[method]
            quantize_dynamic(
                prepared, target, op_types_to_quantize=operators, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8
            )
        else:
            _write_static(prepared, target, calibration)
    finally:
        logging.getLogger().removeFilter(_quiet)


def _write_static(prepared: Path, target: Path, calibration: Inputs) -> None:
    quantize_static(
        str(prepared),
        str(target),
        _Reader(calibration),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=_MULTIPLYING["static"],
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )


def _quiet(record: logging.LogRecord) -> bool:
    """Drop the quantiser's advice, which it writes to the root logger."""
    return record.levelno >= logging.ERROR


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    """Hands out observations one at a time."""

    def __init__(self, inputs: Inputs) -> None:
        """Start with the first one."""
        self._rows = _rows(inputs)

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        """Return the next observation, shape (1, *shape) by input, or None after the last."""
        return next(self._rows, None)


def _rows(inputs: Inputs) -> Iterator[dict[str, NDArray[Any]]]:
    for i in range(len(next(iter(inputs.values())))):
        yield {name: np.ascontiguousarray(values[i : i + 1]) for name, values in inputs.items()}
