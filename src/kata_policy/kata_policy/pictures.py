# SPDX-License-Identifier: Apache-2.0
"""Decode and shrink pictures: one way, so that a policy sees on the robot what it was shown in training."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["decode_picture", "shrink"]

_REDUCED = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}
"""JPEG's own scales: halving while decoding is both faster and better than after it."""


def decode_picture(data: bytes | memoryview | NDArray[np.uint8], height: int = 0) -> NDArray[np.uint8] | None:
    """Return a compressed picture, shape (h, w, 3), RGB; None if it cannot be decoded.

    Args:
        data: JPEG or PNG, e.g. the data of a ``sensor_msgs/CompressedImage``.
        height: Greatest height [px], never enlarged; 0 leaves it as it is.
    """
    raw = np.asarray(data, dtype=np.uint8) if isinstance(data, np.ndarray) else np.frombuffer(data, dtype=np.uint8)
    if not len(raw):
        return None
    flag = cv2.IMREAD_COLOR_RGB
    tall = _jpeg_height(raw) if height else 0
    for factor in sorted(_REDUCED):
        if height and tall // factor >= height:
            flag = _REDUCED[factor]
    try:
        picture: NDArray[np.uint8] | None = cv2.imdecode(raw, flag)
    except cv2.error:
        return None
    if picture is None:
        return None
    turned = picture if flag == cv2.IMREAD_COLOR_RGB else cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    return shrink(np.asarray(turned, dtype=np.uint8), height)


def shrink(picture: NDArray[np.uint8], height: int) -> NDArray[np.uint8]:
    """Return a picture, shape (h, w, channels), at most so high [px], its proportions kept; 0 leaves it as it is."""
    if not height or picture.shape[0] <= height:
        return picture
    width = max(1, round(picture.shape[1] * height / picture.shape[0]))
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _jpeg_height(data: NDArray[np.uint8]) -> int:
    """Return the height that a JPEG's frame header tells [px], or 0."""
    raw, at = data[:65536].tobytes(), 2
    while at + 9 < len(raw) and raw[at] == 0xFF:
        if 0xC0 <= raw[at + 1] <= 0xC3:
            return int.from_bytes(raw[at + 5 : at + 7], "big")
        at += 2 + int.from_bytes(raw[at + 2 : at + 4], "big")
    return 0
