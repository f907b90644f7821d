# SPDX-License-Identifier: Apache-2.0
"""Records of an MCAP file (MCAP 1.0, https://mcap.dev/spec): how they are framed, and chunks unpacked and proved.

One byte says what a record is, eight how long it is. Nothing is trusted: no length, no size, no text.
"""

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO

from backports.zstd import ZstdDecompressor, ZstdError
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Attachment, Channel, Message, Metadata, Schema

__all__ = ["BROKEN", "CHUNK_HEAD", "HEAD", "MAGIC", "PARTS", "parse", "records_of", "unpack_chunk"]

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
