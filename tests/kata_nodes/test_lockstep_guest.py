# SPDX-License-Identifier: Apache-2.0
"""What stands for a node while its graph lives elsewhere, and its exit code, whatever becomes of the graph: this process."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from kata_nodes.lockstep.link import Link

GUEST = "from kata_nodes.lockstep.guest import stand_in; raise SystemExit(stand_in('safety', ['-x']))"


@pytest.fixture
def guest():
    """Return a process that stands for a node, and the link to it, over which it has said who it is."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(f"\0kata-lockstep-{os.getpid()}")
        listener.listen()
        listener.settimeout(30.0)
        process = subprocess.Popen([sys.executable, "-c", GUEST], stderr=subprocess.PIPE, text=True)
        link = Link(listener.accept()[0])
        assert link.hear(30.0) == [{"program": "safety", "arguments": ["-x"], "pid": process.pid}]
        yield process, link
        process.kill()
        process.communicate()


def test_it_ends_with_the_code_of_its_node(guest):
    process, link = guest
    link.say({"turn": "", "host": os.getpid()})
    link.say({"code": 7})
    assert process.communicate(timeout=30)[1] == ""
    assert process.returncode == 7


def test_a_graph_that_ends_without_a_word_is_a_failure(guest):
    process, link = guest
    link.close()
    assert process.communicate(timeout=30)[1] == "error: safety: the simulator's process ended without a word\n"
    assert process.returncode == 1


def test_a_graph_that_was_told_to_stop_may_end_without_a_word(guest):
    """Ctrl-C reaches the simulator too, which may not be ready to tell anybody a code."""
    process, link = guest
    process.send_signal(signal.SIGINT)
    assert link.hear(30.0) == [{"stop": "SIGINT"}]
    link.close()
    assert process.communicate(timeout=30)[1] == ""
    assert process.returncode == 0
