# SPDX-License-Identifier: Apache-2.0
"""A terminal that does not read: neither the launcher nor a node waits for it, and what was left out is said."""

import os
import pty
import signal
import subprocess
import sys
import termios
import threading

import pytest

from kata_nodes.launching import terminal as terminal_module
from kata_nodes.launching.terminal import Terminal

LINE = "x" * 99

CHATTERBOX = """
import os, sys
for number in range(1000 * int(sys.argv[1])):
    print(f"line {number} " + "x" * 90)
os.mkfifo(sys.argv[2]) if len(sys.argv) > 2 else None
"""

MAIN = """
import os, sys
from kata_nodes.launching import Runner
from kata_nodes.launching.interpreter import Process
command = (sys.executable, "-c", *sys.argv[1:])
sys.exit(Runner([Process("chatterbox", command, os.environ, "here")], patience=0.3).run())
"""


def launch(*arguments, **streams):
    return subprocess.Popen([sys.executable, "-c", MAIN, *arguments], **streams)


@pytest.fixture
def stalled():
    """Return a pipe that nobody reads, as far as a test does not."""
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)
    os.close(writer)


def read_until(reader, words):
    text = b""
    while words not in text:
        text += os.read(reader, 1 << 16)
    return text.decode()


def test_what_does_not_fit_is_left_out_and_told_where_it_is_missing(stalled, monkeypatch):
    monkeypatch.setattr(terminal_module, "_MOST", 1 << 20)
    reader, writer = stalled
    terminal = Terminal(writer)
    for number in range(30_000):
        terminal.say("node", f"{number} {LINE}")
    begin = read_until(reader, b" 9")  # lets some be written, and the others fit again in time
    rest = threading.Thread(target=lambda: terminal.say("node", "the end"))
    while terminal._waiting > 1 << 19:
        begin += os.read(reader, 1 << 16).decode()
    rest.start()
    text = begin + read_until(reader, b"the end\n")
    due, told = 0, 0
    for line in text.splitlines():
        if "left out" in line:
            assert line.endswith(" lines were left out here: this terminal did not read")
            due, told = due + int(line.split()[1]), told + 1
        elif line.endswith(LINE):
            assert int(line.split()[1]) == due, "whole, in order, and every gap is counted where it is"
            due += 1
    assert due == 30_000 and told
    terminal.close(10.0)
    assert not terminal._thread.is_alive()


def test_nobody_waits_for_a_terminal_that_is_held(tmp_path):
    """As by Ctrl-S: a node prints 10 MB, more than a pipe holds, goes on and ends, and so does the launcher."""
    controller, terminal = pty.openpty()
    termios.tcflow(terminal, termios.TCOOFF)
    try:
        launcher = launch(CHATTERBOX, "100", str(tmp_path / "through"), stdout=terminal)
        assert launcher.wait(60.0) == 0
        assert (tmp_path / "through").exists()
    finally:
        os.close(terminal)
        os.close(controller)


def test_nobody_waits_for_a_pipe_that_is_not_read(stalled, tmp_path):
    _, writer = stalled
    launcher = launch(CHATTERBOX, "40", str(tmp_path / "through"), stdout=writer)
    assert launcher.wait(60.0) == 0
    assert (tmp_path / "through").exists()


def test_all_is_shown_where_somebody_reads():
    launcher = launch(CHATTERBOX, "40", stdout=subprocess.PIPE, text=True)
    shown = [line for line in launcher.stdout if line.startswith("[chatterbox] line")]
    assert launcher.wait(60.0) == 0
    assert len(shown) == 40_000


def test_a_terminal_cannot_suspend_the_launcher():
    """A stopped launcher would read no pipe, and each node would wait in its next line."""
    launcher = launch("import time; print('up', flush=True); time.sleep(600)", stdout=subprocess.PIPE, text=True)
    try:
        lines = iter(launcher.stdout.readline, "")
        assert any("up" in line for line in lines)
        launcher.send_signal(signal.SIGTSTP)
        assert any("not suspended" in line for line in lines)
    finally:
        launcher.send_signal(signal.SIGINT)
        launcher.communicate(timeout=20.0)


def test_a_line_that_does_not_end_takes_no_memory_without_end():
    launcher = launch("print('.' * 1_000_000, end='')", stdout=subprocess.PIPE, text=True)
    lines = [line for line in launcher.stdout if line.startswith("[chatterbox]")]
    assert launcher.wait(60.0) == 0
    assert sum(line.count(".") for line in lines) == 1_000_000 and max(map(len, lines)) < 200_000
