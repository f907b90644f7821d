# SPDX-License-Identifier: Apache-2.0
"""The recorder's receive stamps where a simulator's time counts: of when the middleware had a message, not of when Python had."""

import struct
from inspect import Parameter, Signature
from typing import Any, Protocol

from rclpy.node import Node
from rosgraph_msgs.msg import Clock

from kata_data.recording import SimulatedTime
from kata_nodes import qos

__all__ = ["LockstepReceipt", "Receipt", "SimulatedReceipt"]


class Receipt(Protocol):
    """Tells receive stamps in the simulator's time."""

    def at(self, received: int, before: int) -> int:
        """Return what the clock showed at a system time [ns], not before `before`."""


class LockstepReceipt:
    """Receive stamps where time waits for the graph: what the clock shows, for no message is ever late."""

    def __init__(self, node: Node) -> None:
        """Take the node's clock."""
        self._clock = node.get_clock()

    def at(self, received: int, before: int) -> int:
        """Return the simulated time [ns]."""
        return int(self._clock.now().nanoseconds)


class SimulatedReceipt:
    """Listens to the simulator's clock, with the system's time at which each reading came."""

    __signature__ = Signature([Parameter(name, Parameter.POSITIONAL_ONLY) for name in ("data", "info")])  # as in StreamIntake

    def __init__(self, node: Node) -> None:
        """Subscribe."""
        self._clock, self._time = node.get_clock(), SimulatedTime()
        node.create_subscription(Clock, "/clock", self, qos.RECORD, raw=True)

    def __call__(self, *given: Any) -> None:
        """Take a reading: two arguments, or one pair."""
        data, info = given if len(given) == 2 else given[0]
        seconds, nanoseconds = struct.unpack_from("<iI", data, 4)
        self._time.note(int(info["received_timestamp"] or 0), seconds * 1_000_000_000 + nanoseconds)

    def at(self, received: int, before: int) -> int:
        """Return what the clock showed at a system time, or shows now where that is not known; `before` as in `SimulatedTime`."""
        shown = self._time.at(received, before) if received else None
        return int(self._clock.now().nanoseconds) if shown is None else shown
