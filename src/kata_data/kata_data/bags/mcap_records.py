# SPDX-License-Identifier: Apache-2.0
"""Records of an MCAP file (MCAP 1.0, https://mcap.dev/spec): how they are framed, and chunks unpacked and proved.

One byte says what a record is, eight how long it is. Where a length makes no sense, the next chunk is looked for by its
mark, since every chunk stands for itself. Nothing is trusted: no length, no size, no text.
"""

import mmap
import struct
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO

from backports.zstd import ZstdDecompressor, ZstdError
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Attachment, Channel, Message, Metadata, Schema

__all__ = ["BROKEN", "CHUNK_HEAD", "HEAD", "MAGIC", "PARTS", "index_is_sound", "parse", "records_of", "unpack_chunk", "walk"]

MAGIC = b"\x89MCAP0\r\n"
HEAD = struct.Struct("<BQ")
"""Kind and length of a record."""

CHUNK_HEAD = struct.Struct("<QQQII")
"""First and last time, size, checksum, and length of the compression's name."""

PARTS = {Opcode.SCHEMA: Schema, Opcode.CHANNEL: Channel, Opcode.MESSAGE: Message, Opcode.ATTACHMENT: Attachment}
PARTS |= {Opcode.METADATA: Metadata}

BROKEN = (McapError, ZstdError, struct.error, ValueError, RuntimeError, MemoryError, OverflowError, EOFError)
"""What unpacking raises on bytes that are no chunk or no record."""

_LARGEST = 1 << 29
"""No chunk of more bytes is unpacked: a damaged size must not fill the memory."""

_FOOTER = struct.Struct("<QQI")
_MARK = b"\x04\x00\x00\x00zstd"
"""What stands in a chunk where its compression is named."""

_MARK_AT = HEAD.size + 28


def walk(data: mmap.mmap, fault: Callable[[str], None]) -> Iterator[tuple[int, int]]:
    """Yield where each record of a file begins and ends.

    Args:
        data: The file.
        fault: Called with what is wrong; what it raises ends the walk, else this goes on at the next chunk.
    """
    at, size = len(MAGIC), len(data)
    if data[:at] != MAGIC:
        fault("does not begin as an MCAP file")
        at = _next_chunk(data, 0)
    while at < size:
        if size - at <= len(MAGIC) and data[at:] == MAGIC:
            return
        end = _end(data, at, size)
        if end is None:
            fault(f"damaged at byte {at} of {size}")
            at = _next_chunk(data, at + 1)
            continue
        yield at, end
        at = end
    fault("ends without its index: the recording was cut")


def _end(data: mmap.mmap, at: int, size: int) -> int | None:
    """Return where the record at a place ends, or None if none can be there."""
    if size - at < HEAD.size:
        return None
    kind, length = HEAD.unpack_from(data, at)
    known = Opcode.HEADER <= kind <= Opcode.DATA_END
    return at + HEAD.size + int(length) if known and length <= size - at - HEAD.size else None


def _next_chunk(data: mmap.mmap, start: int) -> int:
    """Return where the next chunk begins at or after a place, or the file's end."""
    hit = data.find(_MARK, start + _MARK_AT)
    while hit >= 0 and data[hit - _MARK_AT] != Opcode.CHUNK:
        hit = data.find(_MARK, hit + 1)
    return hit - _MARK_AT if hit >= 0 else len(data)


def index_is_sound(data: mmap.mmap) -> bool:
    """Return whether the checksum of the summary is right, which holds definitions again."""
    footer = len(data) - len(MAGIC) - HEAD.size - _FOOTER.size
    if footer < 0 or data[footer] != Opcode.FOOTER:
        return False
    start, _, checksum = _FOOTER.unpack_from(data, footer + HEAD.size)
    return not checksum or zlib.crc32(data[start : footer + HEAD.size + 16]) == checksum


def unpack_chunk(content: bytes) -> bytes:
    """Return the records inside a chunk, proved by size and checksum.

    Raises:
        One of `BROKEN`: The chunk is damaged, or packed in an unknown way.
    """
    _, _, size, checksum, length = CHUNK_HEAD.unpack_from(content)
    kind = content[CHUNK_HEAD.size : CHUNK_HEAD.size + length]
    packed = content[CHUNK_HEAD.size + length + 8 :]
    if size > _LARGEST:
        raise ValueError(f"unpacks to {size} bytes")
    raw = _decompress(packed, kind, size)
    if len(raw) != size or (checksum and zlib.crc32(raw) != checksum):
        raise ValueError("checksum differs")
    return raw


def _decompress(packed: bytes, kind: bytes, size: int) -> bytes:
    if kind == b"zstd":
        return bytes(ZstdDecompressor().decompress(packed, max_length=size + 1))
    if kind == b"":
        return packed
    raise ValueError(f"compression {kind[:16]!r} is unknown")


def records_of(raw: bytes) -> Iterator[object]:
    """Yield schemas, channels and messages of a chunk's content.

    Raises:
        ValueError: A record is longer than the chunk, or not what it says.
    """
    at = 0
    while at < len(raw):
        kind, length = HEAD.unpack_from(raw, at)
        end = at + HEAD.size + length
        if end > len(raw):
            raise ValueError("a record is longer than its chunk")
        if kind in PARTS:
            yield parse(kind, raw[at + HEAD.size : end])
        at = end


def parse(kind: int, content: bytes) -> object:
    """Return a record of a kind in `PARTS`.

    Raises:
        One of `BROKEN`: It is not what it says.
    """
    stream = ReadDataStream(BytesIO(content))
    record = PARTS[Opcode(kind)]
    return record.read(stream, len(content)) if record is Message else record.read(stream)
