# SPDX-License-Identifier: Apache-2.0
"""A terminal as an e-stop: any key stops the robot, and so does a terminal that is gone."""

import os
import select
import signal
import sys
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from kata_model.errors import ConfigError
from kata_nodes.tools.estop import Console

__all__ = ["watch"]

_BEAT = 0.1
"""Time between two heartbeats [s], a tenth of the safety node's deadline."""

_LEAVE = (b"", b"\x03", b"\x04")
"""The terminal's end, Ctrl-C, Ctrl-D: stop, and leave."""


def watch(console: Console) -> int:
    """Stop the robot at any key; return an exit code when the terminal or the person leaves.

    Leaving stops the robot too: with nobody at the keyboard the e-stop would be one in name only.

    Raises:
        ConfigError: Standard input is no terminal.
    """
    if not sys.stdin.isatty():
        raise ConfigError("standard input is no terminal", where="kata stop --keyboard", fix="start it in a terminal")
    gone = _Gone()
    with _single_keys(sys.stdin.fileno()):
        _say("any key STOPS the robot, Ctrl-C stops it and leaves; `kata stop --reset` elsewhere ends a stop")
        said, due = None, time.monotonic()
        while not gone.noticed:
            if time.monotonic() >= due:
                console.beat()
                due = time.monotonic() + _BEAT
            console.listen(0.02)
            status = console.verdict and console.verdict.status
            if status != said:
                said = status
                _say(console.words)
            key = _key(sys.stdin.fileno())
            if key in _LEAVE:
                break
            if key is not None:
                _say(console.stop().text)
    outcome = console.stop()
    _say(f"left; {outcome.text}")
    return 0 if outcome.done else 1


class _Gone:
    """Remember that the terminal hung up or that somebody ended the program."""

    def __init__(self) -> None:
        self.noticed = False
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.noticed = True


def _key(terminal: int) -> bytes | None:
    """Return what was typed; None if nothing was, empty if the terminal is gone."""
    if not select.select([terminal], [], [], 0.0)[0]:
        return None
    try:
        return os.read(terminal, 1024)
    except OSError:  # hung up
        return b""


@contextmanager
def _single_keys(terminal: int) -> Iterator[None]:
    """Let every key come at once, Ctrl-C and Ctrl-Z too: a suspended e-stop would stop nothing."""
    before = termios.tcgetattr(terminal)
    tty.setraw(terminal, termios.TCSANOW)
    try:
        yield
    finally:
        with suppress(termios.error):  # the terminal may be gone
            termios.tcsetattr(terminal, termios.TCSANOW, before)


def _say(text: str) -> None:
    """Show a line in a terminal that ends none by itself."""
    with suppress(OSError):  # when the terminal is gone the stop counts, not the words
        sys.stdout.write(f"{text}\r\n")
        sys.stdout.flush()
