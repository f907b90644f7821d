# SPDX-License-Identifier: Apache-2.0
"""One started process together with all that it starts."""

import ctypes
import fcntl
import os
import signal
import subprocess
from contextlib import suppress
from functools import partial
from pathlib import Path

from kata_model.errors import ConfigError
from kata_nodes.launching.interpreter import Process

__all__ = ["ProcessGroup", "die_with_parent", "pass_precedence"]

_PR_SET_PDEATHSIG = 1
_LONGEST = 1 << 16
"""Length at which a line that does not end is shown as if it had [bytes]."""

_PIPE = 1 << 20
"""What a process may print while the launcher is held up, or stopped, before it has to wait [bytes]."""
_OURS = "kata_nodes"
"""Package, and so folder, of the programs that `kata_nodes.entry` begins."""

_AUTOGROUP = "/proc/{}/autogroup"
"""Where the kernel tells, and takes, the niceness of a process's session."""

_LIBC = ctypes.CDLL(None, use_errno=True)


def pass_precedence(pid: int) -> None:
    """Give a new session, which the kernel may schedule as a group of its own, the precedence of this one over others.

    Niceness is inherited, but counts within a group alone where there are autogroups (sched(7)). Their file is missing or
    empty where there are none, as in a container with a share of the processor.
    """
    with suppress(OSError):
        nice = Path(_AUTOGROUP.format("self")).read_text().partition("nice ")[2].strip()
        if nice not in ("", "0"):
            Path(_AUTOGROUP.format(pid)).write_text(nice)


class ProcessGroup:
    """A process in a session and group of its own, so that one signal reaches its descendants too.

    Attributes:
        process: What was asked for.
        output: File descriptor of its stdout and stderr, not blocking.
        pidfd: File descriptor that becomes readable when the process ends.
        pid: Number of the process and of its group.
    """

    def __init__(self, process: Process) -> None:
        """Start the process.

        Raises:
            ConfigError: The system cannot start it.
        """
        self.process = process
        self.output, writer = os.pipe()
        os.set_blocking(self.output, False)
        with suppress(OSError):  # where the system grants less, what it gives must do
            fcntl.fcntl(self.output, fcntl.F_SETPIPE_SZ, _PIPE)
        try:
            self._child = subprocess.Popen(
                process.command,
                stdin=subprocess.DEVNULL,
                stdout=writer,
                stderr=writer,
                env={**process.environment, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
                preexec_fn=partial(_prepare, os.getpid(), Path(process.command[0]).parent.name == _OURS),
            )
        except OSError as error:
            os.close(self.output)
            raise ConfigError(f"cannot start {process.command[0]}: {error.strerror}", where=process.where) from error
        finally:
            os.close(writer)
        self.pid = self._child.pid
        pass_precedence(self.pid)
        self.pidfd = os.pidfd_open(self.pid)
        self._unfinished = b""
        self._gone = False
        self.code: int | None = None

    def collect(self) -> int:
        """Return the exit code of the process, which has ended; negative for a signal."""
        self.code = self._child.wait()
        self.exists()
        return self.code

    def exists(self) -> bool:
        """Return whether any process of the group is left."""
        return self.send(0)

    def send(self, number: int) -> bool:
        """Send a signal to the whole group; False when nothing of it is left.

        A group once seen empty is never signalled again: the system may give its number to someone else.
        """
        if not self._gone:
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:
                self._gone = True
        return not self._gone

    def read(self) -> list[str] | None:
        """Return lines that came since the last call: none if there are no more now, None at the end of all output."""
        lines: list[bytes] = []
        while not lines:
            try:
                data = os.read(self.output, 65536)
            except BlockingIOError:
                return []
            if not data:
                return None
            *lines, self._unfinished = (self._unfinished + data).split(b"\n")
            if len(self._unfinished) > _LONGEST:
                lines, self._unfinished = [*lines, self._unfinished], b""
        return [line.decode(errors="replace") for line in lines]

    def rest(self) -> list[str]:
        """Return the last line, if it had no end."""
        last, self._unfinished = self._unfinished, b""
        return [last.decode(errors="replace")] if last else []


def _prepare(parent: int, ours: bool) -> None:
    """Prepare a child; SIGINT waits until `kata_nodes.entry` lets it in: Python answers it by a traceback while it begins."""
    die_with_parent(parent)
    if ours:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def die_with_parent(parent: int) -> None:
    """Ask the kernel, in the child, for SIGTERM when its parent, given by its number, is killed without a chance to stop it."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)
