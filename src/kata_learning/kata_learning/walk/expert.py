# SPDX-License-Identifier: Apache-2.0
"""Load a walking expert's ONNX file: its network, and what its metadata say."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as _errors

from kata_learning.walk.gait import ACTIONS, OBSERVATION, GaitFacts
from kata_model.errors import DataError

__all__ = ["Network", "load_expert"]

_UNREADABLE = (_errors.Fail, _errors.InvalidArgument, _errors.InvalidGraph, _errors.InvalidProtobuf, _errors.NotImplemented)

Network = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""From an observation, shape (100,), to an action, shape (29,)."""


def load_expert(path: Path) -> tuple[Network, GaitFacts]:
    """Return an expert's network and facts.

    Raises:
        DataError: The file is missing, or is no such expert.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
        entries = session.get_modelmeta().custom_metadata_map
        names = tuple(str(name) for name in json.loads(entries["dof_names"]))
        gains = [np.array(json.loads(entries[key]), dtype=float) for key in ("kp", "kd")]
    except (*_UNREADABLE, OSError, RuntimeError, KeyError, ValueError) as error:
        raise DataError(f"no walking expert: {' '.join(str(error).split())[:160]}", where=str(path)) from error
    (entry,), (exit_, *_) = session.get_inputs(), session.get_outputs()
    if entry.shape[-1] != OBSERVATION or exit_.shape[-1] != ACTIONS or any(len(gain) != len(names) for gain in gains):
        what = f"takes {entry.shape} and gives {exit_.shape}, not {OBSERVATION} and {ACTIONS} numbers"
        raise DataError(what, where=str(path), fix="name an expert such as fastsac_g1_29dof.onnx of holosoma-inference 0.1.3")

    def act(observation: NDArray[np.float32]) -> NDArray[np.float32]:
        action: NDArray[np.float32] = session.run([exit_.name], {entry.name: observation[None]})[0][0]
        return action

    return act, GaitFacts(names, *gains)
