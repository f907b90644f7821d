# SPDX-License-Identifier: Apache-2.0
"""Grades of saved episodes, by a process of its own: reading a bag back must not delay who records the next one."""

import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import IO, NamedTuple

__all__ = ["Grade", "Grader"]

_COMMAND = (sys.executable, "-m", "kata", "bag", "stream")

_PATIENCE = 300.0
"""Longest time for one bag [s]; ten minutes of a whole robot take one."""

_LOCKSTEP_DELAY = 2_000_000_000
"""Time after which a grade is told in lockstep [ns], however soon or late it came."""

_END, _LATE = "", "no line"


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


class _Asked(NamedTuple):
    path: str
    time: int  # [ns]


class Grader:
    """Has `kata bag stream` grade bags, one after the other; nothing here waits for it, but for lockstep.

    A bag that was asked for gets a `Grade` in any case, with the reason in the letter's place if the process ended,
    said nonsense or took too long.
    """

    def __init__(self, now: Callable[[], int], *, lockstep: bool = False, command: Sequence[str] = _COMMAND) -> None:
        """Start nothing yet.

        Args:
            now: Steady time [ns].
            lockstep: Whether a grade is told at a time that does not depend on how long it took: `look` waits for it then.
            command: Reads paths of bags, one a line, and answers each with a line of JSON.
        """
        self._now, self._lockstep, self._command = now, lockstep, command
        self._process: subprocess.Popen[str] | None = None
        self._lines: SimpleQueue[str] = SimpleQueue()
        self._asked: deque[_Asked] = deque()
        self._since = 0

    def ask(self, path: str) -> None:
        """Have a bag graded."""
        if not self._asked:
            self._since = self._now()
            if self._process is None or self._process.poll() is not None:
                self._process = self._start()
        self._asked.append(_Asked(path, self._now()))
        if self._process and self._process.stdin:
            with suppress(OSError):  # it has ended; `look` says so
                self._process.stdin.write(f"{path}\n")
                self._process.stdin.flush()

    def _start(self) -> subprocess.Popen[str]:
        # A session of its own: Ctrl-C ends the recorder, and the end of its input ends the process.
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
            start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        self._lines = SimpleQueue()
        Thread(target=_listen, args=(process.stdout, self._lines), name="grades", daemon=True).start()
        return process

    def look(self) -> list[Grade]:
        """Return what was graded since the last look."""
        found: list[Grade] = []
        while self._asked and (line := self._next()) is not None:
            found += self._give_up(line) if line in (_END, _LATE) else [_read(line, self._asked.popleft().path)]
            self._since = self._now()
        return found

    def _next(self) -> str | None:
        """Return the next line, `_END` if none will come, `_LATE` if none came for long, None if it is too early to tell."""
        if self._lockstep and self._now() - self._asked[0].time < _LOCKSTEP_DELAY:
            return None
        try:
            return self._lines.get(timeout=_PATIENCE if self._lockstep else 0.0)
        except Empty:
            late = self._lockstep or self._now() - self._since > _PATIENCE * 1e9
            return _LATE if late else None

    def _give_up(self, why: str) -> list[Grade]:
        """Return why none of those that were asked for is graded, and end the process if it still runs."""
        reason = f"no answer in {_PATIENCE:.0f} s"
        if why == _END and self._process is not None:
            with suppress(subprocess.TimeoutExpired):  # it closed its output: it has ended, or will
                reason = f"kata bag stream ended with code {self._process.wait(5.0)}"
        self.close()
        left = [Grade(asked.path, "", (f"not graded: {reason}",)) for asked in self._asked]
        self._asked.clear()
        return left

    def close(self) -> None:
        """End the process, whatever it does; an episode can be graded later with `kata bag check`."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            with suppress(OSError):
                if self._process.stdin:
                    self._process.stdin.close()
            self._process = None


def _listen(lines: IO[str], into: "SimpleQueue[str]") -> None:
    try:
        for line in lines:
            into.put(line)
    finally:
        into.put(_END)


def _read(line: str, path: str) -> Grade:
    try:
        said = json.loads(line)
        if said["path"] != path:
            raise ValueError(said["path"])
        return Grade(path, str(said["grade"]), tuple(map(str, said["reasons"])))
    except (ValueError, KeyError, TypeError):
        return Grade(path, "", (f"not graded: kata bag stream said {line.strip()[:80]!r}",))
