# SPDX-License-Identifier: Apache-2.0
"""On what a policy is run."""

from dataclasses import dataclass

from kata_model.config.params import param

__all__ = ["RuntimeConfig"]


@dataclass(frozen=True)
class RuntimeConfig:
    """How ONNX Runtime runs a policy."""

    provider: str = param(
        "cpu",
        choices=("cpu", "cuda", "tensorrt"),
        doc="What computes; what a provider cannot do falls to the next: tensorrt, cuda, cpu.",
    )
    threads: int = param(1, low=1, high=256, doc="Threads of one inference; a second one makes small networks later, not sooner.")
