# SPDX-License-Identifier: Apache-2.0
"""Run a ``policy.onnx`` with ONNX Runtime; the only module that knows it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_model.errors import ContractError
from kata_model.robot import RobotModel
from kata_policy.contract import CONTRACT_KEY, PolicyContract
from kata_policy.observation import CameraSpec
from kata_policy.runtime import RuntimeConfig

__all__ = ["OnnxPolicy"]

_errors = ort.capi.onnxruntime_pybind11_state
_UNREADABLE = (_errors.Fail, _errors.InvalidArgument, _errors.InvalidGraph, _errors.InvalidProtobuf, _errors.NotImplemented)

_TYPES = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8}
_PROVIDERS = {
    "cpu": ["CPUExecutionProvider"],
    "cuda": ["CUDAExecutionProvider", "CPUExecutionProvider"],
    "tensorrt": ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"],
}


class OnnxPolicy:
    """A policy file, ready to act: its inputs and its answer stay in the same memory from call to call."""

    def __init__(self, session: Any, contract: PolicyContract) -> None:
        """Wrap a session; use `load` or `open`."""
        self.contract = contract
        self._session = session
        self._buffers = {name: np.zeros((1, *shape), dtype) for name, (shape, dtype) in contract.inputs.items()}
        self._noise = tuple(term.name for term in contract.noise)
        self._seen = {name: buffer[0] for name, buffer in self._buffers.items() if name not in self._noise}
        self._action = np.zeros((1, contract.horizon, len(contract.joint_names)), np.float32)
        self._binding = session.io_binding()
        for name, buffer in self._buffers.items():
            self._binding.bind_cpu_input(name, buffer)
        self._binding.bind_output("action", "cpu", 0, np.float32, self._action.shape, self._action.ctypes.data)
        self.reset()

    @classmethod
    def load(
        cls,
        path: Path,
        robot: RobotModel,
        rate: float | None = None,
        cameras: Sequence[CameraSpec] | None = None,
        runtime: RuntimeConfig | None = None,
    ) -> "OnnxPolicy":
        """Load a file and hold it against the robot that should run it.

        Args:
            path: The ONNX file.
            robot: The robot.
            rate: Rate at which the policy will be asked [Hz]; None takes the policy's own.
            cameras: Cameras that the robot has; None leaves them unchecked.
            runtime: What computes; None for one thread of the CPU.

        Raises:
            ContractError: The file cannot be read, has no contract, or does not fit the robot.
        """
        policy = cls.open(path, runtime)
        policy.contract.check(robot, rate, cameras, where=str(path))
        return policy

    @classmethod
    def open(cls, path: Path, runtime: RuntimeConfig | None = None) -> "OnnxPolicy":
        """Load a file without a robot, e.g. to look into it.

        Raises:
            ContractError: The file cannot be read, has no contract, or is not what that promises.
        """
        where = str(path)
        session = _session(path, runtime or RuntimeConfig())
        text = session.get_modelmeta().custom_metadata_map.get(CONTRACT_KEY)
        if text is None:
            raise ContractError("ONNX file without a Kata contract", where=where, fix="export it with `kata export`")
        contract = PolicyContract.from_json(text, where=where)
        graph = {i.name: (tuple(i.shape[1:]), _TYPES.get(i.type, i.type)) for i in session.get_inputs()}
        if graph != contract.inputs:
            what = f"graph takes {_shown(graph)}, contract promises {_shown(contract.inputs)}"
            raise ContractError(what, where=where, fix="export the policy again")
        return cls(session, contract)

    def reset(self, seed: int = 0) -> None:
        """Begin an episode: draw the noise that a policy may take; it stays until the next reset, so that chunks agree."""
        generator = np.random.default_rng(seed)
        for name in self._noise:
            self._buffers[name][:] = generator.standard_normal(self._buffers[name].shape, dtype=np.float32)

    def act(self, observation: Mapping[str, NDArray[Any]]) -> FloatArray:
        """Return a chunk of joint positions, shape (horizon, k), [rad], in the contract's joint order.

        Args:
            observation: Every term of the contract by name, float32, and pictures as ``camera.NAME``, uint8; with the
                history stacked before the shape where the contract has one longer than 1.

        Raises:
            ContractError: A shape is another than the contract's.
        """
        for name, buffer in self._seen.items():
            values = observation[name]
            if values.shape != buffer.shape:
                raise ContractError(f"{name} has shape {values.shape}, the policy takes {buffer.shape}")
            buffer[...] = values
        self._session.run_with_iobinding(self._binding)
        chunk: FloatArray = self._action[0].astype(float)
        return chunk


def _shown(inputs: Mapping[str, tuple[tuple[int, ...], Any]]) -> dict[str, str]:
    return {name: f"{shape} {getattr(dtype, '__name__', dtype)}" for name, (shape, dtype) in inputs.items()}


def _session(path: Path, runtime: RuntimeConfig) -> Any:
    if not path.is_file():
        raise ContractError("no such file", where=str(path), fix="make one with `kata export`")
    providers, available = _PROVIDERS[runtime.provider], ort.get_available_providers()
    if providers[0] not in available:
        what = f"this ONNX Runtime has no {providers[0]}, it has {', '.join(available)}"
        raise ContractError(what, where=str(path), fix="install onnxruntime-gpu (and TensorRT), or run on provider cpu")
    options = ort.SessionOptions()
    options.intra_op_num_threads = runtime.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(str(path), options, providers=providers)
    except (*_UNREADABLE, RuntimeError) as error:
        line = str(error).splitlines()[0]
        raise ContractError(f"not a readable ONNX file: {line}", where=str(path), fix="export the policy again") from error
