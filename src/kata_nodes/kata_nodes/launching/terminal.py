# SPDX-License-Identifier: Apache-2.0
"""Where a launcher shows what its processes print: whoever does not read it keeps nobody waiting."""

import os
import select
import sys
import threading
from collections import deque

__all__ = ["Terminal"]

_MOST = 1 << 24
"""What may wait for a terminal that does not read: held by Ctrl-S, or at the end of a line that is stalled [bytes]."""

_AT_ONCE = 100
"""Lines that are written together."""


class Terminal:
    """Writes lines from a thread of its own; what does not fit is left out, counted, and told once something fits again.

    Args:
        file: Descriptor that is written to.

    Attributes:
        gone: Whether nobody will ever read again.
    """

    def __init__(self, file: int) -> None:
        """Begin with nothing to write."""
        sys.stdout.flush()  # what others have printed comes first
        self._file = file
        self._news = threading.Condition()
        self._lines: deque[bytes] = deque()
        self._waiting = self._left_out = 0
        self._over = self.gone = False
        self._thread = threading.Thread(target=self._write, name="terminal", daemon=True)
        self._thread.start()

    def say(self, name: str, text: str) -> None:
        """Show one line, or leave it out; never wait."""
        line = f"[{name}] {text}\n".encode(errors="replace")
        with self._news:
            if self.gone or self._waiting + len(line) > _MOST:
                self._left_out += 1
                return
            if self._left_out:
                line = f"[launch] {self._left_out} lines were left out here: this terminal did not read\n".encode() + line
                self._left_out = 0
            self._lines.append(line)
            self._waiting += len(line)
            self._news.notify()

    def close(self, patience: float) -> None:
        """Let the last lines be shown, but wait no longer than that [s]."""
        with self._news:
            self._over = True
            self._news.notify()
        self._thread.join(patience)

    def _write(self) -> None:
        while lines := self._next():
            try:
                self._put(b"".join(lines))
            except OSError:  # its reader ended, or it hung up
                self.gone = True
                return
            with self._news:
                self._waiting -= sum(map(len, lines))

    def _next(self) -> list[bytes]:
        """Return some of the lines that wait, as soon as there are any; none at the end."""
        with self._news:
            self._news.wait_for(lambda: self._lines or self._over)
            return [self._lines.popleft() for _ in range(min(len(self._lines), _AT_ONCE))]

    def _put(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._file, data) :]
            except BlockingIOError:  # somebody has set it so for all who share it
                select.select([], [self._file], [])
