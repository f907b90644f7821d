# SPDX-License-Identifier: Apache-2.0
"""Write a bag from a thread of its own, so that a slow disk never holds up who receives."""

from collections import Counter, deque
from collections.abc import Callable, Mapping
from threading import Event, Thread
from time import monotonic
from typing import NamedTuple

from kata_core.errors import DataError
from kata_nodes.bag_writer import BagWriter

__all__ = ["BagThread", "Sample"]

_LOOK = 0.02
"""Time between two looks into the queue [s]: waking for every message would cost more than writing it."""

_SYNC = 1.0
"""Time between two orders to the disk [s]."""


class Sample(NamedTuple):
    """A message as it came over the wire.

    Attributes:
        topic: Full name under which it is stored.
        data: Serialised (CDR).
        received: Receive stamp [ns].
        published: When it was sent [ns]; 0 if that is not known.
        sequence: The publisher's count; 0 if it has none.
    """

    topic: str
    data: bytes
    received: int
    published: int
    sequence: int


class BagThread:
    """Takes samples and writes them soon after.

    Attributes:
        error: Why nothing can be written any more; empty while all is well.
        complaint: Why single messages could not be written; empty if all could.
        refused: Messages that came and are not in the bag, by topic.
    """

    def __init__(self, bag: BagWriter, encoders: Mapping[str, Callable[[bytes], bytes]], limit: int, chunk: float) -> None:
        """Start.

        Args:
            bag: Where to write; it must not be touched before `close`.
            encoders: By topic, what turns a message into the one that is stored; a DataError of it is counted.
            limit: Most bytes that may wait.
            chunk: Longest time until what came can no longer be lost with the process [s].
        """
        self.error = self.complaint = self._halted = ""
        self.refused: Counter[str] = Counter()
        self._bag, self._encoders, self._limit, self._chunk = bag, encoders, limit, chunk
        self._queue: deque[tuple[float, Sample]] = deque()
        self._waits: Counter[int] = Counter()  # messages by waiting time in [ms]: flat in memory
        self._put_bytes = self._taken_bytes = 0  # each is written by one thread alone
        self._flushed = monotonic()
        self._closing = Event()
        # Orders to a disk that others use can take long; the queue must be emptied meanwhile.
        self._threads = [Thread(target=work, daemon=True) for work in (self._run, self._sync)]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """Bytes that wait to be written."""
        return self._put_bytes - self._taken_bytes

    @property
    def wait_p99(self) -> float:
        """Time from receipt to the bag that 99 % of the messages did not exceed [s], to the millisecond."""
        left = 0.01 * self._waits.total()
        for wait, count in sorted(self._waits.items(), reverse=True):
            left -= count
            if left < 0.0:
                return 1e-3 * (wait + 1)
        return 0.0

    def put(self, sample: Sample) -> bool:
        """Take a sample; return False if it is lost because too many wait or nothing can be written."""
        reason = self.error or self._halted
        if not reason and self.waiting + len(sample.data) > self._limit:
            reason = f"the disk is too slow: {self.waiting / 1e6:.0f} MB wait"
        if reason:
            self.refused[sample.topic] += 1
            self.complaint = reason
            return False
        self._put_bytes += len(sample.data)
        self._queue.append((monotonic(), sample))
        return True

    def halt(self, reason: str) -> None:
        """Take nothing more; what was taken is written, so that the bag can still be completed."""
        self._halted = self.complaint = reason

    def close(self) -> None:
        """Write what waits, and end the threads."""
        self._closing.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while True:
            closing = self._closing.is_set()
            try:
                self._drain()
                self._tend()
            except OSError as error:
                self.error = f"cannot write: {error.strerror or error}"
            if self.error:
                self._drop()
            if closing:
                return
            self._closing.wait(_LOOK)

    def _drain(self) -> None:
        while self._queue:
            came, sample = self._queue.popleft()
            self._waits[int(1e3 * (monotonic() - came))] += 1
            self._taken_bytes += len(sample.data)
            encode = self._encoders.get(sample.topic)
            try:
                data = encode(sample.data) if encode else sample.data
                self._bag.write(sample.topic, data, sample.received, sample.published, sample.sequence)
            except DataError as error:
                self.refused[sample.topic] += 1
                self.complaint = str(error)

    def _drop(self) -> None:
        """Count what can no longer be written."""
        while self._queue:
            _, sample = self._queue.popleft()
            self._taken_bytes += len(sample.data)
            self.refused[sample.topic] += 1

    def _tend(self) -> None:
        """End the chunk from time to time."""
        now = monotonic()
        if not self.error and now - self._flushed > self._chunk:
            self._bag.flush()
            self._flushed = now

    def _sync(self) -> None:
        while not self._closing.wait(_SYNC) and not self.error:
            try:
                self._bag.sync()
            except OSError as error:
                self.error = f"cannot write: {error.strerror or error}"
