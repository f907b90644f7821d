# SPDX-License-Identifier: Apache-2.0
"""The quick reader of bags against the general one, and what it refuses."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from mcap.opcode import Opcode
from mcap.writer import CompressionType, Writer

from kata_data.bags import reader
from kata_data.bags.mcap_file import ForeignFileError, McapFile
from kata_data.bags.mcap_records import MAGIC
from kata_data.bags.reader import read_bag
from kata_data.building.build import BuildOptions, DatasetConfig, build_dataset
from kata_model.errors import DataError


def everything(topic: str, _: str) -> str:
    return topic


def read_file(path: Path) -> McapFile:
    return McapFile(path, lambda *_: True, lambda _: False)


def write_file(path: Path, compression: CompressionType, *, declare: bool = True, unchunked: bool = False) -> Path:
    """Write twelve messages of two channels of one topic, received in turn but written one channel after the other."""
    writer = Writer(str(path), chunk_size=64, compression=compression, use_chunking=not unchunked)
    writer.start("ros2", "test")
    schema = writer.register_schema("std_msgs/msg/UInt8", "ros2msg", b"uint8 data")
    channels = [writer.register_channel("/count", "cdr", schema) for _ in range(2)] if declare else [8, 9]
    for first, channel in enumerate(channels):
        for i in range(first, 12, 2):
            writer.add_message(channel, 100 + i, b"\0\1\0\0" + bytes([i]), 100 + i)
    writer.finish()
    return path


@pytest.fixture
def bags(pictured_bags: Path, tmp_path: Path) -> list[Path]:
    """Return bags that a test may spoil."""
    return sorted(Path(shutil.copytree(pictured_bags, tmp_path / "bags")).iterdir())


def test_the_quick_reader_finds_what_the_general_one_does(bags, monkeypatch):
    quick = read_bag(bags[0], everything)
    monkeypatch.setattr(reader, "_mcap", lambda *_, **__: None)
    general = read_bag(bags[0], everything)
    assert quick.streams.keys() == general.streams.keys()
    for topic, stream in quick.streams.items():
        other = general.streams[topic]
        assert (stream.topic, stream.kind, list(stream.data)) == (other.topic, other.kind, list(other.data))
        np.testing.assert_array_equal(stream.received, other.received)
        np.testing.assert_array_equal(quick.streams[topic].stamp, general.streams[topic].stamp)


def test_pictures_that_stay_in_a_large_file_are_the_same(bags, g1, tmp_path, monkeypatch):
    hashes = []
    for limit in (reader.IN_MEMORY, 0):
        monkeypatch.setattr(reader, "IN_MEMORY", limit)
        options = BuildOptions(cameras=None, folder=tmp_path / str(limit))
        hashes.append([entry.frames for entry in build_dataset(bags, g1, DatasetConfig(), options).manifest.episodes])
    assert hashes[0] == hashes[1]
    pictures = read_bag(bags[0], everything).streams["/camera/head/image_raw/compressed"].data
    assert list(pictures[2:4]) == [pictures[2], pictures[3]]


@pytest.mark.parametrize("compression", [CompressionType.ZSTD, CompressionType.NONE])
@pytest.mark.parametrize("unchunked", [False, True])
def test_messages_of_one_topic_come_in_order_of_receipt(bags, tmp_path, compression, unchunked):
    place = next(bags[0].glob("*.mcap"))
    write_file(place, compression, unchunked=unchunked)
    about = (bags[0] / "metadata.yaml").read_text()
    about = about.replace("/joint_states", "/count").replace("message_count: 150", "message_count: 12")
    (bags[0] / "metadata.yaml").write_text(about)
    bag = read_bag(bags[0], lambda topic, _: "count" if topic == "/count" else None)
    assert bag.streams["count"].received.tolist() == list(range(100, 112))
    assert [message.data for message in bag.streams["count"].messages] == list(range(12))


def test_other_compressions_are_left_to_the_general_reader(tmp_path):
    with pytest.raises(ForeignFileError, match="lz4"):
        read_file(write_file(tmp_path / "count.mcap", CompressionType.LZ4))


def test_a_message_without_a_channel_is_damage(tmp_path):
    with pytest.raises(ValueError, match="not defined"):
        read_file(write_file(tmp_path / "count.mcap", CompressionType.ZSTD, declare=False))


def flip(data: bytearray) -> None:
    data[data.index(b"zstd") + 40] ^= 1


def cut(data: bytearray) -> None:
    del data[len(data) // 2 :]


def lengthen(data: bytearray) -> None:
    assert data[len(MAGIC)] == Opcode.HEADER
    data[len(MAGIC) + 5] = 1


@pytest.mark.parametrize("spoil", [flip, cut, lengthen])
def test_damage_is_one_line(bags, spoil: Callable[[bytearray], None]):
    place = write_file(next(bags[0].glob("*.mcap")), CompressionType.ZSTD)
    data = bytearray(place.read_bytes())
    spoil(data)
    place.write_bytes(data)
    with pytest.raises(DataError, match="kata bag repair") as caught:
        read_bag(bags[0], everything)
    assert "\n" not in str(caught.value)
