# SPDX-License-Identifier: Apache-2.0
"""Start processes, show their output, and stop them all, leaving no orphan."""

import os
import selectors
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any

from kata_nodes.launching.interpreter import Process
from kata_nodes.launching.process_group import ProcessGroup
from kata_nodes.launching.terminal import Terminal

__all__ = ["Runner"]

_ESCALATION = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
_OBEYED = (0, -signal.SIGINT, 128 + signal.SIGINT)
"""Exit codes of a process that was asked to stop and did."""

_FAREWELL = 1.0
"""Longest wait for the terminal to show the last lines [s]."""


class Runner:
    """Runs a launch's processes until all have ended, an essential one ends, or a signal comes.

    Args:
        processes: What to run.
        patience: Time that processes have to obey SIGINT, then SIGTERM, before the next signal [s].
    """

    def __init__(self, processes: Sequence[Process], patience: float = 5.0) -> None:
        """Prepare; nothing is started yet."""
        self._processes = processes
        self._patience = patience
        self._selector = selectors.DefaultSelector()
        self._groups: list[ProcessGroup] = []
        self._respawns: list[tuple[float, Process]] = []
        self._stops_asked = 0
        self._sent = 0
        self._send_next = 0.0
        self._exit_code = 0
        self._unheard = self._suspended = False

    def run(self) -> int:
        """Run until the end.

        Returns:
            0, or the exit code of the first process that failed (128 + n when a signal n ended it).

        Raises:
            ConfigError: A process cannot be started; those started before were stopped.
        """
        self._terminal = Terminal(sys.stdout.fileno())
        with self._signals():
            try:
                for process in self._processes:
                    self._start(process)
                while self._alive() or self._respawns:
                    self._turn()
            finally:
                self._stop_what_is_left()
                self._terminal.close(_FAREWELL)
        return self._exit_code

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Count requests to stop.

        The handlers are set explicitly, because a shell's `kata launch … &` leaves SIGINT ignored, and the nodes
        would inherit that. Nor may a terminal suspend the launcher: the nodes would wait for it to read what they print.
        """
        handlers: dict[int, Any] = dict.fromkeys((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), self._note_signal)
        handlers |= {signal.SIGTSTP: self._note_suspension, signal.SIGTTOU: signal.SIG_IGN}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note_signal(self, number: int, frame: FrameType | None) -> None:
        self._stops_asked += 1

    def _note_suspension(self, number: int, frame: FrameType | None) -> None:
        self._suspended = True

    def _alive(self) -> bool:
        return any(group.code is None or (self._sent and group.exists()) for group in self._groups)

    def _turn(self) -> None:
        """Do what is due, then wait for output or an end, a tenth of a second at most."""
        if self._suspended:
            self._suspended = False
            self._terminal.say("launch", "not suspended, for the nodes run on; Ctrl-C ends them")
        if self._terminal.gone and not self._unheard:
            self._unheard = True
            self._stops_asked += 1
        if self._stops_asked:
            self._stops_asked -= 1
            self._escalate()
        elif self._sent and time.monotonic() >= self._send_next:
            self._escalate()
        self._start_respawns()
        for key, _ in self._selector.select(timeout=0.1):
            if key.fd in self._selector.get_map():  # an end that came first may have closed the output
                key.data()

    def _start(self, process: Process) -> None:
        group = ProcessGroup(process)
        self._groups.append(group)
        self._selector.register(group.output, selectors.EVENT_READ, partial(self._show, group))
        self._selector.register(group.pidfd, selectors.EVENT_READ, partial(self._note_end, group))
        self._terminal.say("launch", f"started {process.name}, process {group.pid}")

    def _start_respawns(self) -> None:
        now = time.monotonic()
        due = [process for at, process in self._respawns if at <= now]
        self._respawns = [(at, process) for at, process in self._respawns if at > now]
        for process in due:
            self._start(process)

    def _show(self, group: ProcessGroup) -> bool:
        """Show what a process printed, its name before each line; False when there was nothing."""
        lines = group.read()
        if lines is None:
            self._selector.unregister(group.output)
            os.close(group.output)
            lines = group.rest()
        for line in lines:
            self._terminal.say(group.process.name, line)
        return bool(lines)

    def _note_end(self, group: ProcessGroup) -> None:
        code, process = group.collect(), group.process
        self._selector.unregister(group.pidfd)
        os.close(group.pidfd)
        while group.output in self._selector.get_map() and self._show(group):
            pass  # its last words come before the news of its end
        self._terminal.say("launch", f"{process.name} ended with {_describe(code)}")
        failed = code not in _OBEYED if self._sent else code != 0
        if failed and not process.respawn and self._exit_code == 0:
            self._exit_code = code if code > 0 else 128 - code
        if not self._sent:
            self._follow_end(process)
        self._groups = [g for g in self._groups if g.code is None or g.exists()]

    def _follow_end(self, process: Process) -> None:
        if process.respawn:
            self._respawns.append((time.monotonic() + process.respawn_delay, process))
        elif process.ends_launch:
            self._terminal.say("launch", f"{process.name} was essential: stopping all")
            self._escalate()

    def _escalate(self) -> None:
        """Send the next stronger signal to every group that still has a process."""
        number = _ESCALATION[min(self._sent, len(_ESCALATION) - 1)]
        self._sent += 1
        self._send_next = time.monotonic() + self._patience
        self._respawns.clear()
        left = [group for group in self._groups if group.send(number)]
        if left:
            self._terminal.say("launch", f"{number.name} to {', '.join(group.process.name for group in left)}")

    def _stop_what_is_left(self) -> None:
        """Stop what an error left running, or a process left behind when it ended."""
        if not self._sent and any(group.exists() for group in self._groups):
            self._escalate()
        while self._alive():
            self._turn()
        self._selector.close()


def _describe(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"code {code}"
