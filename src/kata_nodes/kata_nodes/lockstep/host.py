# SPDX-License-Identifier: Apache-2.0
"""The process in which a lockstep graph lives: the simulator's, which takes in the nodes of its launch."""

import faulthandler
import gc
import importlib
import os
import selectors
import signal
import socket
import traceback
from collections.abc import Mapping, Sequence
from threading import Event, Lock, Thread
from time import monotonic
from types import FrameType
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from kata_model.errors import ConfigError, KataError
from kata_nodes.entry import module_of
from kata_nodes.lockstep.executor import LockstepError, LockstepExecutor
from kata_nodes.lockstep.link import Link, Turn, address, complain, expected
from kata_nodes.spin import Finishing

__all__ = ["HOST", "host", "node_class"]

HOST = "sim"
"""The program that takes in the others."""

_GATHER = 60.0
"""Longest wait for the processes that the launch file names [s]."""

_HANGS = 4.0
"""Time in one callback after which its node counts as hanging [s]; it is named before `SILENCE` has passed."""

_BEAT = 0.5
"""Time between two signs of life [s]."""

_HANG_CODE = 3

_FAREWELL = 1.0
"""Longest wait for a process to end [s]."""


def host(arguments: Sequence[str]) -> int:
    """Take in the nodes that the launch file names, and run them in lockstep until one ends or a signal comes.

    Args:
        arguments: Command line of the simulator's node, without the program.

    Returns:
        The exit code of this process: 0 unless the simulator failed or a process did not come.
    """
    guests = _Guests()
    try:
        guests.gather(expected())
        return _Graph(guests, arguments).run()
    except KataError as error:
        complain(f"{error}")
        guests.end({}, 2)
        return 2


class _Guests:
    """The processes that stand for nodes, by program; a thread hears them and tells them that the graph lives.

    Attributes:
        news: Why the graph must end; empty while all is well.
        turn: Whose callback runs; one that does not return is a fault.
    """

    def __init__(self) -> None:
        self.links: dict[str, Link] = {}
        self.arguments: dict[str, list[str]] = {}
        self.news = ""
        self.stopped = False
        self.turn = Turn()
        self._lock, self._over = Lock(), Event()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._listener.bind(address())
        except OSError as error:
            raise ConfigError(f"two simulators in one launch: {error.strerror}", where="lockstep") from error
        self._listener.listen()

    def gather(self, programs: Sequence[str]) -> None:
        """Wait for all programs.

        Raises:
            ConfigError: One did not come.
        """
        end = monotonic() + _GATHER
        self._listener.settimeout(0.2)
        while missing := [name for name in programs if name not in self.links]:
            if monotonic() > end:
                raise ConfigError(f"{', '.join(missing)} did not start within {_GATHER:g} s", where="lockstep")
            try:
                link = Link(self._listener.accept()[0])
            except TimeoutError:
                continue
            for message in link.hear(_GATHER) or []:
                self.links[message["program"]] = link
                self.arguments[message["program"]] = message["arguments"]
        self.arguments = {name: self.arguments[name] for name in programs}  # in this order whoever came first
        Thread(target=self._attend, name="lockstep guests", daemon=True).start()

    def end(self, codes: Mapping[str, int], default: int = 0) -> None:
        """Tell every process with which code to end, first those whose code says why: a launcher stops the others at once."""
        self._over.set()
        with self._lock:
            for name in sorted(self.links, key=lambda name: name not in codes):
                self.links[name].say({"code": codes.get(name, default)})
                if name in codes:
                    self.links[name].wait(_FAREWELL)

    def _attend(self) -> None:
        selector = selectors.DefaultSelector()
        for name, link in self.links.items():
            selector.register(link, selectors.EVENT_READ, name)
        while not self._over.is_set():
            for key, _ in selector.select(_BEAT):
                messages = self.links[key.data].hear(0.0)
                if messages is None:
                    self.news = self.news or f"{key.data}: its process died"
                    selector.unregister(key.fileobj)
                elif any("stop" in message for message in messages):
                    self.stopped = True
            self._beat()

    def _beat(self) -> None:
        node, since = self.turn.node, self.turn.since
        if node and monotonic() - since > _HANGS:
            self._give_up(node)
        with self._lock:
            for link in () if self._over.is_set() else self.links.values():
                link.say({"turn": self.turn.path, "host": os.getpid()})

    def _give_up(self, node: str) -> None:
        """End a graph in which a callback does not return; nothing in this process can be trusted to end it in order."""
        complain(f"{node} hangs: its callback has not returned for {_HANGS:g} s; here it stands:")
        faulthandler.dump_traceback(all_threads=True)
        self.end({}, _HANG_CODE)
        os._exit(_HANG_CODE)


class _Graph:
    """The nodes of a launch in one process."""

    def __init__(self, guests: _Guests, arguments: Sequence[str]) -> None:
        self._guests = guests
        self._arguments = {HOST: list(arguments), **guests.arguments}
        self._nodes: dict[str, Node] = {}
        self._signalled = False

    def run(self) -> int:
        """Make the nodes, run them to the end, and tell each process its exit code; return this one's."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)
        rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
        codes = {HOST: 1}  # if an error that nobody foresaw leaves through here
        try:
            faults: dict[str, int] = {}
            codes = self._spin() if self._make(faults) else faults
        finally:
            for node in reversed(self._nodes.values()):
                node.destroy_node()
            rclpy.try_shutdown()
            for number in (signal.SIGINT, signal.SIGTERM):  # the launcher's, as the first process ends: this one has its code
                signal.signal(number, signal.SIG_IGN)
            self._guests.end(codes, codes.get(HOST, 0))
        return codes.get(HOST, 0)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._signalled = True

    def _make(self, codes: dict[str, int]) -> bool:
        """Make the nodes, the simulator first; where one cannot be made, note its exit code and return False."""
        for program, arguments in self._arguments.items():
            try:
                self._nodes[program] = node_class(program)(cli_args=arguments, use_global_arguments=False)
            except KataError as error:
                complain(f"{program}: {error}")
                codes[program] = 2
                return False
            if self._signalled or self._guests.stopped or self._lost(codes):
                return False
        return True

    def _spin(self) -> dict[str, int]:
        """Let time pass until a node finishes or fails, or somebody asks for the end; return the nodes' exit codes."""
        executor = LockstepExecutor(self._nodes.values(), turn=self._guests.turn.note)
        finishing: dict[str, Any] = {name: node for name, node in self._nodes.items() if isinstance(node, Finishing)}
        gc.collect()
        gc.freeze()
        codes: dict[str, int] = {}
        try:
            while not (self._signalled or self._guests.stopped or codes or self._lost(codes)):
                executor.tick()
                codes |= {name: node.exit_code for name, node in finishing.items() if node.exit_code is not None}
        except LockstepError as error:
            if not isinstance(error.__cause__, KataError):
                traceback.print_exception(error.__cause__)
            complain(f"{error}")
            codes[self._program(error.node)] = 2 if isinstance(error.__cause__, KataError) else 1
        return codes

    def _lost(self, codes: dict[str, int]) -> bool:
        """Return whether a process that stands for a node died; then this one ends with a code."""
        if self._guests.news:
            complain(f"{self._guests.news}; the graph is ended")
            codes[HOST] = 1
        return bool(self._guests.news)

    def _program(self, node: str) -> str:
        return next((name for name, made in self._nodes.items() if made.get_name() == node), HOST)


def node_class(program: str) -> Any:
    """Return the class of a program's node."""
    module = importlib.import_module(module_of(program))
    return getattr(module, "".join(part.capitalize() for part in program.split("_")) + "Node")
