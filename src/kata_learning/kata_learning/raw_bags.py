# SPDX-License-Identifier: Apache-2.0
"""Read bags without decoding their messages, for readers that decode many at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rosbags.highlevel import AnyReader
from rosbags.interfaces import Connection

from kata_core.errors import DataError
from kata_learning.bags import BROKEN, BagInfo, Stream, check_count, read_info, stream_of, unreadable
from kata_learning.cdr import header_stamp

__all__ = ["RawBag", "RawStream", "read_raw"]


@dataclass(frozen=True, slots=True)
class RawStream:
    """All messages of one topic as they lie in the bag, in order of receipt.

    Attributes:
        topic: Full name in the bag.
        kind: Message type, e.g. ``sensor_msgs/msg/JointState``.
        received: When the recorder got each, shape (N,), [ns].
        data: Serialized messages, length N.
    """

    topic: str
    kind: str
    received: NDArray[np.int64]
    data: tuple[bytes, ...]


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


def read_raw(path: Path, topics: Callable[[str, str], str | None]) -> RawBag:
    """Read topics of a bag without decoding their messages; those without a message are left out.

    Args:
        path: Folder of the bag.
        topics: Says by topic and type under which name a topic is wanted, or None.

    Raises:
        DataError: The bag is cut or damaged, or several topics want one name.
    """
    info = read_info(path)
    rows: dict[str, list[tuple[int, bytes]]] = {}
    try:
        with AnyReader([path]) as reader:
            name_of = {c.id: name for c in reader.connections if (name := topics(c.topic, c.msgtype))}
            wanted = [c for c in reader.connections if c.id in name_of]
            chosen: dict[str, Connection] = {}
            for connection in wanted:
                other = chosen.setdefault(name_of[connection.id], connection)
                if other.topic != connection.topic:
                    what = f"several topics match {name_of[connection.id]}: {other.topic}, {connection.topic}"
                    raise DataError(what, where=str(path), fix="record one robot a bag")
            for connection, received, data in reader.messages(connections=wanted) if wanted else ():
                rows.setdefault(name_of[connection.id], []).append((received, bytes(data)))
            decode = reader.typestore.deserialize_cdr  # the reader lets go of its store when it is closed
    except BROKEN as error:
        raise unreadable(error, path) from error
    streams = {name: _raw_stream(chosen[name], found) for name, found in rows.items()}
    for name, connection in chosen.items():
        check_count(info, connection.topic, len(rows.get(name, ())))
    return RawBag(info, streams, decode)


def _raw_stream(connection: Connection, rows: Sequence[tuple[int, bytes]]) -> RawStream:
    received = np.array([received for received, _ in rows], dtype=np.int64)
    return RawStream(connection.topic, connection.msgtype, received, tuple(data for _, data in rows))
