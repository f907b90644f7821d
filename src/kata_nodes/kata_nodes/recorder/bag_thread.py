# SPDX-License-Identifier: Apache-2.0
"""Write a bag from a thread of its own, so that a slow disk never holds up who receives."""

from collections import Counter, deque
from collections.abc import Callable, Mapping
from threading import Condition, Event, Thread
from time import monotonic
from typing import NamedTuple

from kata_data.bags.bag_writer import BagWriter
from kata_model.errors import fault_text

__all__ = ["BagThread", "Sample"]

_LOOK = 0.02
"""Time between two looks into the queue [s]: waking for every message would cost more than writing it."""

_SYNC = 1.0
"""Time between two orders to the disk [s]."""

_PATIENCE = 30.0
"""Longest time that anybody waits for one message to be written [s]; a disk that spins up takes ten."""


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

    Nobody hears of an exception in a thread by itself, hence the guards here: what an encoder raises costs its message,
    anything else ends the writing, and both are said.

    Attributes:
        error: Why nothing can be written any more; empty while all is well.
        complaint: Why single messages could not be written; empty if all could.
        taken: Messages that were taken to be written.
    """

    def __init__(
        self,
        bag: BagWriter,
        encoders: Mapping[str, Callable[[bytes], bytes]],
        limit: int,
        chunk: float,
        *,
        lockstep: bool = False,
    ) -> None:
        """Start.

        Args:
            bag: Where to write; it must not be touched before `close`.
            encoders: By topic, what turns a message into the one that is stored.
            limit: Most bytes that may wait.
            chunk: Longest time until what came can no longer be lost with the process [s].
            lockstep: Whether whoever gives waits for room rather than be refused, and chunks end by receive stamps, so
                that the bag does not depend on how long anything took.
        """
        self.error = self.complaint = self._halted = ""
        self.taken = 0
        self._rejected: Counter[str] = Counter()  # each is written by one thread alone
        self._failed: Counter[str] = Counter()
        self._bag, self._encoders, self._limit, self._chunk = bag, encoders, limit, chunk
        self._lockstep, self._room = lockstep, Condition()
        self._queue: deque[tuple[float, Sample]] = deque()
        self._waits: Counter[int] = Counter()  # messages by waiting time in [ms]: flat in memory
        self._put_bytes = self._taken_bytes = 0  # each is written by one thread alone
        self._begun = 0.0  # when the present message's turn came; zero between looks into the queue
        self._flushed = 0.0 if lockstep else monotonic()
        self._closing = Event()
        # Orders to a disk that others use can take long; the queue must be emptied meanwhile.
        self._threads = [Thread(target=work, name=f"bag {work.__name__}", daemon=True) for work in (self._run, self._sync)]
        for thread in self._threads:
            thread.start()

    @property
    def refused(self) -> Counter[str]:
        """Messages that came and are not in the bag, by topic."""
        return self._rejected.copy() + self._failed.copy()

    @property
    def waiting(self) -> int:
        """Bytes that wait to be written."""
        return self._put_bytes - self._taken_bytes

    @property
    def stuck(self) -> float:
        """Return for how long the message whose turn it is has been written [s]; zero if none is."""
        begun = self._begun
        return monotonic() - begun if begun else 0.0

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
        if self._lockstep and not self._fits(sample):
            with self._room:
                self._room.wait_for(lambda: self.error or self._fits(sample), _PATIENCE)
        reason = self.error or self._halted
        if not reason and not self._fits(sample):
            reason = f"disk or encoder is too slow: {self.waiting / 1e6:.0f} MB wait"
        if reason:
            self._rejected[sample.topic] += 1
            self.complaint = reason
            return False
        self.taken += 1
        self._put_bytes += len(sample.data)
        self._queue.append((monotonic(), sample))
        return True

    def _fits(self, sample: Sample) -> bool:
        return not self.waiting or self.waiting + len(sample.data) <= self._limit

    def halt(self, reason: str) -> None:
        """Take nothing more; what was taken is written, so that the bag can still be completed."""
        self._halted = self.complaint = reason

    def close(self, patience: float = _PATIENCE) -> bool:
        """Write what waits, and end the threads.

        Args:
            patience: Longest time that one message may take [s].

        Returns:
            Whether all is written that can be; if not, the bag still is the thread's own.
        """
        self._closing.set()
        writer, syncer = self._threads
        while writer.is_alive() and self.stuck < patience:
            writer.join(0.05)
        if writer.is_alive():
            self.error = self.error or f"nothing was written for {patience:.0f} s: disk or encoder hangs"
            return False
        syncer.join(patience)  # one that still waits for the disk touches nothing; completing the bag waits for it as well
        return True

    def _run(self) -> None:
        while True:
            closing = self._closing.is_set()
            try:
                self._drain()
                self._tend()
            except Exception as error:  # noqa: BLE001, a guard, see the class
                self._fail(error)
            if self.error:
                self._drop()
            self._begun = 0.0
            if closing:
                return
            self._closing.wait(_LOOK)

    def _fail(self, error: Exception) -> None:
        self.error = self.error or f"cannot write: {fault_text(error)}"

    def _drain(self) -> None:
        while self._queue and not self.error:
            came, sample = self._queue.popleft()
            self._begun = monotonic()
            self._waits[int(1e3 * (self._begun - came))] += 1
            self._taken_bytes += len(sample.data)
            data = self._encoded(sample)
            if data is not None:
                self._write(sample, data)
            if self._lockstep:
                with self._room:
                    self._room.notify()

    def _encoded(self, sample: Sample) -> bytes | None:
        """Return what is stored of a message; None if it cannot be encoded, which is counted."""
        encode = self._encoders.get(sample.topic)
        try:
            return encode(sample.data) if encode else sample.data
        except Exception as error:  # noqa: BLE001, a guard, see the class
            self._failed[sample.topic] += 1
            self.complaint = f"{sample.topic}: {fault_text(error)}"
            return None

    def _write(self, sample: Sample, data: bytes) -> None:
        try:
            if self._lockstep:
                self._end_chunk(1e-9 * sample.received)
            self._bag.write(sample.topic, data, sample.received, sample.published, sample.sequence)
        except Exception:
            self._failed[sample.topic] += 1
            raise

    def _drop(self) -> None:
        """Count what can no longer be written."""
        while self._queue:
            _, sample = self._queue.popleft()
            self._taken_bytes += len(sample.data)
            self._failed[sample.topic] += 1
        with self._room:
            self._room.notify_all()

    def _tend(self) -> None:
        if not self._lockstep:
            self._begun = now = monotonic()
            self._end_chunk(now)

    def _end_chunk(self, now: float) -> None:
        """End the chunk if it lasted long enough [s]."""
        if not self.error and now - self._flushed > self._chunk:
            self._bag.flush()
            self._flushed = now

    def _sync(self) -> None:
        while not self._closing.wait(_SYNC) and not self.error:
            try:
                self._bag.sync()
            except Exception as error:  # noqa: BLE001, a guard, see the class
                self._fail(error)
