# SPDX-License-Identifier: Apache-2.0
"""The cameras of a bag: which topics they are, and their pictures as arrays."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kata_data.bags.cdr import picture_data
from kata_data.bags.reader import PICTURES, Bag, Stream
from kata_model.errors import DataError
from kata_policy.pictures import decode_picture, shrink

__all__ = ["camera_name", "cameras_of", "read_pictures"]

PREFIX = "camera."
"""Of the stream names of cameras within a `Bag`."""

_COMPRESSED = "sensor_msgs/msg/CompressedImage"
_TAIL = ("image_raw", "image", "color", "rgb", "compressed")
_CHANNELS = {"rgb8": 3, "bgr8": 3, "mono8": 1}


def camera_name(topic: str, kind: str) -> str | None:
    """Return the camera's name, or None for a topic that is no camera's.

    ``camera/head/image_raw/compressed`` is ``head``; ``left/camera/wrist`` is ``left.wrist``. Depth is none.
    """
    parts = [part for part in topic.split("/") if part]
    if kind not in PICTURES or any("depth" in part.lower() for part in parts):
        return None
    while len(parts) > 1 and parts[-1] in _TAIL:
        parts.pop()
    kept = [part for part in parts if part != "camera"]
    return ".".join(kept) or "camera"


def cameras_of(bag: Bag) -> tuple[str, ...]:
    """Return the names of the cameras of a bag, sorted."""
    return tuple(sorted(name.removeprefix(PREFIX) for name in bag.streams if name.startswith(PREFIX)))


def read_pictures(bag: Bag, camera: str, rows: Sequence[int], height: int) -> Iterator[NDArray[np.uint8]]:
    """Yield pictures of a camera, shape (height, width, 3), RGB, all of one size.

    Args:
        bag: The bag.
        camera: Name of the camera.
        rows: Which of its messages.
        height: Greatest height [px]; taller pictures are scaled down. 0 leaves them as they were recorded.

    Raises:
        DataError: A picture is damaged, of an unknown encoding, or of another size than the first.
    """
    first: tuple[int, ...] = ()
    stream = bag.streams[PREFIX + camera]
    for row in rows:
        picture = _picture(stream, row, height)
        where = f"{bag.info.path}: picture {row} on {stream.topic}"
        if picture is None:
            raise DataError("cannot be decoded", where=where, fix="leave this bag or this camera out")
        first = first or picture.shape
        if picture.shape != first:
            raise DataError(f"is {_size(picture.shape)}, the first {_size(first)}", where=where, fix="leave this bag out")
        yield picture


def _picture(stream: Stream, row: int, height: int) -> NDArray[np.uint8] | None:
    data = picture_data(stream.data[row]) if stream.kind == _COMPRESSED else None
    if data is not None:
        return decode_picture(data, height)
    message = stream.message(row)
    if stream.kind == _COMPRESSED:
        return decode_picture(np.asarray(message.data, dtype=np.uint8), height)
    raw = _raw(message)
    return None if raw is None else shrink(raw, height)


def _raw(message: Any) -> NDArray[np.uint8] | None:
    channels = _CHANNELS.get(message.encoding)
    data = np.asarray(message.data, dtype=np.uint8)
    if channels is None or len(data) != message.height * message.step or message.step < message.width * channels:
        return None
    rows = data.reshape(message.height, message.step)[:, : message.width * channels]
    picture = rows.reshape(message.height, message.width, channels)
    if channels == 1:
        return np.repeat(picture, 3, axis=2)
    return np.ascontiguousarray(picture[..., ::-1] if message.encoding == "bgr8" else picture)


def _size(shape: Sequence[int]) -> str:
    return f"{shape[1]}×{shape[0]}"
