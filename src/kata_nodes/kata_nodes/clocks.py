# SPDX-License-Identifier: Apache-2.0
"""Which clocks a node goes by: steady time is the machine's, or in lockstep the simulator's.

In lockstep (`kata_nodes.lockstep`) time advances with the graph: nothing may hang on how long the machine took, so
whatever would otherwise be measured by the steady clock is measured by the node's own, simulated one.
"""

import os

from rclpy.clock import Clock, ClockType
from rclpy.node import Node

__all__ = ["TIME", "in_lockstep", "steady_clock"]

TIME = "KATA_TIME"
"""Environment variable, set by the launch argument ``time``: ``real`` or ``lockstep``."""


def in_lockstep() -> bool:
    """Return whether time advances with the graph."""
    return os.environ.get(TIME, "real") == "lockstep"


def steady_clock(node: Node) -> Clock:
    """Return the clock by which a node measures silence and patience."""
    return node.get_clock() if in_lockstep() else Clock(clock_type=ClockType.STEADY_TIME)
