# SPDX-License-Identifier: Apache-2.0
"""Episodes → dataset: split them, join their steps, take statistics of what is trained on."""

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kata_data.dataset.frames import FrameStore
from kata_data.dataset.manifest import EpisodeEntry, Manifest, Statistics, statistics
from kata_data.dataset.store import Dataset
from kata_model.errors import DataError

__all__ = ["Steps", "assemble", "episodes_of", "split_episodes"]

_PICTURES = 128
"""Pictures that the statistics of a camera are taken of, spread over the training episodes."""

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of one episode; arrays as in `Dataset`.

    Attributes:
        entry: What the manifest says of it.
        observation: By term.
        sensitivity: By term; may be empty.
        action: Shape (T, k), [rad].
        stamp: Shape (T,), [ns].
        state_stamp: Shape (T,), [ns].
        tick: Shape (T,).
        frame: By camera, shape (T,).
        frame_stamp: By camera, shape (T,), [ns].
        intervention: Shape (T,).
    """

    entry: EpisodeEntry
    observation: Arrays
    sensitivity: Arrays
    action: NDArray[np.float32]
    stamp: NDArray[np.int64]
    state_stamp: NDArray[np.int64]
    tick: NDArray[np.int32]
    frame: Arrays
    frame_stamp: Arrays
    intervention: NDArray[np.bool_]


_NAMED = ("observation", "sensitivity", "frame", "frame_stamp")
_PLAIN = ("action", "stamp", "state_stamp", "tick", "intervention")


def assemble(about: Manifest, episodes: Sequence[Steps], folder: Path | None) -> Dataset:
    """Join episodes to a dataset.

    Args:
        about: What holds of all of them; its episodes, statistics and hash are made anew.
        episodes: At least one; all with the same terms, joints and cameras.
        folder: Where the pictures are, if there are any.
    """
    entries = tuple(steps.entry for steps in episodes)
    named: dict[str, Any] = {part: _join_named([getattr(steps, part) for steps in episodes]) for part in _NAMED}
    plain: dict[str, Any] = {name: np.concatenate([getattr(steps, name) for steps in episodes]) for name in _PLAIN}
    episode = np.repeat(np.arange(len(episodes), dtype=np.int32), [len(steps.action) for steps in episodes])
    trained = [i for i, entry in enumerate(entries) if entry.split == "train"]
    rows = np.isin(episode, trained or range(len(entries)))
    of = {name: statistics(values[rows]) for name, values in {**named["observation"], "action": plain["action"]}.items()}
    if folder is not None:
        store = FrameStore(folder, entries)
        of |= {f"camera.{camera}": _colours(store, camera, entries, trained) for camera in about.cameras}
    manifest = dataclasses.replace(about, episodes=entries, statistics=of, hash="")
    return Dataset(manifest, **named, **plain, episode=episode, folder=folder)


def episodes_of(dataset: Dataset) -> list[Steps]:
    """Return the episodes of a dataset one by one; the inverse of `assemble`."""
    edges = np.searchsorted(dataset.episode, np.arange(len(dataset.manifest.episodes) + 1))
    return [
        Steps(entry, **_rows(dataset, low, high))
        for entry, low, high in zip(dataset.manifest.episodes, edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    ]


def _rows(dataset: Dataset, low: int, high: int) -> dict[str, Any]:
    named = {part: {name: values[low:high] for name, values in getattr(dataset, part).items()} for part in _NAMED}
    return {**named, **{name: getattr(dataset, name)[low:high] for name in _PLAIN}}


def split_episodes(entries: Sequence[EpisodeEntry], share: float, seed: int, by: str = "") -> list[str]:
    """Say for each episode whether it is for ``train`` or ``validation``.

    Which one is chosen by a hash of its name, so that adding episodes moves few of the others. At least one
    is for validation where there are two or more and a share is asked for, and one is always for training.

    Args:
        entries: The episodes.
        share: Of the episodes, for validation.
        seed: Another seed, another choice.
        by: Label whose groups stay together, e.g. ``operator``; empty for each episode by itself.

    Raises:
        DataError: An episode lacks the label, or all are of one group.
    """
    groups = [_group(entry, by) for entry in entries]
    # The same episodes are split alike wherever their folder lies; the whole path only tells equal names apart.
    names = sorted(set(groups), key=lambda name: (hashlib.sha256(f"{seed} {Path(name).name}".encode()).digest(), name))
    if by and share > 0.0 and len(names) == 1:
        raise DataError(f"all episodes have the same {by}, {names[0]!r}", fix="split by episode, or add others")
    wanted, taken, chosen = max(round(share * len(groups)), int(share > 0)), 0, set()
    for name in names[:-1]:
        if taken >= wanted:
            break
        chosen.add(name)
        taken += groups.count(name)
    return ["validation" if group in chosen else "train" for group in groups]


def _group(entry: EpisodeEntry, by: str) -> str:
    if not by:
        return entry.bag
    if by not in entry.labels:
        has = ", ".join(sorted(entry.labels)) or "none"
        raise DataError(f"has no label {by!r}", where=entry.bag, fix=f"its labels: {has}")
    return entry.labels[by]


def _join_named(parts: Sequence[Arrays]) -> dict[str, NDArray[Any]]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _colours(store: FrameStore, camera: str, entries: Sequence[EpisodeEntry], trained: Sequence[int]) -> Statistics:
    """Return the statistics of a camera by colour, 0 to 1."""
    places = [(i, f) for i in trained or range(len(entries)) for f in range(entries[i].frames[camera].count)]
    chosen = np.unique(np.linspace(0, len(places) - 1, _PICTURES).astype(int))
    pixels = [store.pictures(camera, i)[f, ::4, ::4].reshape(-1, 3) for i, f in (places[c] for c in chosen.tolist())]
    return statistics(np.concatenate(pixels) / 255.0)
