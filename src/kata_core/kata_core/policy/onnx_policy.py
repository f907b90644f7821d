# SPDX-License-Identifier: Apache-2.0
"""Run a ``policy.onnx`` with ONNX Runtime; the only module that knows it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from kata_core.arrays import FloatArray
from kata_core.errors import ContractError
from kata_core.policy.contract import CONTRACT_KEY, PolicyContract
from kata_core.robot import RobotModel

__all__ = ["OnnxPolicy"]

_errors = ort.capi.onnxruntime_pybind11_state
_UNREADABLE = (_errors.Fail, _errors.InvalidArgument, _errors.InvalidGraph, _errors.InvalidProtobuf, _errors.NotImplemented)


class OnnxPolicy:
    """A policy file that fits a robot, ready to act."""

    def __init__(self, session: Any, contract: PolicyContract) -> None:
        """Wrap a session; use `load`."""
        self._session = session
        self.contract = contract

    @classmethod
    def load(cls, path: Path, robot: RobotModel, rate: float | None = None) -> "OnnxPolicy":
        """Load a file and hold it against the robot that should run it.

        Args:
            path: The ONNX file.
            robot: The robot.
            rate: Rate at which the policy will be asked [Hz]; None takes the policy's own.

        Raises:
            ContractError: The file cannot be read, has no contract, or does not fit the robot.
        """
        where = str(path)
        session = _session(path)
        text = session.get_modelmeta().custom_metadata_map.get(CONTRACT_KEY)
        if text is None:
            raise ContractError("ONNX file without a Kata contract", where=where, fix="export it with `kata export`")
        contract = PolicyContract.from_json(text, where=where)
        contract.check(robot, rate, where=where)
        graph = {i.name: tuple(i.shape[1:]) for i in session.get_inputs()}
        terms = {t.name: t.shape for t in contract.terms}
        if graph != terms:
            raise ContractError(f"graph takes {graph}, contract promises {terms}", where=where, fix="export the policy again")
        return cls(session, contract)

    def act(self, observation: Mapping[str, NDArray[np.float32]]) -> FloatArray:
        """Return a chunk of joint positions, shape (horizon, k), [rad], in the contract's joint order.

        Args:
            observation: Every term of the contract by name, float32.
        """
        feed = {term.name: observation[term.name][None] for term in self.contract.terms}
        chunk: FloatArray = self._session.run(["action"], feed)[0][0].astype(float)
        return chunk


def _session(path: Path) -> Any:
    if not path.is_file():
        raise ContractError("no such file", where=str(path), fix="make one with `kata export`")
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except (*_UNREADABLE, RuntimeError) as error:
        line = str(error).splitlines()[0]
        raise ContractError(f"not a readable ONNX file: {line}", where=str(path), fix="export the policy again") from error
