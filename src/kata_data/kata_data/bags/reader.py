# SPDX-License-Identifier: Apache-2.0
"""Read episodes from bags: one folder holds ``metadata.yaml`` and one or more MCAP files."""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from backports.zstd import ZstdError
from numpy.typing import NDArray
from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.interfaces import Connection
from rosbags.rosbag2 import ReaderError
from rosbags.serde import SerdeError

from kata_model.errors import DataError

__all__ = [
    "BROKEN",
    "Bag",
    "BagInfo",
    "Stream",
    "check_count",
    "find_bags",
    "missing_stream",
    "read_bag",
    "read_info",
    "stream_of",
    "unreadable",
    "verify_bag",
]

BROKEN = (
    *(AnyReaderError, ReaderError, SerdeError, ZstdError, struct.error),
    *(OSError, ValueError, TypeError, LookupError, ArithmeticError, AssertionError, MemoryError, RuntimeError),
)
"""What rosbags raises on files that are cut, overwritten or of another kind; all of it was provoked by the tests."""

_YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's is ten times faster, where PyYAML was built with it."""

_CUT = "the file was cut or damaged: try kata bag repair, or leave this bag out"


@dataclass(frozen=True, slots=True)
class BagInfo:
    """What a bag says of itself, read without opening its messages.

    Attributes:
        path: Folder of the bag.
        custom: ``custom_data`` of metadata.yaml.
        duration: From the first to the last message received [s].
        messages: Number of messages by topic.
        types: Message type by topic, e.g. ``sensor_msgs/msg/JointState``.
        compression: By which rosbag2 packed whole files or single messages; empty where chunks are packed, as Kata's are.
    """

    path: Path
    custom: Mapping[str, str]
    duration: float
    messages: Mapping[str, int]
    types: Mapping[str, str] = field(default_factory=dict)
    compression: str = ""

    @property
    def task(self) -> str:
        """Return the task text, or an empty one."""
        return self.custom.get("task", "")

    @property
    def success(self) -> bool:
        """Return whether the episode was saved as a success; an unlabelled one was not."""
        return self.custom.get("task_success", "").lower() in ("true", "1", "yes")

    @property
    def robot(self) -> str:
        """Return the robot's name, or an empty one."""
        return self.custom.get("robot", "")


@dataclass(frozen=True, slots=True)
class Stream:
    """All messages of one topic, in order of receipt.

    Attributes:
        topic: Full name in the bag.
        stamp: When the source measured (header.stamp), shape (N,), [ns].
        received: When the recorder got it, shape (N,), [ns].
        messages: Decoded messages, length N.
    """

    topic: str
    stamp: NDArray[np.int64]
    received: NDArray[np.int64]
    messages: tuple[Any, ...]

    def __len__(self) -> int:
        """Return the number of messages."""
        return len(self.messages)


@dataclass(frozen=True, slots=True)
class Bag:
    """One episode.

    Attributes:
        info: What the bag says of itself.
        streams: Streams by the topic name that was asked for.
    """

    info: BagInfo
    streams: Mapping[str, Stream]

    def stream(self, name: str) -> Stream:
        """Return a stream that is needed.

        Raises:
            DataError: The bag has no such topic, or it is empty.
        """
        if name not in self.streams or not len(self.streams[name]):
            raise missing_stream(self.info, name)
        return self.streams[name]


def missing_stream(info: BagInfo, name: str) -> DataError:
    """Return the error of a bag without messages on a topic; it says what the bag has."""
    has = ", ".join(sorted(topic for topic, count in info.messages.items() if count))
    return DataError(f"no messages on {name}", where=str(info.path), fix=f"the bag has: {has or 'nothing'}")


def find_bags(paths: Iterable[Path]) -> list[Path]:
    """Return bag folders, sorted: each path is a bag or a folder that holds bags at any depth.

    Hidden folders are left out: the recorder writes to one before an episode is saved.

    Raises:
        DataError: A path does not exist, or holds no bag.
    """
    found: set[Path] = set()
    for path in paths:
        if not path.is_dir():
            raise DataError("no such folder", where=str(path), fix="name bags, or a folder that holds bags")
        bags = [file.parent for file in path.rglob("metadata.yaml")]
        bags = [bag for bag in bags if not any(part.startswith(".") for part in bag.relative_to(path).parts)]
        if not bags:
            raise DataError("holds no bag", where=str(path), fix="a bag is a folder with metadata.yaml and an .mcap file")
        found.update(bags)
    return sorted(found)


def read_info(path: Path) -> BagInfo:
    """Read what a bag says of itself.

    Raises:
        DataError: metadata.yaml is missing or unusable.
    """
    file = path / "metadata.yaml"
    try:
        about = yaml.load(file.read_text(), _YAML)["rosbag2_bagfile_information"]
        return BagInfo(
            path=path,
            custom={str(key): str(value) for key, value in (about.get("custom_data") or {}).items()},
            duration=about["duration"]["nanoseconds"] * 1e-9,
            messages={t["topic_metadata"]["name"]: int(t["message_count"]) for t in about["topics_with_message_count"]},
            types={t["topic_metadata"]["name"]: str(t["topic_metadata"]["type"]) for t in about["topics_with_message_count"]},
            compression=str(about.get("compression_format") or ""),
        )
    except FileNotFoundError as error:
        raise DataError(
            "no metadata.yaml: the recording was not finished", where=str(path), fix="try kata bag repair, or leave this bag out"
        ) from error
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"not a bag's metadata: {_line(error)}", where=str(file), fix="leave this bag out") from error


def read_bag(path: Path, topics: Sequence[str]) -> Bag:
    """Read the given topics of a bag; topics that it lacks are left out.

    Args:
        path: Folder of the bag.
        topics: Relative topic names, e.g. ``joint_states``; they match under any namespace.

    Raises:
        DataError: The bag is cut or damaged, or a name matches several topics.
    """
    info = read_info(path)
    try:
        with AnyReader([path]) as reader:
            chosen = _choose(reader.connections, topics, path)
            streams = _read(reader, chosen)
    except BROKEN as error:
        raise unreadable(error, path) from error
    for stream in streams.values():
        check_count(info, stream.topic, len(stream))
    return Bag(info, streams)


def check_count(info: BagInfo, topic: str, found: int) -> None:
    """Raise DataError unless as many messages were found as the bag says it has on a topic."""
    expected = info.messages.get(topic, 0)
    if found != expected:
        what = f"holds {found} of {expected} messages on {topic}"
        raise DataError(what, where=str(info.path), fix=_CUT)


def unreadable(error: Exception, path: Path) -> DataError:
    """Return the error of a bag that broke its reader."""
    return DataError(f"unreadable: {_line(error)}", where=str(path), fix=_CUT)


def verify_bag(path: Path) -> None:
    """Go through all messages of a bag without decoding them.

    Raises:
        DataError: The bag is cut or damaged.
    """
    expected = dict(read_info(path).messages)
    try:
        with AnyReader([path]) as reader:
            for connection, _, _ in reader.messages():
                expected[connection.topic] = expected.get(connection.topic, 0) - 1
    except BROKEN as error:
        raise unreadable(error, path) from error
    for topic, missing in expected.items():
        if missing:
            raise DataError(
                f"{abs(missing)} messages too {'few' if missing > 0 else 'many'} on {topic}", where=str(path), fix=_CUT
            )


def _choose(connections: Sequence[Connection], topics: Sequence[str], path: Path) -> dict[str, list[Connection]]:
    chosen: dict[str, list[Connection]] = {}
    for name in topics:
        matches = [c for c in connections if c.topic.strip("/") == name or c.topic.endswith(f"/{name}")]
        if len({c.topic for c in matches}) > 1:
            listed = ", ".join(sorted({c.topic for c in matches}))
            raise DataError(f"several topics match {name}: {listed}", where=str(path), fix="record one robot a bag")
        if matches:
            chosen[name] = matches
    return chosen


def _read(reader: AnyReader, chosen: Mapping[str, Sequence[Connection]]) -> dict[str, Stream]:
    name_of = {c.topic: name for name, connections in chosen.items() for c in connections}
    rows: dict[str, list[tuple[int, Any]]] = {name: [] for name in chosen}
    wanted = [c for connections in chosen.values() for c in connections]
    for connection, received, data in reader.messages(connections=wanted) if wanted else ():
        rows[name_of[connection.topic]].append((received, reader.deserialize(data, connection.msgtype)))
    return {name: stream_of(chosen[name][0].topic, found) for name, found in rows.items()}


def stream_of(topic: str, rows: Sequence[tuple[int, Any]]) -> Stream:
    """Return a stream of decoded messages, each with the time of its receipt [ns]."""
    messages = tuple(message for _, message in rows)
    received = np.array([received for received, _ in rows], dtype=np.int64)
    stamp = np.array([nanoseconds(m.header.stamp) if hasattr(m, "header") else t for t, m in rows], dtype=np.int64)
    return Stream(topic, stamp, received, messages)


def nanoseconds(time: Any) -> int:
    """Return a builtin_interfaces/Time in [ns]."""
    return int(time.sec) * 1_000_000_000 + int(time.nanosec)


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
