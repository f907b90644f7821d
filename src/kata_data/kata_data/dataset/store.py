# SPDX-License-Identifier: Apache-2.0
"""A dataset in memory and its folder: steps in one Parquet file, pictures memory-mapped, a manifest beside them."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kata_data.dataset.frames import FrameStore, link_frames
from kata_data.dataset.manifest import MARKER, EpisodeEntry, Manifest, from_json, to_json
from kata_data.dataset.table import read_table, write_table
from kata_model.atomic import new_folder
from kata_model.errors import DataError

__all__ = ["Dataset", "content_hash", "load_dataset", "save_dataset", "write_dataset"]

STEPS = "steps.parquet"

FloatArray32 = NDArray[np.float32]


def _none() -> NDArray[np.bool_]:
    return np.zeros(0, dtype=bool)


@dataclass(frozen=True, slots=True)
class Dataset:
    """Aligned steps; T steps over all episodes, in order.

    Attributes:
        manifest: What it holds.
        observation: By term, shape (T, *shape), float32.
        sensitivity: By term, its derivative by the policy's joints, shape (T, *shape, k), float32; without any
            where the data came from elsewhere.
        action: Joint positions really sent, shape (T, k), [rad], float32.
        stamp: Instant of the step, shape (T,), [ns].
        state_stamp: When the joints that are shown were measured, shape (T,), [ns].
        episode: Index into manifest.episodes, shape (T,).
        tick: Step number within the episode before any was dropped, shape (T,); a gap shows drops.
        frame: By camera, the step's picture as index into the episode's pictures, shape (T,).
        frame_stamp: By camera, when that picture was taken, shape (T,), [ns].
        intervention: Whether a human acted in the policy's place, shape (T,).
        folder: Where the pictures are; None without cameras.
    """

    manifest: Manifest
    observation: Mapping[str, FloatArray32]
    sensitivity: Mapping[str, FloatArray32]
    action: FloatArray32
    stamp: NDArray[np.int64]
    state_stamp: NDArray[np.int64]
    episode: NDArray[np.int32]
    tick: NDArray[np.int32]
    frame: Mapping[str, NDArray[np.int32]] = field(default_factory=dict)
    frame_stamp: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    intervention: NDArray[np.bool_] = field(default_factory=_none)
    folder: Path | None = None

    def __post_init__(self) -> None:
        """Take a data set without interventions as one in which nobody intervened."""
        if len(self.intervention) != len(self.action):
            object.__setattr__(self, "intervention", np.zeros(len(self.action), dtype=bool))

    def __len__(self) -> int:
        """Return the number of steps."""
        return len(self.action)

    def steps(self, split: str) -> NDArray[np.intp]:
        """Return the indices of all steps of a split."""
        chosen = [i for i, entry in enumerate(self.manifest.episodes) if entry.split == split]
        return np.flatnonzero(np.isin(self.episode, chosen))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all arrays by the name of their column; interventions only where there are some."""
        parts: dict[str, Mapping[str, NDArray[Any]]] = {part: getattr(self, part) for part in _PARTS}
        named = {_column(part, name): values for part, of in parts.items() for name, values in of.items()}
        human = {"intervention": self.intervention} if self.intervention.any() else {}
        return {**named, **{name: getattr(self, name) for name in _PLAIN}, **human}

    def frames(self) -> FrameStore:
        """Return the pictures.

        Raises:
            DataError: The dataset has no cameras.
        """
        if self.folder is None or not self.manifest.cameras:
            raise DataError("the dataset has no pictures", fix="build it from bags with cameras")
        return FrameStore(self.folder, self.manifest.episodes)


_PARTS = ("observation", "sensitivity", "frame", "frame_stamp")
_PLAIN = ("action", "stamp", "state_stamp", "episode", "tick")


def content_hash(arrays: Mapping[str, NDArray[Any]], episodes: Sequence[EpisodeEntry] = ()) -> str:
    """Return the SHA-256 of named arrays: names, types, shapes and values, and the hashes of the episodes' pictures."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.data)
    for i, entry in enumerate(episodes):
        for camera in sorted(entry.frames):
            digest.update(f"{i} {camera} {entry.frames[camera].hash}\n".encode())
    return digest.hexdigest()


def save_dataset(dataset: Dataset, folder: Path, *, replace: bool = False) -> Dataset:
    """Write a dataset's folder whole, or not at all; return the dataset with its hash.

    Raises:
        DataError: The folder exists (with `replace`: and is no dataset), or cannot be written.
    """
    with new_folder(folder, MARKER, replace=replace) as partial:
        saved = write_dataset(dataset, partial)
    return dataclasses.replace(saved, folder=folder)


def write_dataset(dataset: Dataset, folder: Path) -> Dataset:
    """Fill an empty folder, or one that holds the dataset's pictures already; return the dataset with its hash.

    Raises:
        OSError: The disk refuses.
    """
    about = dataset.manifest
    if dataset.folder is not None and dataset.folder != folder:
        link_frames(dataset.folder, folder, about.episodes)
    arrays = dataset.arrays()
    manifest = dataclasses.replace(about, hash=content_hash(arrays, about.episodes))
    write_table(arrays, folder / STEPS)
    (folder / MARKER).write_text(json.dumps(to_json(manifest), indent=1) + "\n")
    return dataclasses.replace(dataset, manifest=manifest, folder=folder)


def load_dataset(folder: Path) -> Dataset:
    """Read a dataset and check the hash of its steps; pictures are mapped when they are asked for.

    The hash of the pictures is checked by `check_frames`, since that reads them all.

    Raises:
        DataError: The folder is no dataset, or its arrays are not those that were written.
    """
    try:
        manifest = from_json(json.loads((folder / MARKER).read_text()))
        arrays = read_table(folder / STEPS)
        fields: dict[str, Any] = {part: _of(part, arrays, manifest) for part in _PARTS}
        fields |= {name: arrays[name] for name in (*_PLAIN, "intervention") if name in _PLAIN or name in arrays}
        dataset = Dataset(manifest, **fields, folder=folder)
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        text = f"lacks {error}" if isinstance(error, KeyError) else str(error).replace("\n", " ")
        raise DataError(f"not a dataset: {text}", where=str(folder), fix="make one with `kata dataset build`") from error
    if content_hash(dataset.arrays(), manifest.episodes) != manifest.hash:
        raise DataError("arrays differ from the manifest's hash", where=str(folder), fix="build the dataset again")
    return dataset


def _of(part: str, arrays: Mapping[str, NDArray[Any]], manifest: Manifest) -> dict[str, NDArray[Any]]:
    names = manifest.cameras if part.startswith("frame") else manifest.terms
    optional = part == "sensitivity" and not any(name.startswith("sensitivity.") for name in arrays)
    return {} if optional else {name: arrays[_column(part, name)] for name in names}


def _column(part: str, name: str) -> str:
    return f"{part}.{name.replace('/', '.')}"
