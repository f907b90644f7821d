# SPDX-License-Identifier: Apache-2.0
"""Cross-validation: each episode is held out once."""

import dataclasses
import hashlib
from pathlib import Path

from kata_data.dataset import Dataset
from kata_data.dataset.assemble import assemble, episodes_of
from kata_model.errors import DataError

__all__ = ["fold_of"]


def fold_of(dataset: Dataset, number: int, folds: int, seed: int = 0) -> Dataset:
    """Return a dataset in which one fold of the episodes is for validation and all others are for training.

    Episodes are dealt out by a hash of their names, so that the order of recording does not matter; statistics are
    those of the new training episodes.

    Args:
        dataset: The episodes; their own split is not looked at.
        number: Which fold is held out, from 0.
        folds: How many there are.
        seed: Another seed, other folds.

    Raises:
        DataError: There are fewer episodes than folds, or fewer than two folds.
    """
    shown = episodes_of(dataset)
    if not 2 <= folds <= len(shown):
        raise DataError(f"{len(shown)} episodes cannot make {folds} folds", fix=f"give --folds from 2 to {len(shown)}")
    names = [hashlib.sha256(f"{seed} {Path(steps.entry.bag).name} {i}".encode()).digest() for i, steps in enumerate(shown)]
    order = sorted(range(len(shown)), key=names.__getitem__)
    held_out = set(order[number::folds])
    placed = [
        dataclasses.replace(steps, entry=dataclasses.replace(steps.entry, split="validation" if i in held_out else "train"))
        for i, steps in enumerate(shown)
    ]
    fold = assemble(dataset.manifest, placed, dataset.folder if dataset.manifest.cameras else None)
    return dataclasses.replace(fold, manifest=dataclasses.replace(fold.manifest, hash=dataset.manifest.hash))
