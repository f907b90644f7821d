# SPDX-License-Identifier: Apache-2.0
"""Write one episode as a rosbag2 bag (MCAP), whole or not at all."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml
from mcap.writer import CompressionType, Writer

from kata_core.errors import DataError
from kata_nodes.bag_metadata import BagTopic, metadata_text

__all__ = ["BagWriter", "next_episode"]

_DISTRO = os.environ.get("ROS_DISTRO", "jazzy")

PARTIAL = ".partial-"
"""Prefix of folders that are being written, or were when their recorder died."""


def next_episode(directory: Path) -> Path:
    """Return the folder of the next episode: ``episode_0000`` and so on, after the highest there is."""
    numbers = [int(p.name[8:]) for p in directory.glob("episode_*") if p.name[8:].isdigit()]
    return directory / f"episode_{max(numbers, default=-1) + 1:04d}"


class BagWriter:
    """A bag under a temporary name; `save` completes and renames it, `discard` removes it."""

    def __init__(self, folder: Path, topics: Sequence[BagTopic]) -> None:
        """Open the bag.

        Args:
            folder: Final folder; its parents are made.
            topics: All topics that will be written.

        Raises:
            DataError: The folder exists or cannot be written.
        """
        self.folder = folder
        self.messages = 0
        self._topics = list(topics)
        self._counts = dict.fromkeys((topic.name for topic in topics), 0)
        self._span: tuple[int, int] | None = None
        self._partial = folder.with_name(f"{PARTIAL}{folder.name}-{os.getpid()}")
        try:
            if folder.exists():
                raise FileExistsError(f"{folder} exists")
            self._partial.mkdir(parents=True)
            self._file = (self._partial / f"{folder.name}.mcap").open("wb")
        except OSError as error:
            raise DataError(f"cannot record: {error}", where=str(folder), fix="choose a folder that can be written") from error
        self._writer = Writer(self._file, compression=CompressionType.ZSTD)
        self._writer.start(profile="ros2", library="kata")
        self._channels = {topic.name: self._register(topic) for topic in topics}

    def _register(self, topic: BagTopic) -> int:
        schema = self._writer.register_schema(topic.type.name, "ros2msg", topic.type.definition.encode())
        profiles = yaml.safe_dump([dict(entry) for entry in topic.qos]) if topic.qos else ""
        about = {"offered_qos_profiles": profiles, "topic_type_hash": topic.type.type_hash}
        return self._writer.register_channel(topic.name, "cdr", schema, about)

    @property
    def silent(self) -> list[str]:
        """Names of topics without a message so far."""
        return [name for name, count in self._counts.items() if count == 0]

    @property
    def heard(self) -> set[str]:
        """Names of topics that have a message."""
        return {name for name, count in self._counts.items() if count}

    def write(self, topic: str, data: bytes, stamp: int) -> None:
        """Add one message.

        Args:
            topic: One of the topics given at the start.
            data: Serialised message (CDR).
            stamp: When it was received [ns].

        Raises:
            OSError: The disk is full or failing; the bag must then be discarded.
        """
        self._writer.add_message(self._channels[topic], stamp, data, stamp, self._counts[topic])
        self._counts[topic] += 1
        self.messages += 1
        first, last = self._span or (stamp, stamp)
        self._span = (min(first, stamp), max(last, stamp))

    def save(self, custom: Mapping[str, str]) -> Path:
        """Complete the bag and give it its final name.

        Args:
            custom: Facts about the episode, for ``custom_data`` of metadata.yaml.

        Raises:
            OSError: The disk is full or failing; the bag must then be discarded.
        """
        self._writer.finish()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        counts = [(topic, self._counts[topic.name]) for topic in self._topics]
        text = metadata_text(f"{self.folder.name}.mcap", counts, self._span or (0, 0), custom, _DISTRO)
        (self._partial / "metadata.yaml").write_text(text)
        self._partial.rename(self.folder)
        return self.folder

    def discard(self) -> None:
        """Remove the bag."""
        self._file.close()
        shutil.rmtree(self._partial, ignore_errors=True)
