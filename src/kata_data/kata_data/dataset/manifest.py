# SPDX-License-Identifier: Apache-2.0
"""The manifest: what a dataset holds, as JSON beside its arrays."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from numpy.typing import NDArray

__all__ = ["MARKER", "EpisodeEntry", "FrameFile", "Manifest", "Statistics", "from_json", "statistics", "to_json"]

SCHEMA = 2
MARKER = "manifest.json"
"""File that makes a folder a dataset."""


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
class FrameFile:
    """The pictures of one camera in one episode.

    Attributes:
        file: Path within the dataset's folder; its name is the beginning of the hash.
        count: Number of pictures.
        hash: SHA-256 of shape and pixels.
    """

    file: str
    count: int
    hash: str


@dataclass(frozen=True, slots=True)
class EpisodeEntry:
    """One episode of a dataset.

    Attributes:
        bag: Folder that it was read from.
        steps: Steps kept.
        dropped: Steps left out, by the stream that had no sample in time.
        split: ``train`` or ``validation``.
        success: How the episode was labelled.
        task: Task text.
        labels: All that the bag said of itself (``custom_data`` of its metadata), e.g. operator.
        frames: Pictures by camera.
        fingerprint: Of the bag's files; the same as long as nobody touched them.
    """

    bag: str
    steps: int
    dropped: Mapping[str, int]
    split: str
    success: bool
    task: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    frames: Mapping[str, FrameFile] = field(default_factory=dict)
    fingerprint: str = ""


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
        statistics: Of each term, of ``action`` and of each camera (by colour, 0 to 1).
        episodes: All episodes, in the order of their index.
        cameras: Shape (height, width, 3) of each camera's pictures [px].
        skipped: Bags that were left out as unreadable, with the reason.
        hash: SHA-256 of the arrays and pictures.
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
    cameras: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)
    hash: str = ""


def statistics(values: NDArray[Any]) -> Statistics:
    """Return the statistics of values, shape (N, *shape), by element."""
    flat = values.reshape(len(values), -1).astype(float)
    parts = (flat.mean(0), flat.std(0), flat.min(0), flat.max(0))
    return Statistics(*(tuple(map(float, part)) for part in parts))


def to_json(manifest: Manifest) -> dict[str, Any]:
    """Return a manifest as what JSON can hold."""
    return {"schema": SCHEMA, **asdict(manifest)}


def from_json(data: dict[str, Any]) -> Manifest:
    """Return the manifest that `to_json` made.

    Raises:
        ValueError: It is of another version.
        KeyError, TypeError, AttributeError: It is no manifest.
    """
    if data.pop("schema") != SCHEMA:
        raise ValueError("written by another version of Kata")
    for name in ("joint_names", "stiffness", "damping"):
        data[name] = tuple(data[name])
    for name in ("terms", "cameras"):
        data[name] = {key: tuple(shape) for key, shape in data[name].items()}
    data["statistics"] = {name: Statistics(**{k: tuple(v) for k, v in s.items()}) for name, s in data["statistics"].items()}
    data["episodes"] = tuple(_entry(entry) for entry in data["episodes"])
    return Manifest(**data)


def _entry(data: dict[str, Any]) -> EpisodeEntry:
    frames = {camera: FrameFile(**file) for camera, file in data.pop("frames").items()}
    return EpisodeEntry(**data, frames=frames)
