# SPDX-License-Identifier: Apache-2.0
"""What a launcher's process does for a node that lives in the simulator's: it stands for it, from start to exit code.

Launch files start one process a node, whatever the time. In lockstep the nodes live in the simulator's process and each
process hands over its arguments, passes signals on, ends with its node's exit code, and ends the graph when it is
killed. It imports nothing but the standard library, and so is there in a tenth of a second.
"""

import os
import signal
from types import FrameType

from kata_nodes.lockstep.link import Link, Turn, complain, connect

__all__ = ["SILENCE", "stand_in"]

SILENCE = 4.5
"""Time without a word from the graph after which it counts as hanging [s]."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_PATIENCE = 300.0
"""Longest wait for the simulator to come up; on a new machine it may have to compile first [s]."""


def stand_in(program: str, arguments: list[str]) -> int:
    """Stand for a node until the graph ends.

    Args:
        program: Name of the node's program.
        arguments: Its command line without the program.

    Returns:
        The node's exit code; 3 if the graph hangs, 1 if it died without a word.
    """
    link = connect(_PATIENCE)
    if link is None:
        complain(f"{program}: no simulator in lockstep within {_PATIENCE:g} s (does the launch file start one?)")
        return 1
    stop = _Stop(link)
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # the graph must know who speaks before it is told to stop
    for number in _SIGNALS:
        signal.signal(number, stop)
    link.say({"program": program, "arguments": arguments, "pid": os.getpid()})
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    return _listen(link, program, stop)


class _Stop:
    """Passes a signal on: the graph ends as a whole; `asked` says whether one came."""

    def __init__(self, link: Link) -> None:
        self._link, self.asked = link, False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        self._link.say({"stop": signal.Signals(number).name})


def _listen(link: Link, program: str, stop: _Stop) -> int:
    turn, host = "", 0
    while True:
        try:
            messages = link.hear(SILENCE)
        except TimeoutError:
            complain(f"{Turn.read(turn) or 'the simulator'}: no sign of life for {SILENCE:g} s; the graph is ended")
            if host:
                os.kill(host, signal.SIGKILL)
            return 3
        if messages is None and stop.asked:  # the simulator heard it as well, perhaps before it could tell codes
            return 0
        if messages is None:
            complain(f"{program}: the simulator's process ended without a word")
            return 1
        for message in messages:
            if "code" in message:
                os._exit(int(message["code"]))  # at once: a launcher's SIGINT would turn the code into a signal
            turn, host = str(message.get("turn", turn)), int(message.get("host", host))
