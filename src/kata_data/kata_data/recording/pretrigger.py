# SPDX-License-Identifier: Apache-2.0
"""The last seconds before an episode began, kept in memory."""

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["PretriggerBuffer"]

T = TypeVar("T")


class PretriggerBuffer(Generic[T]):
    """Samples of the last seconds, oldest first, within a bound of memory."""

    def __init__(self, seconds: float, limit: int, age: Callable[[T], int], size: Callable[[T], int]) -> None:
        """Take the bounds.

        Args:
            seconds: How far back [s]; 0 keeps nothing.
            limit: Most bytes kept; beyond it the oldest go first.
            age: Receive stamp of a sample [ns].
            size: Bytes of a sample.
        """
        self._span, self._limit = round(seconds * 1e9), limit
        self._stamp_of, self._size_of = age, size
        self._samples: deque[T] = deque()
        self._bytes = 0

    def add(self, sample: T) -> None:
        """Keep a sample and let go what is too old; stamps that jump back, as after a reset, let everything go."""
        if not self._span:
            return
        now = self._stamp_of(sample)
        if self._samples and now < self._stamp_of(self._samples[-1]) - self._span:
            self.clear()
        self._samples.append(sample)
        self._bytes += self._size_of(sample)
        while self._samples and (self._bytes > self._limit or now - self._stamp_of(self._samples[0]) > self._span):
            self._bytes -= self._size_of(self._samples.popleft())

    def take(self, now: int) -> list[T]:
        """Return and forget what was kept and is not too old at a time [ns]."""
        kept = [sample for sample in self._samples if 0 <= now - self._stamp_of(sample) <= self._span]
        self.clear()
        return kept

    def clear(self) -> None:
        """Forget everything."""
        self._samples.clear()
        self._bytes = 0
