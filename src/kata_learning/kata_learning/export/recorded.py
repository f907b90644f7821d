# SPDX-License-Identifier: Apache-2.0
"""Recorded observations as a policy's graph takes them: with history, pictures and noise."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kata_data.dataset import Dataset
from kata_data.dataset.loader import WindowLoader, WindowSpec
from kata_learning.policies.interface import Policy

__all__ = ["recorded_inputs", "spread"]


def recorded_inputs(
    dataset: Dataset, policy: Policy, steps: NDArray[np.intp], *, same_noise: bool = False
) -> dict[str, NDArray[Any]]:
    """Return what a policy would be given at some steps of a dataset, by input, shape (N, *shape).

    Args:
        dataset: Where it was recorded.
        policy: Whose inputs.
        steps: Indices into the dataset, shape (N,).
        same_noise: Whether a policy with noise gets the same at each step, as within an episode, or its own.
    """
    spec = policy.spec
    window = WindowSpec(spec.history, 1, tuple(camera.name for camera in spec.cameras))
    batch = WindowLoader(dataset, "train", window).batch(steps)
    seen: dict[str, NDArray[Any]] = {term.name: batch.observation[term.name] for term in spec.terms}
    seen |= {camera.input: batch.pictures[camera.name] for camera in spec.cameras}
    if not spec.window:
        seen = {name: values[:, 0] for name, values in seen.items()}
    generator = np.random.default_rng(0)
    for term in policy.noise:
        draws = generator.standard_normal((1 if same_noise else len(steps), *term.shape), dtype=np.float32)
        seen[term.name] = np.broadcast_to(draws, (len(steps), *term.shape)).copy()
    return seen


def spread(steps: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Return at most so many of some steps, spread evenly over them."""
    chosen: NDArray[np.intp] = steps[np.unique(np.linspace(0, len(steps) - 1, count).astype(int))]
    return chosen
