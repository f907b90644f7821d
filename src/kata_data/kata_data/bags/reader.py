# SPDX-License-Identifier: Apache-2.0
"""Read a bag: one folder with ``metadata.yaml`` and MCAP files; messages are decoded when they are asked for.

A bag of one MCAP file, as Kata's are, is read by `mcap_file`; others that rosbag2 writes (split, compressed by file or
message, SQLite) by rosbags, which is several times slower.
"""

import struct
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from backports.zstd import ZstdError
from numpy.typing import NDArray
from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.interfaces import Connection
from rosbags.rosbag2 import ReaderError
from rosbags.serde import SerdeError
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from kata_data.bags.bag_info import BagInfo, check_count, missing_stream, read_info, unreadable
from kata_data.bags.cdr import header_stamp
from kata_data.bags.mcap_file import ForeignFileError, InFile, McapFile, Rows
from kata_data.bags.schemas import misfit
from kata_model.errors import DataError

__all__ = ["PICTURES", "Bag", "Stream", "nanoseconds", "read_bag", "topic_name", "verify_bag"]

BROKEN = (
    *(AnyReaderError, ReaderError, SerdeError, ZstdError, struct.error),
    *(OSError, ValueError, TypeError, LookupError, ArithmeticError, AssertionError, MemoryError, RuntimeError),
)
"""What rosbags raises on files that are cut, overwritten or of another kind; all of it was provoked by the tests."""

PICTURES = ("sensor_msgs/msg/CompressedImage", "sensor_msgs/msg/Image")
"""Types whose messages stay in the file until they are asked for, where it is large."""

IN_MEMORY = 1 << 29
"""Largest file of which pictures are kept in memory [byte]."""

_HEADER = "std_msgs/msg/Header"

Topics = Callable[[str, str], str | None]
"""Says by topic and type under which name a topic is wanted, or None."""

_Types = Callable[[str], Typestore]
"""Return what reads a type; raises one of `BROKEN` where its definition is damaged."""


@dataclass(frozen=True, eq=False)
class Stream:
    """All messages of one topic, in order of receipt; at least one.

    Attributes:
        path: Folder of the bag.
        topic: Full name in the bag.
        kind: Message type, e.g. ``sensor_msgs/msg/JointState``.
        received: When the recorder got each, shape (N,), [ns].
        sequence: Number of each, shape (N,), 0 where the bag tells none; Kata's recorder counts publications, so a step of
            more than one is a loss.
        data: Messages as they lie in the bag, length N; those of pictures may be read from the file when they are asked for.
        types: Knows the message type.
    """

    path: Path
    topic: str
    kind: str
    received: NDArray[np.int64]
    sequence: NDArray[np.int64]
    data: Sequence[bytes]
    types: _Types

    def __len__(self) -> int:
        """Return the number of messages."""
        return len(self.data)

    def message(self, row: int) -> Any:
        """Return one message as an object.

        Raises:
            DataError: It is damaged.
        """
        try:
            return self.types(self.kind).deserialize_cdr(self.data[row], self.kind)
        except BROKEN as error:
            raise unreadable(error, self.path) from error

    @cached_property
    def messages(self) -> tuple[Any, ...]:
        """All messages as objects, length N; raises DataError as `message`."""
        return tuple(map(self.message, range(len(self))))

    @cached_property
    def stamp(self) -> NDArray[np.int64]:
        """When the source measured (header.stamp), or the receipt without a header, shape (N,), [ns]; raises as `message`."""
        try:
            fields = self.types(self.kind).fielddefs[self.kind][1]
        except BROKEN as error:
            raise unreadable(error, self.path) from error
        if not any(name == "header" for name, _ in fields):
            return self.received
        quick = [header_stamp(data) for data in self.data] if fields[0][1][1] == _HEADER else [None]
        found = [nanoseconds(m.header.stamp) for m in self.messages] if None in quick else quick
        return np.array(found, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Bag:
    """One episode.

    Attributes:
        info: What the bag says of itself.
        streams: By the name that was asked for; without topics that have no message.
    """

    info: BagInfo
    streams: Mapping[str, Stream]

    def stream(self, name: str) -> Stream:
        """Return a stream that is needed.

        Raises:
            DataError: The bag has no such topic, or it is empty.
        """
        if name not in self.streams:
            raise missing_stream(self.info, name)
        return self.streams[name]


def read_bag(path: Path, topics: Sequence[str] | Topics) -> Bag:
    """Read topics of a bag; those that it lacks, or without a message, are left out.

    Args:
        path: Folder of the bag.
        topics: Relative topic names, e.g. ``joint_states``, which match under any namespace; or what says by topic and type
            under which name a topic is wanted, or None.

    Raises:
        DataError: The bag is cut or damaged, or several topics match one name.
    """
    info = read_info(path)
    name_of: Topics = topics if callable(topics) else lambda topic, _: topic_name(topic, topics)
    try:
        file = _mcap(info, lambda topic, kind: name_of(topic, kind) is not None, everything_stays=False)
        found = list(_general(path, name_of)) if file is None else _streams(file, path)
    except BROKEN as error:
        raise unreadable(error, path) from error
    by_name: dict[str, Stream] = {}
    for stream in found:
        name = name_of(stream.topic, stream.kind) or ""
        other = by_name.setdefault(name, stream)
        if other is not stream:
            what = f"several topics match {name}: {', '.join(sorted((other.topic, stream.topic)))}"
            raise DataError(what, where=str(path), fix="record one robot a bag")
        check_count(info, stream.topic, len(stream))
    return Bag(info, {name: stream for name, stream in by_name.items() if len(stream)})


def topic_name(topic: str, names: Sequence[str]) -> str | None:
    """Return which of some streams a bag's topic is, under any namespace, or None."""
    return next((name for name in names if topic.strip("/") == name or topic.endswith(f"/{name}")), None)


def verify_bag(path: Path) -> None:
    """Go through all messages of a bag without decoding them, and prove its index.

    Raises:
        DataError: The bag is cut or damaged.
    """
    info, found = read_info(path), Counter[str]()
    try:
        file = _mcap(info, lambda *_: True, everything_stays=True)
        with AnyReader([path]) as reader:  # needs the index, which `McapFile` does without
            if file is None:
                found.update(connection.topic for connection, _, _ in reader.messages())
        if file is not None and not file.indexed:
            raise ValueError("its index is damaged")
        for rows in file.rows.values() if file else ():
            found[rows.topic] += len(rows.times)
    except BROKEN as error:
        raise unreadable(error, path) from error
    for topic in sorted(info.messages.keys() | found.keys()):
        check_count(info, topic, found[topic])


def _mcap(info: BagInfo, wanted: Callable[[str, str], bool], *, everything_stays: bool) -> McapFile | None:
    """Read a bag of one MCAP file; None for others, which the general reader may know."""
    files = sorted(info.path.glob("*.mcap"))
    if len(files) != 1 or info.compression:
        return None
    large = files[0].stat().st_size > IN_MEMORY
    try:
        file = McapFile(files[0], wanted, lambda kind: everything_stays or (large and kind in PICTURES))
    except ForeignFileError:
        return None
    for rows in file.rows.values():
        wrong = misfit(rows.kind, rows.definition, rows.type_hash)
        if wrong:
            raise ValueError(f"{rows.topic}: {wrong}")
    return file


def _streams(file: McapFile, path: Path) -> list[Stream]:
    merged: dict[str, list[Rows]] = {}
    for rows in file.rows.values():
        merged.setdefault(rows.topic, []).append(rows)
    definitions = {rows.kind: rows.definition for rows in file.rows.values()}

    def types(kind: str) -> Typestore:
        return _store(kind, definitions[kind])

    return [_in_order(file.path, path, parts, types) for parts in merged.values()]


def _in_order(file: Path, path: Path, parts: Sequence[Rows], types: _Types) -> Stream:
    """Return the messages of a topic, of one channel or of several, in order of receipt."""
    received = np.concatenate([np.array(rows.times, dtype=np.int64) for rows in parts])
    sequence = np.concatenate([np.array(rows.sequences, dtype=np.int64) for rows in parts])
    data, places = [row for rows in parts for row in rows.data], [place for rows in parts for place in rows.places]
    if (np.diff(received) < 0).any():
        order = np.argsort(received, kind="stable")
        received, sequence, rows = received[order], sequence[order], order.tolist()
        data, places = [data[i] for i in rows] if data else [], [places[i] for i in rows] if places else []
    kept = InFile(file, places) if parts[0].stay else data
    return Stream(path, parts[0].topic, parts[0].kind, received, sequence, kept, types)


def _general(path: Path, name_of: Topics) -> Iterator[Stream]:
    """Read a bag of any kind that rosbags knows."""
    rows: dict[str, list[tuple[int, bytes]]] = {}
    with AnyReader([path]) as reader:
        chosen = [c for c in reader.connections if name_of(c.topic, c.msgtype) is not None]
        for connection, received, data in reader.messages(connections=chosen) if chosen else ():
            rows.setdefault(connection.topic, []).append((received, bytes(data)))
        store = reader.typestore  # the reader lets go of it when it is closed
    for topic, connection in {c.topic: c for c in chosen}.items():
        yield _general_stream(path, connection, rows.get(topic, ()), store)


def _general_stream(path: Path, connection: Connection, rows: Sequence[tuple[int, bytes]], store: Typestore) -> Stream:
    received = np.array([received for received, _ in rows], dtype=np.int64)
    data, unnumbered = tuple(data for _, data in rows), np.zeros(len(rows), dtype=np.int64)
    return Stream(path, connection.topic, connection.msgtype, received, unnumbered, data, lambda _: store)


@lru_cache(maxsize=256)
def _store(kind: str, definition: str) -> Typestore:
    """Return what reads a type; many bags bring the same definitions."""
    store = get_typestore(Stores.EMPTY)
    store.register(get_types_from_msg(definition, kind))
    return store


def nanoseconds(time: Any) -> int:
    """Return a builtin_interfaces/Time in [ns]."""
    return int(time.sec) * 1_000_000_000 + int(time.nanosec)
