# SPDX-License-Identifier: Apache-2.0
"""The dataset: aligned steps of many episodes, a manifest beside them, and the folder that holds both."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kata_core.atomic import new_folder
from kata_core.errors import DataError

__all__ = ["MARKER", "Dataset", "EpisodeEntry", "Manifest", "Statistics", "load_dataset", "save_dataset"]

SCHEMA = 1
MARKER = "manifest.json"
"""File that makes a folder a dataset."""

FloatArray32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of one quantity over the training steps, by element (flattened).

    Attributes:
        mean: Mean.
        std: Standard deviation.
        low: Smallest value.
        high: Largest value.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class EpisodeEntry:
    """One episode of a dataset.

    Attributes:
        bag: Folder that it was read from.
        steps: Steps kept.
        dropped: Steps left out, by the stream that had no sample in time.
        split: ``train`` or ``validation``.
        success: How the episode was labelled.
    """

    bag: str
    steps: int
    dropped: Mapping[str, int]
    split: str
    success: bool


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a dataset holds; everything that a policy must know of it.

    Attributes:
        robot: Name of the robot.
        task: Name of the task.
        rate: Steps a second [Hz].
        tolerance: Greatest age of a matched sample [s].
        joint_names: Joints that the action moves, k.
        terms: Shape of each observation term.
        stiffness: Gains that were sent, by joint of joint_names [N·m/rad].
        damping: Likewise [N·m·s/rad].
        statistics: Of each term and of ``action``.
        episodes: All episodes, in the order of their index.
        hash: SHA-256 of the arrays.
    """

    robot: str
    task: str
    rate: float
    tolerance: float
    joint_names: tuple[str, ...]
    terms: Mapping[str, tuple[int, ...]]
    stiffness: tuple[float, ...]
    damping: tuple[float, ...]
    statistics: Mapping[str, Statistics]
    episodes: tuple[EpisodeEntry, ...]
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Aligned steps; T steps over all episodes, in order.

    Attributes:
        manifest: What it holds.
        observation: By term, shape (T, *shape), float32.
        sensitivity: By term, its derivative by the policy's joints, shape (T, *shape, k), float32.
        action: Joint positions really sent, shape (T, k), [rad], float32.
        stamp: Shape (T,), [ns].
        episode: Index into manifest.episodes, shape (T,).
        tick: Step number within the episode before any was dropped, shape (T,); a gap shows drops.
    """

    manifest: Manifest
    observation: Mapping[str, FloatArray32]
    sensitivity: Mapping[str, FloatArray32]
    action: FloatArray32
    stamp: NDArray[np.int64]
    episode: NDArray[np.int32]
    tick: NDArray[np.int32]

    def __len__(self) -> int:
        """Return the number of steps."""
        return len(self.action)

    def steps(self, split: str) -> NDArray[np.intp]:
        """Return the indices of all steps of a split."""
        chosen = [i for i, entry in enumerate(self.manifest.episodes) if entry.split == split]
        return np.flatnonzero(np.isin(self.episode, chosen))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all arrays by file name without extension."""
        parts = {"observation": self.observation, "sensitivity": self.sensitivity}
        terms = {_file(part, term): values for part, of in parts.items() for term, values in of.items()}
        return {**terms, "action": self.action, "stamp": self.stamp, "episode": self.episode, "tick": self.tick}


def content_hash(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Return the SHA-256 of named arrays: names, types, shapes and values."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def save_dataset(dataset: Dataset, folder: Path, *, replace: bool = False) -> Dataset:
    """Write a dataset's folder whole, or not at all; return the dataset with its hash.

    Raises:
        DataError: The folder exists (with `replace`: and is no dataset), or cannot be written.
    """
    arrays = dataset.arrays()
    manifest = dataclasses.replace(dataset.manifest, hash=content_hash(arrays))
    with new_folder(folder, MARKER, replace=replace) as partial:
        for name, array in arrays.items():
            np.save(partial / f"{name}.npy", array)
        (partial / MARKER).write_text(json.dumps({"schema": SCHEMA, **asdict(manifest)}, indent=1) + "\n")
    return dataclasses.replace(dataset, manifest=manifest)


def load_dataset(folder: Path) -> Dataset:
    """Read a dataset and check its hash; arrays are memory-mapped.

    Raises:
        DataError: The folder is no dataset, or its arrays are not those that were written.
    """
    try:
        manifest = _manifest(json.loads((folder / MARKER).read_text()))
        load = {path.stem: np.load(path, mmap_mode="r", allow_pickle=False) for path in sorted(folder.glob("*.npy"))}
        observation, sensitivity = ({t: load[_file(part, t)] for t in manifest.terms} for part in ("observation", "sensitivity"))
        dataset = Dataset(manifest, observation, sensitivity, load["action"], load["stamp"], load["episode"], load["tick"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        text = f"lacks {error}" if isinstance(error, KeyError) else str(error).replace("\n", " ")
        raise DataError(f"not a dataset: {text}", where=str(folder), fix="make one with `kata dataset`") from error
    if content_hash(dataset.arrays()) != manifest.hash:
        raise DataError("arrays differ from the manifest's hash", where=str(folder), fix="build the dataset again")
    return dataset


def _file(part: str, term: str) -> str:
    return f"{part}.{term.replace('/', '.')}"


def _manifest(data: dict[str, Any]) -> Manifest:
    if data.pop("schema") != SCHEMA:
        raise ValueError("written by another version of Kata")
    data["joint_names"] = tuple(data["joint_names"])
    data["terms"] = {term: tuple(shape) for term, shape in data["terms"].items()}
    data["stiffness"], data["damping"] = tuple(data["stiffness"]), tuple(data["damping"])
    data["statistics"] = {name: Statistics(**{k: tuple(v) for k, v in s.items()}) for name, s in data["statistics"].items()}
    data["episodes"] = tuple(EpisodeEntry(**entry) for entry in data["episodes"])
    return Manifest(**data)
