# SPDX-License-Identifier: Apache-2.0
"""Turn a serialised sensor_msgs/Image into a serialised sensor_msgs/CompressedImage, without ROS in between.

Deserialising a picture in rclpy copies it element by element; the few fields before the pixels are read here
straight from the bytes (CDR, little endian: OMG DDS-XTYPES 1.3, 7.4.1).
"""

import struct
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from kata_data.recording import Store
from kata_model.errors import DataError

__all__ = ["RawImage", "compress_image", "read_image"]

_LITTLE_ENDIAN = b"\x00\x01"
_CHANNELS = {"mono8": 1, "8UC1": 1, "rgb8": 3, "bgr8": 3, "8UC3": 3, "rgba8": 4, "bgra8": 4, "mono16": 1, "16UC1": 1}
_TO_BGR = {"rgb8": cv2.COLOR_RGB2BGR, "rgba8": cv2.COLOR_RGBA2BGR, "bgra8": cv2.COLOR_BGRA2BGR}
_TO_OPENCV = {"rgb8": [2, 1, 0], "rgba8": [2, 1, 0, 3]}
"""Order of the channels as OpenCV writes them, alpha included."""

_FAST = 1
"""zlib's quickest level: a depth picture of 640 × 480 must not cost more than a few milliseconds."""


@dataclass(frozen=True, slots=True)
class RawImage:
    """A picture as it came.

    Attributes:
        header: The message's first fields (stamp and frame), serialised.
        encoding: Such as ``rgb8`` or ``16UC1``.
        pixels: Shape (height, width, channels), of 8 or 16 bits; read-only, of the message's memory.
    """

    header: bytes
    encoding: str
    pixels: NDArray[np.uint8] | NDArray[np.uint16]


def read_image(data: bytes) -> RawImage:
    """Read a serialised sensor_msgs/Image.

    Raises:
        DataError: The bytes are no such message, it has no pixels, or its encoding is none of those known.
    """
    try:
        return _read(data)
    except (struct.error, UnicodeDecodeError, ValueError, IndexError) as error:
        raise DataError(f"not a sensor_msgs/Image: {error}", fix="is the topic of that type?") from error


def _read(data: bytes) -> RawImage:
    if data[:2] != _LITTLE_ENDIAN:
        raise ValueError(f"encapsulation {data[:4].hex()}")
    frame_end = 16 + struct.unpack_from("<I", data, 12)[0]
    at = _aligned(frame_end)
    height, width, length = struct.unpack_from("<III", data, at)
    encoding = data[at + 12 : at + 11 + length].decode("ascii")
    at += 12 + length
    big_endian = data[at] != 0
    step, size = struct.unpack_from("<II", data, _aligned(at + 1))
    pixels = data[_aligned(at + 1) + 8 :]
    if encoding not in _CHANNELS:
        raise DataError(f"pictures of encoding {encoding!r} are not compressed", fix="set store: raw for this stream")
    depth = 2 if "16" in encoding else 1
    kind = np.dtype(np.uint8 if depth == 1 else np.uint16).newbyteorder(">" if big_endian else "<")
    rows = np.frombuffer(pixels, np.uint8, count=size).reshape(height, step)[:, : width * depth * _CHANNELS[encoding]]
    if not rows.size:
        raise DataError(f"a picture of {width} × {height} has no pixels", fix="look at the camera's driver")
    shaped = np.ascontiguousarray(rows).view(kind).reshape(height, width, _CHANNELS[encoding])
    return RawImage(data[4:frame_end], encoding, shaped)


def _aligned(at: int) -> int:
    """Return the next position that is a multiple of 4, counted from behind the encapsulation, which has 4 bytes itself."""
    return (at + 3) & ~3


def compress_image(data: bytes, store: Store, quality: int) -> bytes:
    """Return the serialised sensor_msgs/CompressedImage of a serialised sensor_msgs/Image.

    Args:
        data: The picture.
        store: JPEG for colour, or PNG, which loses nothing and takes 16 bits of depth.
        quality: Of the JPEG, 1 to 100.

    Raises:
        DataError: As `read_image`, or JPEG is asked of 16 bits or of a picture larger than it can hold.
    """
    image = read_image(data)
    pixels = image.pixels.astype(image.pixels.dtype.newbyteorder("="), copy=False)
    if pixels.dtype == np.uint16 and store is Store.JPEG:
        raise DataError(f"JPEG cannot hold {image.encoding}", fix="set store: png for this stream")
    if image.encoding in _TO_BGR and store is Store.JPEG:
        pixels = cv2.cvtColor(pixels, _TO_BGR[image.encoding])
    elif image.encoding in _TO_OPENCV:
        pixels = np.ascontiguousarray(pixels[..., _TO_OPENCV[image.encoding]])
    options = (cv2.IMWRITE_JPEG_QUALITY, quality) if store is Store.JPEG else (cv2.IMWRITE_PNG_COMPRESSION, _FAST)
    try:
        done, encoded = cv2.imencode(".jpg" if store is Store.JPEG else ".png", pixels, options)
    except cv2.error as error:
        raise DataError(f"not compressed: {error.err}", fix="set store: raw for this stream") from error
    if not done:
        raise DataError(
            f"a picture of {pixels.shape[1]} × {pixels.shape[0]} cannot be a {store}", fix="set store: raw for this stream"
        )
    target = "" if pixels.shape[-1] == 1 else "bgra8" if pixels.shape[-1] == 4 else "bgr8"
    return _serialise(image.header, f"{image.encoding}; {store} compressed {target}", encoded.tobytes())


def _serialise(header: bytes, form: str, encoded: bytes) -> bytes:
    """Return CompressedImage as CDR: header, format, data."""
    text = form.encode() + b"\x00"
    head = header + bytes(-len(header) % 4)
    middle = struct.pack("<I", len(text)) + text
    middle += bytes(-len(middle) % 4)
    return b"\x00\x01\x00\x00" + head + middle + struct.pack("<I", len(encoded)) + encoded
