# SPDX-License-Identifier: Apache-2.0
"""Read what is whole of a damaged MCAP file: each chunk that its checksum proves, wherever it lies."""

import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mcap.opcode import Opcode
from mcap.records import Attachment, Channel, Message, Metadata, Schema

from kata_data.bags.mcap_records import BROKEN, CHUNK_HEAD, HEAD, PARTS, index_is_sound, parse, records_of, unpack_chunk, walk
from kata_data.recording import is_sound
from kata_model.errors import DataError

__all__ = ["Salvage"]


@dataclass
class Salvage:
    """A file, and what was found in it.

    Attributes:
        path: The file.
        schemas: By number.
        channels: By number.
        attachments: Files in the file.
        metadata: By name, pairs of text.
        damage: What was passed over, in words; empty for a whole file.
    """

    path: Path
    schemas: dict[int, Schema] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    attachments: list[Attachment] = field(default_factory=list)
    metadata: dict[str, dict[str, str]] = field(default_factory=dict)
    damage: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Look through the whole file for everything but messages.

        Raises:
            DataError: The file cannot be opened.
        """
        for record in self._records():
            if isinstance(record, Schema):
                self.schemas.setdefault(record.id, record)
            elif isinstance(record, Channel):
                self.channels.setdefault(record.id, record)
            elif isinstance(record, Metadata):
                self._note_metadata(record)
            elif isinstance(record, Attachment):
                self.attachments.append(record)

    def _note_metadata(self, record: Metadata) -> None:
        if is_sound(record.metadata):
            self.metadata[record.name] = dict(record.metadata)
        else:
            self.damage.append(f"metadata {record.name!r} are damaged")

    def messages(self) -> Iterator[Message]:
        """Yield the messages of known channels, in the file's order."""
        noted = len(self.damage)
        for record in self._records():
            if isinstance(record, Message) and record.channel_id in self.channels:
                yield record
        del self.damage[noted:]  # it was noted the first time

    def _records(self) -> Iterator[object]:
        try:
            with self.path.open("rb") as file:
                size = file.seek(0, 2)
                if not size:
                    self.damage.append("the file is empty")
                    return
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                    seen: set[bytes] = set()
                    for at, end in walk(data, self.damage.append):
                        if data[at] == Opcode.DATA_END and not index_is_sound(data):
                            self.damage.append("its index is damaged")
                            return
                        yield from self._open(data, at, end, seen)
        except OSError as error:
            raise DataError(f"cannot be read: {error.strerror or error}", where=str(self.path)) from error

    def _open(self, data: mmap.mmap, at: int, end: int, seen: set[bytes]) -> Iterator[object]:
        """Yield what a record holds; a chunk's records only if all of them are whole, and only once."""
        content = data[at + HEAD.size : end]
        try:
            if data[at] == Opcode.CHUNK:
                raw = unpack_chunk(content)
                yield from list(records_of(raw)) if _is_new(content, seen) else ()
            elif data[at] in PARTS:
                yield parse(data[at], content)
        except BROKEN as error:
            text = " ".join(str(error).split()) or type(error).__name__
            self.damage.append(f"{'chunk' if data[at] == Opcode.CHUNK else 'record'} at byte {at}: {text}")


def _is_new(chunk: bytes, seen: set[bytes]) -> bool:
    """Return whether no sound chunk had the same times, size and checksum: blocks of a disk may come twice."""
    head, checksum = chunk[: CHUNK_HEAD.size - 4], CHUNK_HEAD.unpack_from(chunk)[3]
    new = not checksum or head not in seen
    seen.add(head)
    return new
