# SPDX-License-Identifier: Apache-2.0
"""How long a policy takes from an observation to a chunk."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kata_policy import PolicyContract
from kata_policy.onnx_policy import OnnxPolicy

__all__ = ["Latency", "likely_observations", "measure_latency"]

_WARM_UP = 0.1
"""Share of the calls that come before, uncounted."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Of one inference [s].

    Attributes:
        p50: Median.
        p99: 99th percentile.
        count: Inferences.
    """

    p50: float
    p99: float
    count: int


def measure_latency(policy: OnnxPolicy, count: int, seed: int = 0) -> Latency:
    """Measure a policy alone, one inference after the other, each with another observation.

    Args:
        policy: The policy.
        count: Inferences.
        seed: Of the observations.
    """
    seen = likely_observations(policy.contract, 16, np.random.default_rng(seed))
    for i in range(max(3, int(count * _WARM_UP))):
        policy.act(seen[i % len(seen)])
    taken = np.empty(count)
    for i in range(count):
        observation = seen[i % len(seen)]
        before = time.perf_counter()
        policy.act(observation)
        taken[i] = time.perf_counter() - before
    return Latency(float(np.quantile(taken, 0.5)), float(np.quantile(taken, 0.99)), count)


def likely_observations(contract: PolicyContract, count: int, generator: np.random.Generator) -> list[dict[str, NDArray[Any]]]:
    """Return observations spread as those that a policy was trained on, with pictures of noise."""
    return [_observation(contract, generator) for _ in range(count)]


def _observation(contract: PolicyContract, generator: np.random.Generator) -> dict[str, NDArray[Any]]:
    noise = {term.name for term in contract.noise}
    found: dict[str, NDArray[Any]] = {}
    for name, (shape, dtype) in contract.inputs.items():
        if dtype is np.uint8:
            found[name] = generator.integers(0, 256, shape, dtype=np.uint8)
        elif name not in noise:
            about = contract.normalisation.get(name, {"mean": [0.0], "std": [1.0]})
            ours = next(term.shape for term in contract.terms if term.name == name)
            mean, std = (np.broadcast_to(np.asarray(about[key]).reshape(-1), (int(np.prod(ours)),)) for key in ("mean", "std"))
            found[name] = (mean.reshape(ours) + std.reshape(ours) * generator.standard_normal(shape)).astype(np.float32)
    return found
