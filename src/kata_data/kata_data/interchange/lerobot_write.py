# SPDX-License-Identifier: Apache-2.0
"""Dataset → LeRobotDataset v3.0: Parquet for numbers, MP4 for pictures, JSON and Parquet for what they mean."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from kata_data.dataset import Dataset
from kata_data.dataset.assemble import Steps, episodes_of
from kata_data.dataset.frames import FrameStore
from kata_data.dataset.manifest import to_json
from kata_data.dataset.table import column
from kata_data.interchange import lerobot_format as form
from kata_data.interchange.lerobot_stats import picture_stats, vector_stats
from kata_data.interchange.video import CODEC, VideoWriter, even
from kata_model.atomic import new_folder
from kata_model.errors import DataError

__all__ = ["Written", "write_lerobot"]

_SAMPLED = 16
"""Pictures of an episode that its statistics are taken of."""


class Written(NamedTuple):
    """What was written: episodes, steps, and steps whose true time is off the nominal one by over half a period."""

    episodes: int
    steps: int
    shifted: int


def write_lerobot(dataset: Dataset, folder: Path, *, replace: bool = False) -> Written:
    """Write a dataset as LeRobotDataset v3.0, whole or not at all.

    Raises:
        DataError: The rate is not a whole number, or the folder exists or cannot be written.
    """
    about = dataset.manifest
    if about.rate != round(about.rate):
        raise DataError(f"rate is {about.rate} Hz; LeRobot's is a whole number", fix="build the dataset with another --rate")
    with new_folder(folder, form.INFO, replace=replace) as partial:
        episodes = episodes_of(dataset)
        tasks = list(dict.fromkeys(steps.entry.task for steps in episodes))
        tables = [_table(steps, i, start, tasks, about.rate) for i, (start, steps) in enumerate(_starts(episodes))]
        rows = [_row(i, table, steps, about.rate) for i, (table, steps) in enumerate(zip(tables, episodes, strict=True))]
        _write_data(tables, rows, partial)
        if about.cameras:
            _write_videos(dataset, episodes, rows, partial)
        _write_meta(dataset, tables, rows, tasks, partial)
    return Written(len(episodes), len(dataset), sum(_shifted(steps, about.rate) for steps in episodes))


def _starts(episodes: Sequence[Steps]) -> Iterator[tuple[int, Steps]]:
    start = 0
    for steps in episodes:
        yield start, steps
        start += len(steps.action)


def _table(steps: Steps, episode: int, start: int, tasks: Sequence[str], rate: float) -> pa.Table:
    count = len(steps.action)
    number = np.arange(count, dtype=np.int64)
    columns: dict[str, NDArray[Any]] = {
        **{form.term_key(term): values for term, values in steps.observation.items()},
        "action": steps.action,
        **{f"kata.{name}": getattr(steps, name).astype(np.int64) for name in form.STAMPS},
        **{f"kata.frame_stamp.{camera}": values for camera, values in steps.frame_stamp.items()},
        "timestamp": (number / rate).astype(np.float32),
        "frame_index": number,
        "episode_index": np.full(count, episode, dtype=np.int64),
        "index": number + start,
        "task_index": np.full(count, tasks.index(steps.entry.task), dtype=np.int64),
    }
    return pa.table({name: column(values) for name, values in columns.items()})


def _row(episode: int, table: pa.Table, steps: Steps, rate: float) -> dict[str, Any]:
    start = table["index"][0].as_py()
    return {
        "episode_index": episode,
        "tasks": [steps.entry.task],
        "length": table.num_rows,
        "dataset_from_index": start,
        "dataset_to_index": start + table.num_rows,
        "meta/episodes/chunk_index": 0,
        "meta/episodes/file_index": 0,
    }


def _write_data(tables: Sequence[pa.Table], rows: Sequence[dict[str, Any]], folder: Path) -> None:
    """Write the numbers, a row group an episode; begin a new file where one is full."""
    with ExitStack() as stack:
        writer, number, size = None, -1, 0
        for table, row in zip(tables, rows, strict=True):
            if writer is None or size > form.DATA_MB * 1_000_000:
                stack.close()
                number, size = number + 1, 0
                path = folder / form.DATA.format(**_place(number))
                path.parent.mkdir(parents=True, exist_ok=True)
                writer = stack.enter_context(pq.ParquetWriter(path, table.schema, compression="snappy"))
            writer.write_table(table)
            size += table.nbytes
            row |= {f"data/{key}": value for key, value in _place(number).items()}


def _write_videos(dataset: Dataset, episodes: Sequence[Steps], rows: Sequence[dict[str, Any]], folder: Path) -> None:
    store = dataset.frames()
    for camera, shape in dataset.manifest.cameras.items():
        _write_camera(store, camera, shape, episodes, rows, folder, round(dataset.manifest.rate))


def _write_camera(
    store: FrameStore,
    camera: str,
    shape: Sequence[int],
    episodes: Sequence[Steps],
    rows: Sequence[dict[str, Any]],
    folder: Path,
    rate: int,
) -> None:
    """Write one picture a step; begin a new file where one is full."""
    key = form.camera_key(camera)
    with ExitStack() as stack:
        writer, number, path = None, -1, folder
        for i, (steps, row) in enumerate(zip(episodes, rows, strict=True)):
            if writer is None or path.stat().st_size > form.VIDEO_MB * 1_000_000:
                stack.close()
                number += 1
                path = folder / form.VIDEO.format(video_key=key, **_place(number))
                writer = stack.enter_context(VideoWriter(path, rate, shape[0] + shape[0] % 2, shape[1] + shape[1] % 2))
            pictures = even(store.pictures(camera, i))
            begin = writer.count
            writer.write(pictures[index] for index in steps.frame[camera].tolist())
            times = {"from_timestamp": begin / rate, "to_timestamp": writer.count / rate}
            row |= {f"videos/{key}/{name}": value for name, value in {**_place(number), **times}.items()}
            sampled = np.linspace(0, len(pictures) - 1, min(_SAMPLED, len(pictures))).astype(int)
            row |= {f"stats/{key}/{name}": value for name, value in picture_stats(pictures[sampled]).items()}


def _place(number: int) -> dict[str, int]:
    return {"chunk_index": number // form.CHUNK, "file_index": number % form.CHUNK}


def _write_meta(
    dataset: Dataset, tables: Sequence[pa.Table], rows: Sequence[dict[str, Any]], tasks: Sequence[str], folder: Path
) -> None:
    about = dataset.manifest
    info = {
        "codebase_version": form.VERSION,
        "robot_type": about.robot,
        "total_episodes": len(rows),
        "total_frames": len(dataset),
        "total_tasks": len(tasks),
        "chunks_size": form.CHUNK,
        "data_files_size_in_mb": form.DATA_MB,
        "video_files_size_in_mb": form.VIDEO_MB,
        "fps": round(about.rate),
        "splits": {"train": f"0:{len(rows)}"},
        "data_path": form.DATA,
        "video_path": form.VIDEO if about.cameras else None,
        "features": form.features(about, CODEC),
    }
    for table, row in zip(tables, rows, strict=True):
        row |= {f"stats/{key}/{name}": value for key in table.column_names for name, value in _stats(table, key).items()}
    (folder / "meta").mkdir(exist_ok=True)
    _write_json(info, folder / form.INFO)
    _write_json(_all_stats(dataset, tables), folder / form.STATS)
    _write_json(to_json(about), folder / form.EXTRA)
    _write_tasks(tasks, folder / form.TASKS)
    path = folder / form.EPISODES.format(**_place(0))
    path.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(list(rows)), path, compression="snappy")


def _stats(table: pa.Table, key: str) -> dict[str, Any]:
    values = table[key].combine_chunks()
    flat = values.flatten() if pa.types.is_fixed_size_list(values.type) else values
    return vector_stats(flat.to_numpy(zero_copy_only=False).reshape(table.num_rows, -1))


def _all_stats(dataset: Dataset, tables: Sequence[pa.Table]) -> dict[str, Any]:
    whole = pa.concat_tables(tables)
    found = {key: _stats(whole, key) for key in whole.column_names}
    for camera in dataset.manifest.cameras:
        store = dataset.frames()
        parts = [store.pictures(camera, i) for i in range(len(tables))]
        sampled = np.concatenate([part[:: max(1, len(part) // _SAMPLED)] for part in parts])
        found[form.camera_key(camera)] = picture_stats(sampled)
    return found


def _write_json(content: Mapping[str, Any], path: Path) -> None:
    path.write_text(json.dumps(content, indent=4) + "\n")


def _write_tasks(tasks: Sequence[str], path: Path) -> None:
    """Write the tasks as pandas would write a frame whose index is the task's text, which is what LeRobot reads."""
    about = {
        "index_columns": ["task"],
        "column_indexes": [],
        "columns": [_pandas("task_index", "int64", "int64"), _pandas("task", "unicode", "object")],
        "pandas_version": "2.3.3",
    }
    table = pa.table({"task_index": pa.array(range(len(tasks)), pa.int64()), "task": pa.array(tasks, pa.string())})
    pq.write_table(table.replace_schema_metadata({"pandas": json.dumps(about)}), path)


def _pandas(name: str, kind: str, numpy: str) -> dict[str, Any]:
    return {"name": name, "field_name": name, "pandas_type": kind, "numpy_type": numpy, "metadata": None}


def _shifted(steps: Steps, rate: float) -> int:
    nominal = np.arange(len(steps.stamp)) / rate
    true = (steps.stamp - steps.stamp[0]) * 1e-9
    return int((np.abs(true - nominal) > 0.5 / rate).sum())
