# SPDX-License-Identifier: Apache-2.0
"""Pictures are compressed from their serialised bytes, and say the same after it."""

import cv2
import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from kata_data.recording import Store
from kata_model.errors import DataError
from kata_nodes.convert import to_time
from kata_nodes.recorder.image_cdr import compress_image, read_image

RNG = np.random.default_rng(0)


def image(encoding, pixels, frame="camera", padding=0, big_endian=False):
    rows = pixels.reshape(pixels.shape[0], -1)
    raw = np.ascontiguousarray(rows).view(np.uint8).reshape(pixels.shape[0], -1)
    raw = np.pad(raw, ((0, 0), (0, padding)))
    header = Header(stamp=to_time(1_234_567_890), frame_id=frame)
    message = Image(header=header, height=pixels.shape[0], width=pixels.shape[1], encoding=encoding, step=raw.shape[1])
    message.is_bigendian, message.data = int(big_endian), raw.tobytes()
    return bytes(serialize_message(message))


def decoded(data, store, quality=95):
    message = deserialize_message(compress_image(data, store, quality), CompressedImage)
    return message, cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_UNCHANGED)


@pytest.mark.parametrize("frame", ["", "c", "ca", "cam", "came", "camera"])
@pytest.mark.parametrize("padding", [0, 3])
def test_depth_is_lossless_whatever_the_alignment(frame, padding):
    pixels = RNG.integers(0, 2**16, (24, 32), dtype=np.uint16)
    message, back = decoded(image("16UC1", pixels, frame, padding), Store.PNG)
    np.testing.assert_array_equal(back, pixels)
    assert (message.header.frame_id, message.header.stamp.nanosec) == (frame, 234_567_890)
    assert message.format == "16UC1; png compressed "


def test_big_endian_depth_is_understood():
    pixels = RNG.integers(0, 2**16, (4, 6), dtype=np.uint16)
    np.testing.assert_array_equal(decoded(image("mono16", pixels.astype(">u2"), big_endian=True), Store.PNG)[1], pixels)


@pytest.mark.parametrize(("encoding", "order"), [("rgb8", [2, 1, 0]), ("bgr8", [0, 1, 2]), ("rgba8", [2, 1, 0, 3])])
def test_colours_are_lossless_as_png(encoding, order):
    pixels = RNG.integers(0, 256, (8, 10, len(order)), dtype=np.uint8)
    np.testing.assert_array_equal(decoded(image(encoding, pixels), Store.PNG)[1], pixels[..., order])


def test_jpeg_keeps_the_colours():
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 200
    message, back = decoded(image("rgb8", red), Store.JPEG)
    assert message.format == "rgb8; jpeg compressed bgr8"
    np.testing.assert_allclose(back.reshape(-1, 3).mean(axis=0), [0, 0, 200], atol=4)


def test_what_cannot_be_kept_is_refused_in_one_line():
    depth = image("16UC1", np.zeros((4, 4), np.uint16))
    for wrong, match in ((depth, "JPEG cannot hold"), (image("32FC1", np.zeros((4, 4), np.float32)), "32FC1")):
        with pytest.raises(DataError, match=match) as caught:
            compress_image(wrong, Store.JPEG, 90)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.1, 0.5, 0.99])
def test_a_cut_message_is_refused(share):
    data = image("rgb8", np.zeros((16, 16, 3), np.uint8))
    with pytest.raises(DataError, match="not a sensor_msgs/Image"):
        read_image(data[: int(share * len(data))])


@pytest.mark.parametrize(("height", "width"), [(0, 0), (0, 4), (4, 0)])
def test_a_picture_without_pixels_is_refused(height, width):
    with pytest.raises(DataError, match=f"{width} × {height} has no pixels"):
        read_image(bytes(serialize_message(Image(height=height, width=width, encoding="rgb8", step=3 * width))))


def test_what_the_encoder_cannot_hold_is_refused(monkeypatch):
    with pytest.raises(DataError):
        compress_image(image("mono8", np.zeros((1, 70_000), np.uint8)), Store.JPEG, 90)
    monkeypatch.setattr(cv2, "imencode", lambda *_: (False, np.zeros(0, np.uint8)))
    with pytest.raises(DataError, match="cannot be a jpeg"):
        compress_image(image("mono8", np.zeros((2, 2), np.uint8)), Store.JPEG, 90)
