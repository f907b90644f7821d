# SPDX-License-Identifier: Apache-2.0
"""Write one episode as a rosbag2 bag (MCAP), whole or not at all."""

import fcntl
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import yaml
from mcap.writer import CompressionType, Writer

from kata_data.bags.definitions import BagTopic
from kata_data.bags.metadata import PARTIAL, metadata_text, sealed
from kata_data.bags.writeback import start_writeback
from kata_model.errors import DataError

__all__ = ["BagWriter", "next_episode", "unfinished"]

_DISTRO = os.environ.get("ROS_DISTRO", "jazzy")

_CHUNK = 4 * 1024 * 1024
"""Size at which a chunk ends; the index of each stays in memory until the bag is saved."""


def next_episode(directory: Path) -> Path:
    """Return the folder of the next episode: ``episode_0000`` and so on, after the highest there is."""
    numbers = [int(p.name[8:]) for p in directory.glob("episode_*") if p.name[8:].isdigit()]
    return directory / f"episode_{max(numbers, default=-1) + 1:04d}"


def unfinished(directory: Path) -> list[Path]:
    """Return folders of episodes whose recorder died, or still writes."""
    return sorted(directory.glob(f"{PARTIAL}episode_*"))


class BagWriter:
    """A bag under a temporary name; `save` completes and renames it, `discard` removes it, `keep` leaves it to be repaired.

    Attributes:
        folder: Final folder.
        partial: Folder while it is written.
        messages: Messages written.
    """

    def __init__(self, folder: Path, topics: Sequence[BagTopic], metadata: Mapping[str, str] | None = None) -> None:
        """Open the bag.

        Args:
            folder: Final folder; its parents are made.
            topics: All topics that will be written.
            metadata: What is known of the episode at its beginning, for whoever repairs it.

        Raises:
            DataError: The folder exists or cannot be written.
        """
        self.folder = folder
        self.messages = 0
        self._topics = list(topics)
        self._counts = dict.fromkeys((topic.name for topic in topics), 0)
        self._span: tuple[int, int] | None = None
        self.partial = _partial(folder)
        try:
            if folder.exists():
                raise FileExistsError(f"{folder} exists")
            self.partial.mkdir(parents=True)
            self._file = (self.partial / f"{folder.name}.mcap").open("wb")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # so that nobody repairs it meanwhile
            self._writer = Writer(self._file, _CHUNK, CompressionType.ZSTD, enable_data_crcs=True)
            self._writer.start(profile="ros2", library="kata")
            self._channels = {topic.name: self._register(topic) for topic in topics}
            self._writer.add_metadata("kata", sealed(metadata or {}))
            self._file.flush()
        except OSError as error:
            raise DataError(f"cannot record: {error}", where=str(folder), fix="choose a folder that can be written") from error

    def _register(self, topic: BagTopic) -> int:
        schema = self._writer.register_schema(topic.type.name, "ros2msg", topic.type.definition.encode())
        profiles = yaml.safe_dump([dict(entry) for entry in topic.qos]) if topic.qos else ""
        about = {"offered_qos_profiles": profiles, "topic_type_hash": topic.type.type_hash}
        return int(self._writer.register_channel(topic.name, "cdr", schema, about))

    @property
    def silent(self) -> list[str]:
        """Names of topics without a message so far."""
        return [name for name, count in self._counts.items() if count == 0]

    @property
    def heard(self) -> set[str]:
        """Names of topics that have a message."""
        return {name for name, count in self._counts.items() if count}

    def write(self, topic: str, data: bytes, stamp: int, published: int = 0, sequence: int = 0) -> None:
        """Add one message.

        Args:
            topic: One of the topics given at the start.
            data: Serialised message (CDR).
            stamp: When it was received [ns].
            published: When it was sent, by the same clock [ns]; 0 if that is not known.
            sequence: The publisher's count; 0 if it has none.

        Raises:
            OSError: The disk is full or failing; the bag must then be kept or discarded.
        """
        self._writer.add_message(self._channels[topic], stamp, data, published or stamp, sequence & 0xFFFFFFFF)
        self._counts[topic] += 1
        self.messages += 1
        first, last = self._span or (stamp, stamp)
        self._span = (min(first, stamp), max(last, stamp))

    def attach(self, name: str, media_type: str, text: str, stamp: int) -> None:
        """Add a file to the bag, as it was at a time [ns].

        Raises:
            OSError: As `write`.
        """
        self._writer.add_attachment(stamp, stamp, name, media_type, text.encode())

    def flush(self) -> None:
        """End the chunk and hand it to the system: what was written by now outlives the process.

        Raises:
            OSError: As `write`.
        """
        self._writer.flush()

    def sync(self) -> None:
        """Have what was flushed brought to the disk, so that less is left to do at the end.

        Raises:
            OSError: As `write`.
        """
        start_writeback(self._file.fileno())

    def save(self, custom: Mapping[str, str]) -> Path:
        """Complete the bag and give it its final name.

        Args:
            custom: What is known of the episode, for ``custom_data`` of metadata.yaml.

        Raises:
            OSError: The disk is full or failing; the bag must then be kept or discarded.
        """
        self._writer.add_metadata("episode", sealed(custom))
        self._writer.finish()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        topics = [topic.summary(self._counts[topic.name]) for topic in self._topics]
        text = metadata_text(f"{self.folder.name}.mcap", topics, self._span or (0, 0), custom, _DISTRO)
        _write_synced(self.partial / "metadata.yaml", text)
        self.partial.rename(self.folder)
        _sync_folder(self.folder.parent)
        return self.folder

    def keep(self, damage: str = "") -> Path:
        """Leave the bag as it is, and return its folder; `kata bag repair` completes it.

        Args:
            damage: Why it is not whole; it is stored in the bag where the disk still takes it.
        """
        with suppress(Exception):  # whatever broke the writing may break this; what is in the file counts
            self._writer.flush()
            if damage:
                self._writer.add_metadata("episode", sealed({"damage": damage}))
                self._file.flush()
        self._close()
        return self.partial

    def discard(self) -> None:
        """Remove the bag."""
        self._close()
        shutil.rmtree(self.partial, ignore_errors=True)

    def _close(self) -> None:
        """Close the file; a full disk refuses what is still in the buffer."""
        with suppress(OSError):
            self._file.close()


def _partial(folder: Path) -> Path:
    """Return a temporary name that nobody uses; what was broken off before keeps its own."""
    stem = f"{PARTIAL}{folder.name}-{os.getpid()}"
    taken = len(list(folder.parent.glob(f"{stem}*")))
    return folder.with_name(f"{stem}-{taken}" if taken else stem)


def _write_synced(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make a rename outlive a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
