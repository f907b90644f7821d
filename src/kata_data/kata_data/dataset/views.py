# SPDX-License-Identifier: Apache-2.0
"""Parts and unions of datasets; the pictures are shared with the datasets they come from, not copied."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kata_data.dataset.assemble import Steps, assemble, episodes_of, split_episodes
from kata_data.dataset.frames import link_frames
from kata_data.dataset.manifest import MARKER, EpisodeEntry, Manifest
from kata_data.dataset.store import Dataset, write_dataset
from kata_model.atomic import new_folder
from kata_model.errors import DataError

__all__ = ["Filter", "group_by_label", "group_by_share", "merge", "resplit", "select", "write_view"]

QUALITY = ("quality", "grade")
"""Labels that hold an episode's grade; the first that there is counts."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which episodes are wanted; all conditions hold.

    Attributes:
        labels: Values by label; an episode has one of them.
        success: Wanted outcome, or None for any.
        qualities: Wanted grades; empty for any.
        episodes: Wanted indices; empty for any.
    """

    labels: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    success: bool | None = None
    qualities: tuple[str, ...] = ()
    episodes: tuple[int, ...] = ()

    def takes(self, index: int, entry: EpisodeEntry) -> bool:
        """Return whether an episode is wanted."""
        grade = next((entry.labels[name] for name in QUALITY if name in entry.labels), "")
        return (
            all(entry.labels.get(name) in values for name, values in self.labels.items())
            and self.success in (None, entry.success)
            and (not self.qualities or grade in self.qualities)
            and (not self.episodes or index in self.episodes)
        )


def select(dataset: Dataset, wanted: Callable[[int, EpisodeEntry], bool]) -> list[Steps]:
    """Return the episodes that are wanted.

    Raises:
        DataError: None is.
    """
    found = [steps for i, steps in enumerate(episodes_of(dataset)) if wanted(i, steps.entry)]
    if not found:
        raise DataError("no episode is left", fix="see what there is with `kata dataset show`")
    return found


def group_by_label(dataset: Dataset, label: str) -> dict[str, list[Steps]]:
    """Return the episodes by the value of a label.

    Raises:
        DataError: An episode lacks the label.
    """
    groups: dict[str, list[Steps]] = {}
    for steps in episodes_of(dataset):
        if label not in steps.entry.labels:
            has = ", ".join(sorted(steps.entry.labels)) or "none"
            raise DataError(f"has no label {label!r}", where=steps.entry.bag, fix=f"its labels: {has}")
        groups.setdefault(steps.entry.labels[label], []).append(steps)
    return groups


def group_by_share(dataset: Dataset, shares: Sequence[float], seed: int) -> list[list[Steps]]:
    """Return the episodes in random groups, as large as their shares; whole episodes only.

    Raises:
        DataError: A share is not positive, or leaves no episode.
    """
    if not all(share > 0.0 for share in shares):
        raise DataError(f"shares are {' '.join(map(str, shares))}", fix="give positive numbers")
    episodes = episodes_of(dataset)
    order = np.random.default_rng(seed).permutation(len(episodes))
    edges = np.rint(np.cumsum(shares) / np.sum(shares) * len(episodes)).astype(int)
    groups = [[episodes[i] for i in sorted(part)] for part in np.split(order, edges[:-1])]
    if not all(groups):
        raise DataError(f"{len(episodes)} episodes are too few for these shares", fix="ask for fewer or more even parts")
    return groups


def merge(datasets: Mapping[Path, Dataset]) -> list[Steps]:
    """Return the episodes of several datasets of one kind; one that is in several counts once.

    Raises:
        DataError: The datasets differ in what all episodes share, or hold different versions of a bag.
    """
    (first, reference), *others = datasets.items()
    for folder, dataset in others:
        _check_alike(first, reference.manifest, folder, dataset.manifest)
    found: dict[str, Steps] = {}
    for folder, dataset in datasets.items():
        for steps in episodes_of(dataset):
            other = found.setdefault(steps.entry.bag, steps)
            if other.entry.fingerprint != steps.entry.fingerprint:
                what = f"holds another version of the bag {steps.entry.bag} than the datasets before it"
                raise DataError(what, where=str(folder), fix="build one of them again")
    return list(found.values())


def _check_alike(first: Path, a: Manifest, other: Path, b: Manifest) -> None:
    for name in ("robot", "task", "rate", "joint_names", "terms", "cameras", "stiffness", "damping"):
        mine, theirs = getattr(a, name), getattr(b, name)
        if mine != theirs or list(mine if isinstance(mine, Mapping) else ()) != list(theirs if isinstance(mine, Mapping) else ()):
            what = f"{name.replace('_', ' ')} of {first}: {_text(mine)}; of {other}: {_text(theirs)}"
            raise DataError(f"datasets of different kinds: {what}", fix="build them alike from their bags")


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {list(shape)}" for name, shape in value.items()) or "none"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def resplit(episodes: Sequence[Steps], share: float, seed: int, by: str) -> list[Steps]:
    """Return the episodes split anew into training and validation; arguments as of `split_episodes`."""
    splits = split_episodes([steps.entry for steps in episodes], share, seed, by)
    return [
        dataclasses.replace(steps, entry=dataclasses.replace(steps.entry, split=split))
        for steps, split in zip(episodes, splits, strict=True)
    ]


def write_view(
    about: Manifest, episodes: Sequence[Steps], sources: Sequence[Dataset], out: Path, *, replace: bool = False
) -> Dataset:
    """Write episodes of datasets as a dataset of their own.

    Args:
        about: What they share.
        episodes: At least one.
        sources: The datasets that they come from.
        out: Folder to write.
        replace: Whether a dataset that lies there is replaced.

    Raises:
        DataError: The folder exists or cannot be written.
    """
    with new_folder(out, MARKER, replace=replace) as partial:
        for source in sources:
            _share_frames(source, partial, episodes)
        written = write_dataset(assemble(about, episodes, partial), partial)
    return dataclasses.replace(written, folder=out)


def _share_frames(source: Dataset, folder: Path, episodes: Sequence[Steps]) -> None:
    held = {entry.bag for entry in source.manifest.episodes}
    if source.folder is not None:
        link_frames(source.folder, folder, [steps.entry for steps in episodes if steps.entry.bag in held])
