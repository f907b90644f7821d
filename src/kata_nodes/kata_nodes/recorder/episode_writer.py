# SPDX-License-Identifier: Apache-2.0
"""One running episode: its bag, the thread that writes it, and what is said of it at the end."""

import socket
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from rclpy.serialization import serialize_message

from kata_data.bags.bag_writer import BagWriter, next_episode
from kata_data.bags.definitions import BagTopic
from kata_model.errors import DataError, fault_text
from kata_model.version import code_version
from kata_msgs.msg import EpisodeMark
from kata_nodes.clocks import in_lockstep
from kata_nodes.recorder.bag_thread import BagThread, Sample
from kata_nodes.recorder.episode_metadata import Attachment
from kata_nodes.recorder.image_cdr import compress_image
from kata_nodes.recorder.recorder_config import RecorderConfig
from kata_nodes.recorder.stream_intake import StreamIntake

__all__ = ["EpisodeWriter", "encoders"]


def encoders(intakes: Iterable[StreamIntake], quality: int) -> dict[str, Callable[[bytes], bytes]]:
    """Return what turns pictures into what is stored, by topic; JPEG of a quality from 1 to 100."""
    return {i.stored: partial(compress_image, store=i.spec.store, quality=quality) for i in intakes if i.spec.compressed}


class EpisodeWriter:
    """Writes an episode from its start until it is saved, kept or discarded."""

    def __init__(self, config: RecorderConfig, topics: Sequence[BagTopic], facts: Mapping[str, str], now: int) -> None:
        """Open the bag.

        Args:
            config: Where to, and how.
            topics: All topics that will be written.
            facts: What is known at the start.
            now: The node's time [ns].

        Raises:
            DataError: The folder cannot be written.
        """
        about = {"kata_version": code_version(), "host": socket.gethostname(), **facts, "start_stamp": str(now)}
        self._facts, self._config, self._lockstep = about, config, in_lockstep()
        self._bag = BagWriter(next_episode(Path(config.directory)), topics, about)
        self._thread: BagThread | None = None
        self._finished, self._size = False, 0

    def begin(self, encoders: Mapping[str, Callable[[bytes], bytes]], before: Iterable[Sample]) -> None:
        """Start to write, first what came before the start."""
        limit = self._config.queue_memory * 1_000_000
        self._thread = BagThread(self._bag, encoders, limit, self._config.chunk, lockstep=self._lockstep)
        for sample in before:
            self._thread.put(sample)

    def attach(self, attachments: Iterable[Attachment], now: int) -> None:
        """Add files to the bag, before it begins or after it ended.

        Raises:
            OSError: The disk refuses.
        """
        for item in attachments:
            self._bag.attach(item.name, item.media_type, item.text, now)

    def put(self, sample: Sample) -> None:
        """Take a sample."""
        if self._thread:
            self._thread.put(sample)

    def mark(self, topic: str, mark: EpisodeMark, now: int, number: int) -> None:
        """Write a mark of a time [ns] on its topic."""
        self.put(Sample(topic, bytes(serialize_message(mark)), now, 0, number))

    def halt(self, reason: str) -> None:
        """Take nothing more, and say why."""
        if self._thread:
            self._thread.halt(reason)

    @property
    def error(self) -> str:
        """Why nothing can be written any more, or an empty string."""
        return self._thread.error if self._thread else ""

    @property
    def complaint(self) -> str:
        """Why some messages are not in the bag, or an empty string."""
        return self._thread.complaint if self._thread else ""

    @property
    def refused(self) -> Counter[str]:
        """Messages that came and are not in the bag, by topic."""
        return self._thread.refused if self._thread else Counter()

    @property
    def stuck(self) -> float:
        """For how long one message has been written by now [s]."""
        return self._thread.stuck if self._thread else 0.0

    @property
    def messages(self) -> int:
        """Messages that are in the bag or on their way."""
        return self._thread.taken if self._thread else 0

    @property
    def heard(self) -> set[str]:
        """Topics that gave a message."""
        return self._bag.heard

    @property
    def silent(self) -> list[str]:
        """Topics that gave none."""
        return self._bag.silent

    def grown(self) -> int:
        """Return by how many bytes the file has grown since the last call."""
        before, self._size = self._size, sum(file.stat().st_size for file in self._bag.partial.glob("*.mcap"))
        return self._size - before

    def finish(self) -> bool:
        """Write what waits; only then it is known what is lost. Return whether the bag can be completed."""
        if self._thread and not self._finished:
            self._finished = self._thread.close()
        return self._finished and not self.error

    def save(self, facts: Mapping[str, str], attachments: Iterable[Attachment], now: int) -> Path:
        """Complete the bag and return its folder.

        Raises:
            DataError: The disk refuses, or anything else failed; the bag must then be kept or discarded.
        """
        if not self.finish():
            raise DataError(self.error or "nothing was begun")
        lag = {} if self._lockstep or not self._thread else {"write_lag_p99_ms": f"{1e3 * self._thread.wait_p99:.1f}"}
        try:
            self.attach(attachments, now)
            return self._bag.save({**self._facts, **facts, "stop_stamp": str(now), **lag})
        except Exception as error:  # whatever it is, the bag is not whole
            raise DataError(f"cannot write: {fault_text(error)}") from error

    def keep(self, damage: str) -> Path:
        """End without completing the bag, and return its folder; `damage` says why, for whoever repairs it."""
        self.finish()
        return self._bag.keep(damage) if self._finished else self._bag.partial

    def discard(self) -> None:
        """Remove the bag, or leave it unfinished where the disk hangs."""
        self.finish()
        if self._finished:
            self._bag.discard()
