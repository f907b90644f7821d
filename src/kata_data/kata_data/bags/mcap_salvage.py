# SPDX-License-Identifier: Apache-2.0
"""Read what is whole of a damaged MCAP file: each chunk that its checksum proves, wherever it lies.

The file is a row of records (MCAP 1.0, https://mcap.dev/spec): one byte says what it is, eight how long it is. Where a
length makes no sense, the next chunk is looked for by its mark, since every chunk stands for itself. Nothing is trusted: no
length, no size, no text.
"""

import mmap
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mcap.opcode import Opcode
from mcap.records import Attachment, Channel, Message, Metadata, Schema

from kata_data.bags.mcap_records import BROKEN, CHUNK_HEAD, HEAD, MAGIC, PARTS, parse, records_of, unpack_chunk
from kata_data.recording import is_sound
from kata_model.errors import DataError

__all__ = ["Salvage"]

_FOOTER = struct.Struct("<QQI")
_MARK = b"\x04\x00\x00\x00zstd"
"""What stands in a chunk where its compression is named."""

_MARK_AT = HEAD.size + 28


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
                self._note_facts(record)
            elif isinstance(record, Attachment):
                self.attachments.append(record)

    def _note_facts(self, record: Metadata) -> None:
        if is_sound(record.metadata):
            self.metadata[record.name] = dict(record.metadata)
        else:
            self.damage.append(f"facts {record.name!r} are damaged")

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
                    yield from self._walk(data, size)
        except OSError as error:
            raise DataError(f"cannot be read: {error.strerror or error}", where=str(self.path)) from error

    def _walk(self, data: mmap.mmap, size: int) -> Iterator[object]:
        whole = data[:8] == MAGIC
        if not whole:
            self.damage.append("does not begin as an MCAP file")
        seen: set[bytes] = set()
        at = 8 if whole else self._resync(data, 0)
        while at < size:
            if size - at <= len(MAGIC) and data[at:] == MAGIC:
                return
            step = self._length(data, at, size)
            if step is None:
                self.damage.append(f"damaged at byte {at} of {size}")
                at = self._resync(data, at + 1)
                continue
            if data[at] == Opcode.DATA_END and not _index_is_sound(data, size):
                self.damage.append("its index is damaged")
                return
            yield from self._open(data, at, step, seen)
            at += step
        self.damage.append("ends without its index: the recording was cut")

    @staticmethod
    def _length(data: mmap.mmap, at: int, size: int) -> int | None:
        """Return how long the record at a place is, or None if none can be there."""
        if size - at < HEAD.size:
            return None
        kind, length = HEAD.unpack_from(data, at)
        known = Opcode.HEADER <= kind <= Opcode.DATA_END
        return HEAD.size + length if known and length <= size - at - HEAD.size else None

    @staticmethod
    def _resync(data: mmap.mmap, start: int) -> int:
        """Return where the next chunk begins at or after a place, or the file's end."""
        hit = data.find(_MARK, start + _MARK_AT)
        while hit >= 0 and data[hit - _MARK_AT] != Opcode.CHUNK:
            hit = data.find(_MARK, hit + 1)
        return hit - _MARK_AT if hit >= 0 else len(data)

    def _open(self, data: mmap.mmap, at: int, step: int, seen: set[bytes]) -> Iterator[object]:
        """Yield what a record holds; a chunk's records only if all of them are whole, and only once."""
        content = data[at + HEAD.size : at + step]
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


def _index_is_sound(data: mmap.mmap, size: int) -> bool:
    """Return whether the checksum of the summary is right, which holds definitions again."""
    footer = size - len(MAGIC) - HEAD.size - _FOOTER.size
    if footer < 0 or data[footer] != Opcode.FOOTER:
        return False
    start, _, checksum = _FOOTER.unpack_from(data, footer + HEAD.size)
    return not checksum or zlib.crc32(data[start : footer + HEAD.size + 16]) == checksum
