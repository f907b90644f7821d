# SPDX-License-Identifier: Apache-2.0
"""Run one node from init to shutdown: executor, Ctrl-C, SIGTERM, exit code."""

import gc
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, Protocol, runtime_checkable

import rclpy
from rclpy.executors import Executor, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from kata_model.errors import KataError

try:
    from rclpy.experimental import EventsExecutor
except ImportError:  # before Jazzy's 7.1.5
    EventsExecutor = None

__all__ = ["Finishing", "executor", "run"]

# The events executor hangs without a finite timeout (Jazzy 7.1.6, Kilted 9.1.2). A signal waits this long at most.
_WAIT = 0.1


@runtime_checkable
class Finishing(Protocol):
    """A node that ends by itself: `run` returns as soon as ``exit_code`` is not None."""

    exit_code: int | None


def run(make: Callable[[], Node]) -> int:
    """Make a node, spin it until it finishes or a signal comes, and clean up.

    Signals are noted and obeyed between callbacks, so that no callback is cut in two and
    ``destroy_node`` can still write and publish.

    Args:
        make: Makes the node; called after rclpy's init. Its KataError is printed as one line.

    Returns:
        The exit code: 0 after Ctrl-C, SIGTERM or a shutdown of the context, 2 after a KataError,
        the node's own for a `Finishing` node.
    """
    stop = _Stop()
    rclpy.init(args=sys.argv, signal_handler_options=SignalHandlerOptions.NO)
    node: Node | None = None
    try:
        node = make()
        stop.node_is_ready = True
        gc.collect()
        gc.freeze()  # what was imported stays for ever: looking through it took a collection, and the loop, 0.1 s
        _spin(node, stop)
        return node.exit_code or 0 if isinstance(node, Finishing) else 0
    except KeyboardInterrupt:  # while the node was being made
        return 0
    except KataError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return 2
    finally:
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()


class _Stop:
    """Remember that SIGINT or SIGTERM came; while the node is still being made, which may take long, end that."""

    def __init__(self) -> None:
        self.requested = self.node_is_ready = False
        signal.signal(signal.SIGINT, self._note)
        signal.signal(signal.SIGTERM, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        if not self.node_is_ready:
            raise KeyboardInterrupt


def _spin(node: Node, stop: _Stop) -> None:
    loop = executor()
    loop.add_node(node)
    finishing = isinstance(node, Finishing)
    ending: Any = node
    while rclpy.ok() and not stop.requested and not (finishing and ending.exit_code is not None):
        loop.spin_once(timeout_sec=_WAIT)
    loop.remove_node(node)


def executor() -> Executor:
    """Return the events executor, which takes half the CPU time, or where there is none the standard one."""
    return SingleThreadedExecutor() if EventsExecutor is None else EventsExecutor()
