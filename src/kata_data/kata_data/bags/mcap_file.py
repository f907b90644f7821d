# SPDX-License-Identifier: Apache-2.0
"""Read the messages of whole MCAP files, several times faster than a general reader: one look at each message's head.

Every chunk is proved by its checksum. Messages of big streams, such as pictures, can stay in the file until they are
asked for, so that a long episode need not fit into memory.
"""

import mmap
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import overload

from mcap.opcode import Opcode
from mcap.records import Channel, Schema

from kata_data.bags.mcap_records import CHUNK_HEAD, HEAD, MAGIC, index_is_sound, parse, unpack_chunk, walk

__all__ = ["ForeignFileError", "InFile", "McapFile", "Rows"]

_MESSAGE_HEAD = struct.Struct("<HIQQ")
_PACKED = (b"zstd", b"")


class ForeignFileError(Exception):
    """The file may be sound, but a more general reader is needed for it."""


@dataclass(slots=True)
class Rows:
    """The messages of a channel in the file's order: times of receipt [ns], and where each lies.

    Attributes:
        topic: Full name.
        kind: Message type.
        definition: Of the type, with those that it needs.
        type_hash: REP 2011 hash that the channel states; may be empty.
        stay: Whether messages stay in the file.
        times: One for each message [ns].
        sequences: One for each message: its number, as the file tells it.
        data: The messages, where they do not stay.
        places: Byte of the record that holds it, and first and last byte within; where they stay.
    """

    topic: str
    kind: str
    definition: str
    type_hash: str
    stay: bool
    times: list[int] = field(default_factory=list)
    sequences: list[int] = field(default_factory=list)
    data: list[bytes] = field(default_factory=list)
    places: list[tuple[int, int, int]] = field(default_factory=list)


class McapFile:
    """One file, looked through from its first byte to its last.

    Attributes:
        rows: Messages by number of their channel.
        indexed: Whether its index is sound, which other readers need.
    """

    def __init__(self, path: Path, wanted: Callable[[str, str], bool], stays: Callable[[str], bool]) -> None:
        """Read the messages of some topics.

        Args:
            path: The file.
            wanted: Says by topic and type whether messages are read.
            stays: Says by type whether they stay in the file.

        Raises:
            ForeignFileError: It is packed or described in another way than Kata's and rosbag2's files are.
            OSError, ValueError, struct.error, and others of `mcap_records.BROKEN`: It is cut or damaged.
        """
        self.path, self._wanted, self._stays = path, wanted, stays
        self._schemas: dict[int, Schema] = {}
        self._channels: set[int] = set()
        self.rows: dict[int, Rows] = {}
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if data[-len(MAGIC) :] != MAGIC:
                raise ValueError("does not end as an MCAP file")
            for at, end in walk(data, _refuse):
                if data[at] == Opcode.DATA_END:
                    break
                if data[at] == Opcode.CHUNK:
                    self._records(unpack_chunk(_known(data[at + HEAD.size : end])), at)
                elif data[at] in (Opcode.SCHEMA, Opcode.CHANNEL, Opcode.MESSAGE):
                    self._records(data[at:end], at)
            self.indexed = index_is_sound(data)

    def _records(self, raw: bytes, place: int) -> None:
        at, rows = 0, self.rows
        while at < len(raw):
            kind, length = HEAD.unpack_from(raw, at)
            at += HEAD.size
            if kind == Opcode.MESSAGE:
                channel, sequence, time, _ = _MESSAGE_HEAD.unpack_from(raw, at)
                row = rows.get(channel)
                if row is None and channel not in self._channels:
                    raise ValueError(f"a message of channel {channel}, which is not defined")
                if row is not None:
                    row.times.append(time)
                    row.sequences.append(sequence)
                    if row.stay:
                        row.places.append((place, at + _MESSAGE_HEAD.size, at + length))
                    else:
                        row.data.append(raw[at + _MESSAGE_HEAD.size : at + length])
            elif kind in (Opcode.SCHEMA, Opcode.CHANNEL):
                self._define(parse(kind, raw[at : at + length]))
            at += length
        if at != len(raw):
            raise ValueError("a record is longer than its chunk")

    def _define(self, record: object) -> None:
        if isinstance(record, Schema):
            self._schemas[record.id] = record
        elif isinstance(record, Channel) and record.id not in self._channels:
            self._channels.add(record.id)
            schema = self._schemas.get(record.schema_id)
            if schema is None:
                raise ValueError(f"the type of {record.topic} is not defined")
            if self._wanted(record.topic, schema.name):
                if record.message_encoding != "cdr" or schema.encoding != "ros2msg":
                    raise ForeignFileError(f"{record.topic} is {record.message_encoding}, described as {schema.encoding}")
                definition = schema.data.decode()
                type_hash = record.metadata.get("topic_type_hash", "")
                self.rows[record.id] = Rows(record.topic, schema.name, definition, type_hash, self._stays(schema.name))


def _refuse(fault: str) -> None:
    raise ValueError(fault)


def _known(chunk: bytes) -> bytes:
    length = CHUNK_HEAD.unpack_from(chunk)[4]
    kind = chunk[CHUNK_HEAD.size : CHUNK_HEAD.size + length]
    if kind not in _PACKED and kind.isalnum():
        raise ForeignFileError(f"is packed with {kind[:16]!r}")
    return chunk


class InFile(Sequence[bytes]):
    """Messages that stay in their file; asked for in their order, each chunk is unpacked once."""

    def __init__(self, path: Path, places: Sequence[tuple[int, int, int]]) -> None:
        """Remember where they lie."""
        self._path, self._places = path, places
        self._at, self._raw = -1, b""

    def __len__(self) -> int:
        """Return the number of messages."""
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...

    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        """Return a message, or several.

        Raises:
            OSError, ValueError: The file is not as it was.
        """
        if isinstance(index, slice):
            return InFile(self._path, self._places[index])
        record, first, last = self._places[index]
        if record != self._at:
            with self._path.open("rb") as file:
                file.seek(record)
                head = file.read(HEAD.size)
                kind, length = HEAD.unpack(head)
                content = file.read(length)
            self._at, self._raw = record, unpack_chunk(content) if kind == Opcode.CHUNK else head + content
        return self._raw[first:last]
