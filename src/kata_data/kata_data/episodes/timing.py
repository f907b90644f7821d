# SPDX-License-Identifier: Apache-2.0
"""When the messages of a bag were measured and came, read without decoding them."""

import json
import struct
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from rosbags.highlevel import AnyReader
from rosbags.interfaces import Connection
from rosbags.typesys.store import Typestore

from kata_data.bags.reader import BROKEN, BagInfo, read_info, unreadable
from kata_data.grading import StreamTimes
from kata_data.recording import StreamSpec

__all__ = ["read_times"]

_HEADER = "std_msgs/msg/Header"
_ENDIAN = 1  # byte of a CDR message's head that says how its numbers are written
_BEGIN, _LITTLE, _BIG = 4, struct.Struct("<iI"), struct.Struct(">iI")


def read_times(path: Path, specs: Sequence[StreamSpec]) -> tuple[StreamTimes, ...]:
    """Return the times of all streams of a bag that have a message, in the order of their topics.

    Args:
        path: Folder of the bag.
        specs: Streams of the robot, for their expected rates.

    Raises:
        DataError: The bag is cut or damaged.
    """
    info = read_info(path)
    rows: dict[str, list[tuple[int, int]]] = defaultdict(list)
    try:
        with AnyReader([path]) as reader:
            headed = {c.topic: _has_header(c, reader.typestore) for c in reader.connections}
            types = {c.topic: c.msgtype for c in reader.connections}
            for connection, received, data in reader.messages():
                topic = connection.topic
                rows[topic].append((_stamp(data) if headed[topic] else received, received))
    except BROKEN as error:
        raise unreadable(error, path) from error
    lost = _lost(info)
    return tuple(_times(topic, rows[topic], types[topic], specs, lost) for topic in sorted(rows))


def _has_header(connection: Connection, store: Typestore) -> bool:
    _, fields = store.fielddefs[connection.msgtype]
    return bool(fields) and fields[0][1][1] == _HEADER


def _stamp(data: bytes) -> int:
    """Return the stamp in the header that a serialised message begins with [ns]."""
    seconds, nanoseconds = _LITTLE.unpack_from(data, _BEGIN) if data[_ENDIAN] & 1 else _BIG.unpack_from(data, _BEGIN)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)


def _lost(info: BagInfo) -> Mapping[str, int]:
    """Return what the recorder lost by topic; empty if it did not count."""
    try:
        counts = json.loads(info.custom.get("streams", "{}"))
        return {topic.strip("/"): int(count["lost"]) + int(count["refused"]) for topic, count in counts.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _times(
    topic: str, rows: Sequence[tuple[int, int]], kind: str, specs: Sequence[StreamSpec], lost: Mapping[str, int]
) -> StreamTimes:
    name = topic.strip("/")
    rate = next((s.rate for s in specs if name == s.topic or name.endswith(f"/{s.topic}")), 0.0)
    stamps, received = np.array(rows, dtype=np.int64).T
    return StreamTimes(name, stamps, received, rate, lost.get(name), kind.startswith("sensor_msgs/"))
