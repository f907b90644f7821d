# SPDX-License-Identifier: Apache-2.0
"""Grades of saved episodes, by a process of its own: reading a bag back must not delay who records the next one."""

import json
import os
import subprocess
import sys
from queue import SimpleQueue
from threading import Thread
from typing import IO, NamedTuple

__all__ = ["Grade", "Grader"]

_COMMAND = ("-m", "kata_core", "bag", "stream")


class Grade(NamedTuple):
    """What an episode is worth.

    Attributes:
        path: Folder of the bag.
        letter: A to F; empty if it could not be graded.
        reasons: Why it is no A, the gravest first; or why there is no grade.
    """

    path: str
    letter: str
    reasons: tuple[str, ...]


class Grader:
    """Has `kata bag stream` grade bags, one after the other; nothing here waits for it."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._process: subprocess.Popen[str] | None = None
        self._answers: SimpleQueue[Grade] = SimpleQueue()
        self._waiting: list[str] = []

    def ask(self, path: str) -> None:
        """Have a bag graded."""
        if self._process is None or self._process.poll() is not None:
            self._process = self._start()
        self._waiting.append(path)
        try:
            if self._process.stdin:
                self._process.stdin.write(f"{path}\n")
                self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended; `look` says so

    def _start(self) -> subprocess.Popen[str]:
        # A session of its own: Ctrl-C ends the recorder, and the end of its input ends the process.
        process = subprocess.Popen(
            [sys.executable, *_COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        if process.stdout:
            Thread(target=self._listen, args=(process.stdout,), daemon=True).start()
        return process

    def _listen(self, lines: IO[str]) -> None:
        for line in lines:
            said = json.loads(line)
            self._answers.put(Grade(said["path"], said["grade"], tuple(said["reasons"])))

    def look(self) -> list[Grade]:
        """Return what was graded since the last look."""
        found = []
        while not self._answers.empty():
            found.append(self._answers.get())
            self._waiting = [path for path in self._waiting if path != found[-1].path]
        if self._waiting and self._process is not None and self._process.poll() and self._answers.empty():
            reason = f"not graded: kata bag stream ended with code {self._process.returncode}"
            found += [Grade(path, "", (reason,)) for path in self._waiting]
            self._waiting = []
        return found

    def close(self) -> None:
        """End the process, whatever it does; an episode can be graded later with `kata bag check`."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
