# SPDX-License-Identifier: Apache-2.0
"""Pictures are decoded and shrunk alike wherever it is done."""

import cv2
import numpy as np
import pytest

from kata_policy.pictures import decode_picture, shrink


@pytest.fixture
def picture() -> np.ndarray:
    across, down = np.meshgrid(np.arange(64, dtype=np.uint8), np.arange(48, dtype=np.uint8))
    return np.stack([3 * across, 4 * down, np.full_like(across, 90)], axis=-1)


def encoded(picture: np.ndarray, kind: str) -> bytes:
    return bytes(cv2.imencode(kind, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1])


def test_a_lossless_picture_comes_back_in_rgb(picture):
    data = encoded(picture, ".png")
    for form in (data, memoryview(data), np.frombuffer(data, np.uint8)):
        np.testing.assert_array_equal(decode_picture(form), picture)


@pytest.mark.parametrize("kind", [".png", ".jpg"])
@pytest.mark.parametrize("height", [48, 30, 24, 12, 6, 1])
def test_a_picture_is_shrunk_while_it_is_decoded_as_well_as_after_it(picture, kind, height):
    small = decode_picture(encoded(picture, kind), height)
    assert small is not None
    assert small.shape == (height, max(1, round(64 * height / 48)), 3)
    after = shrink(picture, height).astype(float)
    assert np.abs(small - after).mean() < 4.0


def test_a_picture_is_never_enlarged(picture):
    assert decode_picture(encoded(picture, ".jpg"), 480).shape == picture.shape
    assert shrink(picture, 0) is picture


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"no picture at all", b"\xff\xd8\xff\xc0\x00"])
def test_what_is_no_picture_is_none(data):
    assert decode_picture(data, 24) is None
