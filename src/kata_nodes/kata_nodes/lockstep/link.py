# SPDX-License-Identifier: Apache-2.0
"""The socket between the process in which a lockstep graph lives and the processes that a launcher started for its nodes."""

import json
import os
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

__all__ = ["GRAPH", "Link", "address", "complain", "connect", "expected"]

GRAPH = "KATA_GRAPH"
"""Environment variable: programs of the graph, with colons between; launch files append each part's, the simulator last."""

_LOOK = 0.02
"""Time between two tries to connect [s]."""


def address() -> str:
    """Return where the graph of this launch listens: an abstract socket named after the launcher, which all have in common."""
    return f"\0kata-lockstep-{os.getppid()}"


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
