# SPDX-License-Identifier: Apache-2.0
"""A launch under test."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from kata_nodes.launching.process_group import pass_precedence

__all__ = ["Graph"]


class Graph:
    """A launch under test: its process, and what it printed."""

    def __init__(self, log: Path, *arguments: str) -> None:
        """Start `kata launch` with arguments."""
        self._log = log
        with log.open("wb") as file:
            command = [sys.executable, "-m", "kata", "launch", *arguments]
            self.process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
        pass_precedence(self.process.pid)

    @property
    def output(self) -> str:
        """What all nodes have printed so far."""
        return self._log.read_text()

    def pid_of(self, node: str) -> int:
        """Return the process of a node, the newest one if it was started again."""
        lines = reversed(self.output.splitlines())
        return next(int(line.split()[-1]) for line in lines if line.startswith(f"[launch] started {node},"))

    def stop(self) -> int:
        """Press Ctrl-C, and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)

    def orphans(self) -> list[int]:
        """Return the nodes' processes that are still there."""
        started = [int(line.split()[-1]) for line in self.output.splitlines() if line.startswith("[launch] started ")]
        return [pid for pid in started if _alive(pid)]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
