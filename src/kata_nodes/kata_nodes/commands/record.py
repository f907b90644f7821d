# SPDX-License-Identifier: Apache-2.0
"""Record episodes from the keyboard, with a recorder that runs elsewhere.

Keys: s start, space save as success, f save as failure, d discard, m mark, i intervention begins or ends, q quit. Shows what
the recorder says: episode, messages, losses, silent streams, disk.
"""

import argparse
import os
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kata_msgs.msg import EpisodeState
    from kata_nodes.services import Question

__all__ = ["add_arguments", "run"]

_PATIENCE = 30.0
"""Longest wait for an answer [s]; saving may wait for a disk."""

_HELP = "s start · space success · f failure · d discard · m mark · i intervention · q quit"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--task", default="", help="task text of the episodes")
    parser.add_argument("--label", action="append", default=[], metavar="LABEL", help="a word, or key=value; may be repeated")
    parser.add_argument("--mark", default="mark", metavar="TEXT", help="label of marks (default: mark)")


def run(args: argparse.Namespace) -> int:
    """Listen to keys until q, or the end of the input."""
    import rclpy

    from kata_nodes.enclave import enclave_arguments
    from kata_nodes.spin import executor

    rclpy.init(args=enclave_arguments("record"))
    keyboard = _Keyboard(args)
    loop = executor()
    loop.add_node(keyboard.node)
    print(_HELP)
    try:
        with _raw(sys.stdin):
            while keyboard.press(_key(sys.stdin)):
                keyboard.look()
                loop.spin_once(timeout_sec=0.05)
    except KeyboardInterrupt:
        pass
    finally:
        print()
        keyboard.node.destroy_node()
        rclpy.try_shutdown()
    return 0


class _Keyboard:
    """Turns keys into calls of the recorder's services."""

    def __init__(self, args: argparse.Namespace) -> None:
        from rclpy.node import Node

        from kata_msgs import msg, srv
        from kata_nodes import qos
        from kata_nodes.services import Services

        self._args, self._srv, self._kinds = args, srv, msg.EpisodeMark
        self.node = Node("record")
        self.node.create_subscription(msg.EpisodeState, "episode/state", self._show, qos.LATCHED)
        types = {"start": srv.StartEpisode, "save": srv.SaveEpisode, "discard": srv.DiscardEpisode, "mark": srv.MarkEpisode}
        self._services = Services(self.node, {f"episode/{name}": kind for name, kind in types.items()})
        self._questions: dict[Question, tuple[str, float]] = {}
        self._intervening = False

    def press(self, key: str) -> bool:
        """Act on a key; return False on q."""
        if key in ("q", "\x04"):
            return False
        if key in _ACTIONS:
            name, make = _ACTIONS[key]
            self._call(name, make(self))
        return True

    def _start(self) -> Any:
        self._intervening = False
        return self._srv.StartEpisode.Request(task=self._args.task)

    def _save(self, success: bool) -> Any:
        return self._srv.SaveEpisode.Request(task_success=success, labels=self._args.label)

    def _discard(self) -> Any:
        return self._srv.DiscardEpisode.Request(reason="by keyboard")

    def _mark(self) -> Any:
        return self._srv.MarkEpisode.Request(kind=self._kinds.MARK, label=self._args.mark)

    def _intervene(self) -> Any:
        self._intervening = not self._intervening
        kind = self._kinds.INTERVENTION_BEGIN if self._intervening else self._kinds.INTERVENTION_END
        return self._srv.MarkEpisode.Request(kind=kind, label="intervention")

    def _call(self, name: str, request: Any) -> None:
        service = f"episode/{name}"
        if self._services.offered(service):
            question = self._services.ask(service, request, lambda: self._say(name, question.answer))
            self._questions[question] = service, time.monotonic() + _PATIENCE
        else:
            print(f"\r\x1b[Kno recorder offers {service} yet")

    def look(self) -> None:
        """Ask what waits to be asked, perhaps again, though not for ever: a recorder that starts later must not obey."""
        for question, (service, end) in tuple(self._questions.items()):
            if question.look() is not None:
                del self._questions[question]
            elif time.monotonic() > end:
                del self._questions[question]
                question.end()
                print(f"\r\x1b[K{self._services.whose(service)} did not answer {service}", flush=True)

    @staticmethod
    def _say(name: str, answer: Any) -> None:
        place = f" {answer.path}" if getattr(answer, "path", "") else ""
        text = (
            f"{name}{place}{': ' + answer.message if answer.message else ''}" if answer.success else f"refused: {answer.message}"
        )
        print(f"\r\x1b[K{text}", flush=True)

    @staticmethod
    def _show(state: "EpisodeState") -> None:
        silent = [stream.topic for stream in state.streams if stream.silent]
        parts = [f"{state.messages} messages", f"{state.lost} lost", f"{state.marks} marks", f"{state.disk_free:.1f} GB free"]
        parts += [f"silent: {', '.join(silent)}"] if silent else []
        parts += (
            [f"last {state.grade}{': ' if state.grade_reasons else ''}{'; '.join(state.grade_reasons)}"] if state.grade else []
        )
        parts += [state.note] if state.note else []
        phase = "RECORDING" if state.state == state.RECORDING else "idle"
        print(f"\r\x1b[K[{state.saved}] {phase} {state.task}: {' · '.join(parts)}"[:200], end="", flush=True)


_ACTIONS = {
    "s": ("start", _Keyboard._start),
    " ": ("save", lambda keyboard: keyboard._save(True)),
    "f": ("save", lambda keyboard: keyboard._save(False)),
    "d": ("discard", _Keyboard._discard),
    "m": ("mark", _Keyboard._mark),
    "i": ("mark", _Keyboard._intervene),
}


def _key(stream: Any) -> str:
    """Return a key that was pressed, the end-of-file sign, or an empty string."""
    if not select.select([stream], [], [], 0)[0]:
        return ""
    return os.read(stream.fileno(), 1).decode(errors="ignore") or "\x04"


@contextmanager
def _raw(stream: Any) -> Iterator[None]:
    """Get keys as they are pressed, if this is a terminal."""
    if not stream.isatty():
        yield
        return
    before = termios.tcgetattr(stream)
    tty.setcbreak(stream)
    try:
        yield
    finally:
        termios.tcsetattr(stream, termios.TCSADRAIN, before)
