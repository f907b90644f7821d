# SPDX-License-Identifier: Apache-2.0
"""Read the numbers of many joint messages at once, and the data of pictures, without making an object of each message.

``sensor_msgs/JointState`` and ``kata_msgs/JointCommand`` begin alike (header, names) and go on with sequences of
float64. From one publisher all messages differ in nothing but the stamp and the numbers, so that they stack to a
table of bytes. Layout: OMG CDR, XCDR version 1, little endian; alignment counts from behind the four bytes of
encapsulation.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray

__all__ = ["FIELDS", "JointTable", "header_stamp", "picture_data", "read_joints"]

FIELDS = {
    "sensor_msgs/msg/JointState": ("position", "velocity", "effort"),
    "kata_msgs/msg/JointCommand": ("position", "velocity", "effort", "stiffness", "damping"),
}
"""Sequences of float64 behind the names, in order, by message type."""

_LITTLE_ENDIAN = b"\x00\x01"
_STAMP = slice(4, 12)


@dataclass(frozen=True, slots=True)
class JointTable:
    """Joint messages as arrays; N messages of m joints in the order of the messages.

    Attributes:
        names: Length m.
        stamp: Shape (N,), [ns].
        numbers: By field, shape (N, m); zero where the field was left empty.
    """

    names: tuple[str, ...]
    stamp: NDArray[np.int64]
    numbers: dict[str, FloatArray]


def read_joints(messages: Sequence[bytes], kind: str) -> JointTable | None:
    """Return the numbers of messages of one type; None where they are not all of one layout.

    Args:
        messages: As they lie in the bag, at least one.
        kind: A key of `FIELDS`.
    """
    first = bytes(messages[0])
    size = len(first)
    if first[:2] != _LITTLE_ENDIAN or any(len(message) != size for message in messages):
        return None
    try:
        names, fields, fixed = _layout(first, FIELDS[kind])
    except (struct.error, ValueError, IndexError):
        return None
    table = np.frombuffer(b"".join(messages), dtype=np.uint8).reshape(len(messages), size)
    template = table[0]
    if not all((table[:, part] == template[part]).all() for part in fixed):
        return None
    seconds = np.ascontiguousarray(table[:, _STAMP]).view("<i4").astype(np.int64)
    zeros = np.zeros((len(messages), len(names)))
    numbers = {
        name: zeros if part is None else np.ascontiguousarray(table[:, part]).view("<f8").astype(float, copy=False)
        for name, part in fields.items()
    }
    return JointTable(names, seconds[:, 0] * 1_000_000_000 + seconds[:, 1], numbers)


def number_slices(message: bytes, kind: str) -> dict[str, slice]:
    """Return where each field's numbers lie in a message of a type of `FIELDS`; fields left empty are missing."""
    _, places, _ = _layout(message, FIELDS[kind])
    return {name: place for name, place in places.items() if place is not None}


def header_stamp(message: bytes) -> int | None:
    """Return the stamp of a message that begins with a header [ns]; None where it is of another byte order, or cut."""
    if len(message) < _STAMP.stop or message[:2] != _LITTLE_ENDIAN:
        return None
    seconds, nanoseconds = struct.unpack_from("<iI", message, _STAMP.start)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)


def picture_data(message: bytes) -> memoryview | None:
    """Return what a ``sensor_msgs/CompressedImage`` holds; None where it is of another byte order, or cut."""
    if len(message) < _STAMP.stop or message[:2] != _LITTLE_ENDIAN:
        return None
    at = _STAMP.stop
    try:
        for _ in ("frame_id", "format"):
            length, at = _count(message, at)
            at += length
        length, at = _count(message, at)
    except struct.error:
        return None
    return memoryview(message)[at : at + length] if at + length <= len(message) else None


def _layout(data: bytes, fields: Sequence[str]) -> tuple[tuple[str, ...], dict[str, slice | None], list[slice]]:
    """Return the names, where each field's numbers are (None: empty), and the parts that all messages share."""
    at = 12
    length, at = _count(data, at)
    count, at = _count(data, at + length)
    names = []
    for _ in range(count):
        length, at = _count(data, at)
        names.append(data[at : at + length - 1].decode())
        at += length
    fixed = [slice(0, 4), slice(12, at)]
    places: dict[str, slice | None] = {}
    for field in fields:
        start = at
        number, at = _count(data, at)
        if number not in (0, count):
            raise ValueError(f"{field} has {number} numbers for {count} joints")
        # Even where the sequence is empty no number follows that would have to be aligned.
        at = _align(at, 8) if number else at
        fixed.append(slice(start, at))
        places[field] = slice(at, at + 8 * number) if number else None
        at += 8 * number
    if at > len(data):
        raise ValueError("cut")
    return tuple(names), places, fixed


def _count(data: bytes, at: int) -> tuple[int, int]:
    at = _align(at, 4)
    return struct.unpack_from("<I", data, at)[0], at + 4


def _align(at: int, size: int) -> int:
    return (at - 4 + size - 1) // size * size + 4
