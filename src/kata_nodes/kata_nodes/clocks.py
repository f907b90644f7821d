# SPDX-License-Identifier: Apache-2.0
"""Which clocks a node goes by: steady time is the machine's, or in lockstep the simulator's.

In lockstep (`kata_nodes.lockstep`) time advances with the graph: nothing may hang on how long the machine took, so
whatever would otherwise be measured by the steady clock is measured by the node's own, simulated one.
"""

from collections.abc import Callable
from time import monotonic_ns

from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from kata_nodes.lockstep.link import TIME, in_lockstep

__all__ = ["TIME", "in_lockstep", "steady_clock", "steady_time"]

_advanced: Callable[[Node], Clock] = Node.get_clock
"""What is steady in lockstep: nobody sets the simulator's clock. Tests that do put another one here."""


def steady_clock(node: Node) -> Clock:
    """Return the clock by which a node measures silence and patience."""
    return _advanced(node) if in_lockstep() else Clock(clock_type=ClockType.STEADY_TIME)


def steady_time(node: Node) -> Callable[[], int]:
    """Return what tells the time of a node's steady clock [ns]; `time.monotonic_ns` where that is the machine's."""
    clock = steady_clock(node)
    return (lambda: int(clock.now().nanoseconds)) if in_lockstep() else monotonic_ns
