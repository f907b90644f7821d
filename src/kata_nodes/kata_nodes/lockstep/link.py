# SPDX-License-Identifier: Apache-2.0
"""What the process in which a lockstep graph lives has in common with those that a launcher started for its nodes."""

import json
import mmap
import os
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

__all__ = ["GRAPH", "TIME", "Link", "Turn", "address", "complain", "connect", "expected", "in_lockstep"]

TIME = "KATA_TIME"
"""Environment variable, set by the launch argument ``time``: ``real`` or ``lockstep``."""

GRAPH = "KATA_GRAPH"
"""Environment variable: programs of the graph, with colons between; launch files append each part's, the simulator last."""

_LOOK = 0.02
"""Time between two tries to connect [s]."""


def address() -> str:
    """Return where the graph of this launch listens: an abstract socket named after the launcher, which all have in common."""
    return f"\0kata-lockstep-{os.getppid()}"


def in_lockstep() -> bool:
    """Return whether time advances with the graph."""
    return os.environ.get(TIME, "real") == "lockstep"


def expected() -> list[str]:
    """Return the programs that the launch file names, each once, without the simulator, in which they all live."""
    return list(dict.fromkeys(name for name in os.environ.get(GRAPH, "").split(":") if name))


def connect(patience: float) -> "Link | None":
    """Connect to the graph, which may still be starting; None if nobody listens within patience [s]."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            line.connect(address())
        except ConnectionRefusedError:
            line.close()
            time.sleep(_LOOK)
        else:
            return Link(line)
    return None


def complain(text: str) -> None:
    """Say on the launcher's terminal why a graph ends."""
    sys.stderr.write(f"error: {text}\n")
    sys.stderr.flush()


_LONGEST_NAME = 64
"""Bytes of a node's name that others can read."""


class Link:
    """One end: messages are JSON objects, one a line."""

    def __init__(self, line: socket.socket) -> None:
        """Take a connected socket."""
        self._line, self._unread = line, b""

    def fileno(self) -> int:
        """Return the descriptor, so that a selector can wait for it."""
        return self._line.fileno()

    def say(self, message: Mapping[str, Any]) -> None:
        """Send; whoever is gone is told nothing."""
        with suppress(OSError):  # its end is noticed where it is read
            self._line.sendall(json.dumps(message).encode() + b"\n")

    def hear(self, patience: float | None) -> list[dict[str, Any]] | None:
        """Return the messages that came; None when the other end is gone.

        Args:
            patience: Longest wait [s]; None waits for ever.

        Raises:
            TimeoutError: Nothing came.
        """
        self._line.settimeout(patience)
        try:
            data = self._line.recv(65536)
        except ConnectionError:
            return None
        if not data:
            return None
        *lines, self._unread = (self._unread + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def wait(self, patience: float) -> None:
        """Wait until the other end is gone, whatever it still says, or patience [s] ends."""
        with suppress(TimeoutError):
            while self.hear(patience) is not None:
                pass

    def close(self) -> None:
        """Hang up."""
        self._line.close()


class Turn:
    """Whose callback runs, noted where other processes can read it though this one hangs and cannot say a word.

    Attributes:
        node: Its name; empty between callbacks.
        since: Since when by `time.monotonic` [s].
        path: File that the other processes read.
    """

    def __init__(self) -> None:
        """Begin between callbacks."""
        self.node, self.since = "", time.monotonic()
        file = os.memfd_create("kata turn")
        os.ftruncate(file, mmap.PAGESIZE)
        self.path = f"/proc/{os.getpid()}/fd/{file}"
        self._page = mmap.mmap(file, mmap.PAGESIZE)

    def note(self, node: str) -> None:
        """Pass the turn to a node."""
        self.since = time.monotonic()  # before the name: another thread must not see a new one with an old time
        self.node = node
        self._page[:_LONGEST_NAME] = node.encode().ljust(_LONGEST_NAME, b"\0")[:_LONGEST_NAME]

    @staticmethod
    def read(path: str) -> str:
        """Return whose callback runs in another process; empty if it cannot be told."""
        with suppress(OSError), open(path, "rb") as file:
            return file.read(_LONGEST_NAME).rstrip(b"\0").decode(errors="replace")
        return ""
