# SPDX-License-Identifier: Apache-2.0
"""LeRobotDataset v3.0 → dataset, be it one that Kata wrote or any other."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from kata_data.dataset import MARKER, Dataset, EpisodeEntry, FrameFile, Manifest, write_dataset
from kata_data.dataset.assemble import Steps, assemble
from kata_data.dataset.frames import write_frames
from kata_data.dataset.manifest import from_json
from kata_data.dataset.table import values
from kata_data.interchange import lerobot_format as form
from kata_data.interchange.video import read_video
from kata_model.atomic import new_folder
from kata_model.errors import DataError

__all__ = ["read_lerobot"]

_BROKEN = (OSError, KeyError, TypeError, ValueError, AttributeError, IndexError, pa.ArrowException)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Source:
    """What the format's files say.

    Attributes:
        folder: Where they are.
        info: ``info.json``.
        about: What becomes the dataset's manifest.
        known: Whether Kata wrote the files, so that stamps and labels are true ones.
        terms: Feature of each term.
        cameras: Feature of each camera.
    """

    folder: Path
    info: Mapping[str, Any]
    about: Manifest
    known: bool
    terms: Mapping[str, str]
    cameras: Mapping[str, str]


def read_lerobot(source: Path, out: Path, *, replace: bool = False) -> Dataset:
    """Import a data set; it has no derivatives, so it is trained on without disturbances.

    Args:
        source: Folder with ``meta/info.json``.
        out: Folder to write.
        replace: Whether a dataset that lies there is replaced.

    Raises:
        DataError: The data set is damaged, of another version, or stores what Kata cannot hold.
    """
    with new_folder(out, MARKER, replace=replace) as partial:
        try:
            found = _open(source)
            rows = _rows(source)
            tables = _tables(found, rows)
            frames = _frames(found, rows, tables, partial)
        except _BROKEN as error:
            text = f"lacks {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
            raise DataError(f"not a LeRobotDataset v3.0: {text}", where=str(source)) from error
        episodes = [_steps(found, row, table, frames[i]) for i, (row, table) in enumerate(zip(rows, tables, strict=True))]
        dataset = write_dataset(assemble(found.about, episodes, partial if found.cameras else None), partial)
    return dataset


def _open(folder: Path) -> _Source:
    info = json.loads((folder / form.INFO).read_text())
    if info["codebase_version"] != form.VERSION:
        raise ValueError(f"version {info['codebase_version']}; convert it with LeRobot first")
    features = info["features"]
    own = folder / form.EXTRA
    cameras = {key.removeprefix("observation.images."): key for key, f in features.items() if f["dtype"] == "video"}
    stored = [key for key, f in features.items() if f["dtype"] == "image"]
    if stored:
        raise ValueError(f"pictures of {stored[0]} are not stored as video; convert them with LeRobot first")
    shapes = {name: tuple(features[key]["shape"]) for name, key in cameras.items()}
    if own.is_file():
        about = from_json(json.loads(own.read_text()))
        terms = {term: form.term_key(term) for term in about.terms}
        known = True
    else:
        terms = _foreign_terms(features)
        about, known = _foreign(info, {term: tuple(features[key]["shape"]) for term, key in terms.items()}), False
    about = Manifest(**{**{name: getattr(about, name) for name in Manifest.__dataclass_fields__}, "cameras": shapes})
    return _Source(folder, info, about, known, terms, cameras)


def _foreign_terms(features: Mapping[str, Any]) -> dict[str, str]:
    """Return the numbers that are observed; a state named as the action is the policy's joints."""
    keys = [key for key, f in features.items() if key.startswith("observation.") and f["dtype"] == "float32"]
    if not keys:
        raise ValueError("no observation of numbers")
    same = "observation.state" in keys and _names(features["observation.state"]) == _names(features["action"])
    return {("joint_position" if same and key == "observation.state" else key): key for key in keys}


def _foreign(info: Mapping[str, Any], terms: Mapping[str, tuple[int, ...]]) -> Manifest:
    joints = _names(info["features"]["action"])
    nothing = (0.0,) * len(joints)
    return Manifest(
        robot=info.get("robot_type") or "unknown",
        task="lerobot",
        rate=float(info["fps"]),
        tolerance=0.0,
        joint_names=joints,
        terms=terms,
        stiffness=nothing,
        damping=nothing,
        statistics={},
        episodes=(),
    )


def _names(feature: Mapping[str, Any]) -> tuple[str, ...]:
    names = feature.get("names")
    if isinstance(names, Mapping):
        names = [name for part in names.values() for name in part]
    (width,) = feature["shape"]
    return tuple(map(str, names)) if names and len(names) == width else tuple(f"action_{i}" for i in range(width))


def _rows(folder: Path) -> list[Row]:
    files = sorted((folder / "meta/episodes").rglob("*.parquet"))
    rows: list[Row] = [row for file in files for row in pq.read_table(file).to_pylist()]
    if not rows:
        raise ValueError("no episodes")
    return sorted(rows, key=lambda row: int(row["episode_index"]))


def _tables(source: _Source, rows: Sequence[Row]) -> list[pa.Table]:
    """Return the numbers of each episode."""
    opened: dict[str, pa.Table] = {}
    tables = []
    for row in rows:
        path = source.info["data_path"].format(chunk_index=row["data/chunk_index"], file_index=row["data/file_index"])
        if path not in opened:
            opened = {path: pq.read_table(source.folder / path)}
        begin = int(row["dataset_from_index"]) - opened[path]["index"][0].as_py()
        table = opened[path].slice(begin, int(row["length"]))
        if table.num_rows != row["length"] or set(table["episode_index"].to_pylist()) != {row["episode_index"]}:
            raise ValueError(f"{path} does not hold episode {row['episode_index']} where the metadata says")
        tables.append(table)
    return tables


_Track = tuple[FrameFile, NDArray[np.int32]]


def _frames(source: _Source, rows: Sequence[Row], tables: Sequence[pa.Table], out: Path) -> list[dict[str, _Track]]:
    """Decode every video once, from its beginning to its end, and write the pictures of each episode."""
    found: list[dict[str, _Track]] = [{} for _ in rows]
    for camera, key in source.cameras.items():
        by_file: dict[str, list[int]] = {}
        for i, row in enumerate(rows):
            place = {name: row[f"videos/{key}/{name}"] for name in ("chunk_index", "file_index")}
            by_file.setdefault(source.info["video_path"].format(video_key=key, **place), []).append(i)
        for path, episodes in by_file.items():
            begins = [round(rows[i][f"videos/{key}/from_timestamp"] * source.info["fps"]) for i in episodes]
            order = np.argsort(begins).tolist()
            _cut(source, camera, source.folder / path, [(episodes[o], begins[o]) for o in order], tables, out, found)
    return found


def _cut(
    source: _Source,
    camera: str,
    path: Path,
    episodes: Sequence[tuple[int, int]],
    tables: Sequence[pa.Table],
    out: Path,
    found: list[dict[str, _Track]],
) -> None:
    """Cut one video into the pictures of its episodes; a picture that several steps show is kept once."""
    pictures, at = read_video(path), 0
    for i, begin in episodes:
        kept: list[NDArray[np.uint8]] = []
        shown = _shown(source, camera, tables[i])
        for number in range(begin - at + len(shown)):
            _, picture = next(pictures, (0.0, None))
            if picture is None:
                raise ValueError(f"{path} has fewer pictures than the metadata says")
            step = number - (begin - at)
            if step >= 0 and shown[step] == len(kept):
                kept.append(picture)
        at = begin + len(shown)
        found[i][camera] = (write_frames(kept, len(kept), out)[0], shown)


def _shown(source: _Source, camera: str, table: pa.Table) -> NDArray[np.int32]:
    """Return the picture of each step, counted within the episode."""
    if not source.known:
        return np.arange(table.num_rows, dtype=np.int32)
    stamp = values(table[f"kata.frame_stamp.{camera}"])
    return np.concatenate([[0], np.cumsum(np.diff(stamp) != 0)]).astype(np.int32)


def _steps(source: _Source, row: Row, table: pa.Table, frames: Mapping[str, _Track]) -> Steps:
    count, rate = table.num_rows, source.about.rate
    nominal = np.rint(np.arange(count) * (1e9 / rate)).astype(np.int64)
    own = {name: values(table[f"kata.{name}"]) if source.known else nominal for name in ("stamp", "state_stamp")}
    tick = values(table["kata.tick"]) if source.known else np.arange(count)
    human = values(table["kata.intervention"]) if "kata.intervention" in table.column_names else np.zeros(count)
    taken = {camera: values(table[f"kata.frame_stamp.{camera}"]) if source.known else nominal for camera in frames}
    terms = source.about.terms
    return Steps(
        entry=_entry(source, row, {camera: track[0] for camera, track in frames.items()}),
        observation={term: _floats(table, key).reshape(-1, *terms[term]) for term, key in source.terms.items()},
        sensitivity={},
        action=_floats(table, "action").reshape(count, -1),
        **own,
        tick=tick.astype(np.int32),
        frame={camera: track[1] for camera, track in frames.items()},
        frame_stamp=taken,
        intervention=human.astype(bool),
    )


def _floats(table: pa.Table, key: str) -> NDArray[np.float32]:
    return values(table[key]).astype(np.float32)


def _entry(source: _Source, row: Row, frames: Mapping[str, FrameFile]) -> EpisodeEntry:
    index = int(row["episode_index"])
    if source.known:
        old = source.about.episodes[index]
        return EpisodeEntry(**{**{name: getattr(old, name) for name in EpisodeEntry.__dataclass_fields__}, "frames": frames})
    return EpisodeEntry(
        bag=f"{source.folder}#{index}",
        steps=int(row["length"]),
        dropped={},
        split="train",
        success=True,
        task=str((row.get("tasks") or [""])[0]),
        labels={"nominal_time": "true"},
        frames=frames,
    )
