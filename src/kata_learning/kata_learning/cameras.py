# SPDX-License-Identifier: Apache-2.0
"""The cameras of a bag: which topics they are, and their pictures as arrays."""

from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from kata_core.errors import DataError
from kata_learning.raw_bags import RawBag

__all__ = ["camera_name", "cameras_of", "read_pictures"]

PREFIX = "camera."
"""Of the stream names of cameras within a `RawBag`."""

_KINDS = ("sensor_msgs/msg/CompressedImage", "sensor_msgs/msg/Image")
_TAIL = ("image_raw", "image", "color", "rgb", "compressed")
_CHANNELS = {"rgb8": 3, "bgr8": 3, "mono8": 1}
_REDUCED = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}
"""JPEG's own scales: halving while decoding is both faster and better than after it."""


def camera_name(topic: str, kind: str) -> str | None:
    """Return the camera's name, or None for a topic that is no camera's.

    ``camera/head/image_raw/compressed`` is ``head``; ``left/camera/wrist`` is ``left.wrist``. Depth is none.
    """
    parts = [part for part in topic.split("/") if part]
    if kind not in _KINDS or any("depth" in part.lower() for part in parts):
        return None
    while len(parts) > 1 and parts[-1] in _TAIL:
        parts.pop()
    kept = [part for part in parts if part != "camera"]
    return ".".join(kept) or "camera"


def cameras_of(bag: RawBag) -> tuple[str, ...]:
    """Return the names of the cameras of a bag, sorted."""
    return tuple(sorted(name.removeprefix(PREFIX) for name in bag.streams if name.startswith(PREFIX)))


def read_pictures(bag: RawBag, camera: str, rows: Sequence[int], height: int) -> Iterator[NDArray[np.uint8]]:
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
    for row in rows:
        stream = bag.decoded(PREFIX + camera, [row])
        picture = _decode(stream.messages[0], height)
        where = f"{bag.info.path}: picture {row} on {stream.topic}"
        if picture is None:
            raise DataError("cannot be decoded", where=where, fix="leave this bag or this camera out")
        first = first or picture.shape
        if picture.shape != first:
            raise DataError(f"is {_size(picture.shape)}, the first {_size(first)}", where=where, fix="leave this bag out")
        yield picture


def _decode(message: Any, height: int) -> NDArray[np.uint8] | None:
    picture = _raw(message) if hasattr(message, "encoding") else _compressed(np.asarray(message.data, dtype=np.uint8), height)
    if picture is None or not height or picture.shape[0] <= height:
        return picture
    width = max(1, round(picture.shape[1] * height / picture.shape[0]))
    scaled: NDArray[np.uint8] = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return scaled


def _compressed(data: NDArray[np.uint8], height: int) -> NDArray[np.uint8] | None:
    flag = cv2.IMREAD_COLOR_RGB
    tall = _jpeg_height(data)
    for factor in sorted(_REDUCED):
        if height and tall // factor >= height:
            flag = _REDUCED[factor]
    try:
        picture: NDArray[np.uint8] | None = cv2.imdecode(data, flag) if len(data) else None
    except cv2.error:
        return None
    turned = flag == cv2.IMREAD_COLOR_RGB or picture is None
    return picture if turned else cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def _jpeg_height(data: NDArray[np.uint8]) -> int:
    """Return the height that a JPEG's frame header tells [px], or 0."""
    raw, at = data[:65536].tobytes(), 2
    while at + 9 < len(raw) and raw[at] == 0xFF:
        if 0xC0 <= raw[at + 1] <= 0xC3:
            return int.from_bytes(raw[at + 5 : at + 7], "big")
        at += 2 + int.from_bytes(raw[at + 2 : at + 4], "big")
    return 0


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
