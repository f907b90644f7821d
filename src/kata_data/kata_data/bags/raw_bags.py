# SPDX-License-Identifier: Apache-2.0
"""Read bags without decoding their messages, for readers that decode many at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rosbags.highlevel import AnyReader
from rosbags.interfaces import Connection
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from kata_data.bags.cdr import header_stamp
from kata_data.bags.mcap_messages import ForeignFileError, InFile, McapFile, Rows
from kata_data.bags.reader import BROKEN, BagInfo, Stream, check_count, read_info, stream_of, unreadable
from kata_model.errors import DataError

__all__ = ["PICTURES", "RawBag", "RawStream", "read_raw"]

PICTURES = ("sensor_msgs/msg/CompressedImage", "sensor_msgs/msg/Image")
"""Types whose messages stay in the file until they are asked for, where it is large."""

IN_MEMORY = 1 << 29
"""Largest file of which pictures are kept in memory [byte]."""


@dataclass(frozen=True, slots=True)
class RawStream:
    """All messages of one topic as they lie in the bag, in order of receipt.

    Attributes:
        topic: Full name in the bag.
        kind: Message type, e.g. ``sensor_msgs/msg/JointState``.
        received: When the recorder got each, shape (N,), [ns].
        sequence: Number of each, shape (N,), 0 where the bag tells none; Kata's recorder counts publications, so a step of
            more than one is a loss.
        data: Serialized messages, length N; those of pictures may be read from the file when they are asked for.
    """

    topic: str
    kind: str
    received: NDArray[np.int64]
    sequence: NDArray[np.int64]
    data: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class RawBag:
    """One episode, not decoded yet.

    Attributes:
        info: What the bag says of itself.
        streams: Streams by the topic name that was asked for.
        decode: Turns a message of a type into an object; for messages of types that the bag declares.
    """

    info: BagInfo
    streams: Mapping[str, RawStream]
    decode: Callable[[bytes, str], Any]

    def decoded(self, name: str, rows: Sequence[int] | None = None) -> Stream:
        """Return a stream, or some rows of it, as objects.

        Raises:
            DataError: A message is damaged.
        """
        raw = self.streams[name]
        chosen = range(len(raw.data)) if rows is None else rows
        try:
            found = [(int(raw.received[i]), self.decode(raw.data[i], raw.kind)) for i in chosen]
        except BROKEN as error:
            raise unreadable(error, self.info.path) from error
        return stream_of(raw.topic, found)

    def stamps(self, name: str) -> NDArray[np.int64]:
        """Return when the messages of a stream were measured; their type begins with a header, shape (N,), [ns].

        Raises:
            DataError: A message is damaged.
        """
        found = [header_stamp(data) for data in self.streams[name].data]
        if any(stamp is None for stamp in found):
            return self.decoded(name).stamp
        return np.array(found, dtype=np.int64)


_Found = tuple[list[tuple[str, RawStream]], Callable[[bytes, str], Any]]


def read_raw(path: Path, topics: Callable[[str, str], str | None]) -> RawBag:
    """Read topics of a bag without decoding their messages; those without a message are left out.

    Args:
        path: Folder of the bag.
        topics: Says by topic and type under which name a topic is wanted, or None.

    Raises:
        DataError: The bag is cut or damaged, or several topics want one name.
    """
    info = read_info(path)
    try:
        found, decode = _quick(info, topics) or _general(path, topics)
    except BROKEN as error:
        raise unreadable(error, path) from error
    by_name: dict[str, RawStream] = {}
    for name, stream in found:
        other = by_name.setdefault(name, stream)
        if other is not stream:
            what = f"several topics match {name}: {', '.join(sorted((other.topic, stream.topic)))}"
            raise DataError(what, where=str(path), fix="record one robot a bag")
        check_count(info, stream.topic, len(stream.data))
    return RawBag(info, {name: stream for name, stream in by_name.items() if len(stream.data)}, decode)


def _quick(info: BagInfo, topics: Callable[[str, str], str | None]) -> _Found | None:
    """Read a bag of one MCAP file; None for others, which the general reader may know."""
    files = sorted(info.path.glob("*.mcap"))
    if len(files) != 1 or info.compression:
        return None
    try:
        stay = PICTURES if files[0].stat().st_size > IN_MEMORY else ()
        file = McapFile(files[0], lambda topic, kind: topics(topic, kind) is not None, lambda kind: kind in stay)
    except ForeignFileError:
        return None
    merged: dict[str, list[Rows]] = {}
    for rows in file.rows.values():
        merged.setdefault(rows.topic, []).append(rows)
    found = [(topics(topic, parts[0].kind) or "", _in_order(file.path, parts)) for topic, parts in merged.items()]
    return found, Decoder({rows.kind: rows.definition for rows in file.rows.values()})


def _in_order(path: Path, parts: Sequence[Rows]) -> RawStream:
    """Return the messages of a topic, of one channel or of several, in order of receipt."""
    received = np.concatenate([np.array(rows.times, dtype=np.int64) for rows in parts])
    sequence = np.concatenate([np.array(rows.sequences, dtype=np.int64) for rows in parts])
    data, places = [row for rows in parts for row in rows.data], [place for rows in parts for place in rows.places]
    if (np.diff(received) < 0).any():
        order = np.argsort(received, kind="stable")
        received, sequence, rows = received[order], sequence[order], order.tolist()
        data, places = [data[i] for i in rows] if data else [], [places[i] for i in rows] if places else []
    return RawStream(parts[0].topic, parts[0].kind, received, sequence, InFile(path, places) if parts[0].stay else data)


def _general(path: Path, topics: Callable[[str, str], str | None]) -> _Found:
    """Read a bag of any kind that rosbags knows."""
    rows: dict[str, list[tuple[int, bytes]]] = {}
    with AnyReader([path]) as reader:
        wanted = {c.topic: c for c in reader.connections if topics(c.topic, c.msgtype)}
        chosen = [c for c in reader.connections if c.topic in wanted]
        for connection, received, data in reader.messages(connections=chosen) if chosen else ():
            rows.setdefault(connection.topic, []).append((received, bytes(data)))
        decode = reader.typestore.deserialize_cdr  # the reader lets go of its store when it is closed
    found = [(topics(topic, c.msgtype) or "", _raw_stream(c, rows.get(topic, ()))) for topic, c in wanted.items()]
    return found, decode


def _raw_stream(connection: Connection, rows: Sequence[tuple[int, bytes]]) -> RawStream:
    received = np.array([received for received, _ in rows], dtype=np.int64)
    data = tuple(data for _, data in rows)
    return RawStream(connection.topic, connection.msgtype, received, np.zeros(len(data), dtype=np.int64), data)


class Decoder:
    """Makes objects of messages by the definitions that a bag brings."""

    def __init__(self, definitions: Mapping[str, str]) -> None:
        """Take the definitions by type; nothing is parsed yet."""
        self._definitions = definitions

    def __call__(self, data: bytes, kind: str) -> Any:
        """Return a message as an object.

        Raises:
            One of `bags.BROKEN`: The message or its definition is damaged.
        """
        return _store(kind, self._definitions[kind]).deserialize_cdr(data, kind)


@lru_cache(maxsize=256)
def _store(kind: str, definition: str) -> Typestore:
    """Return what reads a type; many bags bring the same definitions."""
    store = get_typestore(Stores.EMPTY)
    store.register(get_types_from_msg(definition, kind))
    return store
