# SPDX-License-Identifier: Apache-2.0
"""What training draws from: windows of one split, numbers in memory, pictures as they are needed."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kata_data.dataset import Dataset
from kata_data.dataset.loader import WindowLoader, WindowSpec
from kata_learning.augmentation.disturbance import Disturbance
from kata_learning.policies.interface import Batch
from kata_learning.policies.spec import PolicySpec

__all__ = ["Samples"]


class Samples:
    """The windows of one split, N of them.

    Attributes:
        slopes: Whether the dataset knows how its terms change with the joints.
    """

    def __init__(self, dataset: Dataset, split: str, spec: PolicySpec) -> None:
        """Take a split.

        Raises:
            DataError: It is empty.
        """
        cameras = tuple(camera.name for camera in spec.cameras)
        self._loader = WindowLoader(dataset, split, WindowSpec(spec.history, spec.horizon, cameras))
        self._spec, self.slopes = spec, bool(dataset.sensitivity)
        self._terms = {term.name: _tensor(dataset.observation[term.name]) for term in spec.terms}
        slopes = {name: dataset.sensitivity[name] for name in self._terms} if self.slopes else {}
        self._slopes = {name: _tensor(values) for name, values in slopes.items() if values.any()}
        self._action = _tensor(dataset.action)
        around = self._loader.around(self._loader.steps)
        self._past, self._ahead, self._valid = map(_tensor, (around.past, around.ahead, around.valid))

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self._loader)

    def numbers(self, rows: Tensor, disturbance: Disturbance | None = None, generator: torch.Generator | None = None) -> Batch:
        """Return windows without their pictures, disturbed if that is asked for.

        Args:
            rows: Which, shape (B,).
            disturbance: How they are disturbed.
            generator: Source of chance for that.
        """
        past, chunk = self._past[rows], self._action[self._ahead[rows]]
        terms = {name: values[past] for name, values in self._terms.items()}
        if disturbance is not None and generator is not None:
            slopes = {name: values[past] for name, values in self._slopes.items()}
            terms, chunk = disturbance.apply(terms, slopes, chunk, generator)
        return Batch(tuple(terms.values()), (), chunk, self._valid[rows])

    def pictures(self, parts: Sequence[Tensor]) -> Iterator[tuple[Tensor, ...]]:
        """Yield the pictures of some windows, part by part; the next part is gathered in a thread meanwhile.

        Args:
            parts: Rows of each part, shape (B,) each.

        Yields:
            By camera, shape (B, history, height, width, 3), uint8; nothing by part for a policy without cameras.
        """
        if not self._spec.cameras:
            yield from (() for _ in parts)
            return
        with ThreadPoolExecutor(1, thread_name_prefix="pictures") as pool:
            pending = [pool.submit(self._gather, part) for part in parts[:1]]
            for i in range(len(parts)):
                pending += [pool.submit(self._gather, part) for part in parts[i + 1 : i + 2]]
                yield pending.pop(0).result()

    def _gather(self, rows: Tensor) -> tuple[Tensor, ...]:
        gathered = self._loader.pictures(self._loader.steps[rows.numpy()])
        return tuple(torch.from_numpy(gathered[camera.name]) for camera in self._spec.cameras)


def _tensor(values: NDArray[np.generic]) -> Tensor:
    return torch.from_numpy(np.array(values))  # a copy: what was loaded may be read-only
