# SPDX-License-Identifier: Apache-2.0
"""The loader as torch knows it: an iterable of dictionaries of tensors, batched already."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from kata_data.dataset.loader import WindowLoader, Windows, seeded

__all__ = ["TorchWindows"]


class TorchWindows(IterableDataset[dict[str, Tensor]]):
    """Yields the batches of one pass over a split; each pass has another order.

    Give it to ``DataLoader(windows, batch_size=None)``, or iterate over it: the gathering runs in a thread of its
    own already, so more workers pay only where the pictures come from a slow disk. With N workers each takes
    every Nth batch.

    Tensors: each term by its name, shape (B, history, *shape); ``camera.NAME``, shape (B, history, height, width,
    3), uint8; ``action``, shape (B, horizon, k), [rad]; ``past``, ``valid``.
    """

    def __init__(self, loader: WindowLoader, size: int, seed: int = 0) -> None:
        """Draw batches of a size from a loader."""
        super().__init__()
        self._loader, self._size, self._seed, self._epoch = loader, size, seed, 0

    def __len__(self) -> int:
        """Return the number of batches in a pass."""
        return -(-len(self._loader) // self._size)

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        """Yield the batches of the next pass."""
        generator = seeded(self._seed, self._epoch)
        self._epoch += 1
        worker = get_worker_info()
        number, of = (worker.id, worker.num_workers) if worker else (0, 1)
        for i, batch in enumerate(self._loader.epoch(self._size, generator)):
            if i % of == number:
                yield _tensors(batch)


def _tensors(batch: Windows) -> dict[str, Tensor]:
    pictures = {f"camera.{camera}": torch.from_numpy(values) for camera, values in batch.pictures.items()}
    terms = {term: torch.from_numpy(values) for term, values in batch.observation.items()}
    others = {"action": batch.action, "past": batch.past, "valid": batch.valid}
    return {**terms, **pictures, **{name: torch.from_numpy(values) for name, values in others.items()}}
