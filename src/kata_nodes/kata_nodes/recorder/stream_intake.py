# SPDX-License-Identifier: Apache-2.0
"""Receives one topic for the recorder: serialised, with both stamps, drops counted.

Where a simulator's time counts, a receive stamp says when the middleware had the message, not when Python had.
"""

import struct
from collections.abc import Callable, Iterable
from inspect import Parameter, Signature
from typing import Any, Protocol

from rclpy.node import Node
from rosgraph_msgs.msg import Clock

from kata_data.recording import DropCounter, SimulatedTime, StreamSpec
from kata_nodes import qos
from kata_nodes.clocks import in_lockstep, steady_time
from kata_nodes.interfaces import MessageType, message_type
from kata_nodes.recorder.bag_thread import Sample

__all__ = ["LockstepReceipt", "Receipt", "SimulatedReceipt", "StreamIntake", "stream_intakes"]

_FRESH = 0.5
"""A stream is silent after this time without a message [s], or after `_PERIODS` of it."""

_PERIODS = 5.0

_UNSUPPORTED = 2**64 - 1
"""What the middleware says where it has no sequence numbers."""


class StreamIntake:
    """One subscription.

    Attributes:
        spec: What the configuration says of the stream.
        name: Full topic name.
        stored: Name under which it is stored.
        type: Type in which it is stored.
        drops: Received and lost since the episode began.
        unreported: Lost since somebody asked `report`.
        rate: Received over the last seconds [Hz].
        bytes: Bytes received since the node began.
        silent: Whether it has fallen silent; `look` decides.
    """

    # rclpy passes message info to callbacks of two arguments, the events executor as one tuple (Jazzy 7.1.6,
    # Kilted 9.1.2); this signature asks for it, and `__call__` takes both forms.
    __signature__ = Signature([Parameter(name, Parameter.POSITIONAL_ONLY) for name in ("data", "info")])

    def __init__(self, node: Node, spec: StreamSpec, sink: Callable[[Sample], None], simulated: "Receipt | None") -> None:
        """Subscribe.

        Args:
            node: The recorder.
            spec: What to receive.
            sink: Takes what came.
            simulated: Gives receive stamps in the simulator's time; None for the system's.
        """
        self.spec, self._sink = spec, sink
        self.name = node.resolve_topic_name(spec.topic)
        self.stored = f"{self.name}/compressed" if spec.compressed else self.name
        kind = message_type(spec.type)
        self.type: MessageType = message_type("sensor_msgs/msg/CompressedImage") if spec.compressed else kind
        self.drops = DropCounter(spec.rate)
        self.unreported = self.bytes = 0
        self.rate, self.silent = 0.0, False
        self._simulated, self._clock = simulated, node.get_clock()
        self._seen = self._received = 0
        self._steady = steady_time(node)
        self._counted, self._since = 0, self._steady()
        self._total = 0
        profile = qos.RECORD_IMAGES if spec.type.endswith("Image") else qos.RECORD
        node.create_subscription(kind.python, spec.topic, self, profile, raw=True)

    def __call__(self, *given: Any) -> None:
        """Take a serialised message and its info: two arguments, or one pair."""
        data, info = given if len(given) == 2 else given[0]
        sent, sequence = int(info["source_timestamp"] or 0), int(info["publication_sequence_number"] or 0)
        came = int(info["received_timestamp"] or 0)
        received = self._simulated.at(came, self._received) if self._simulated else came or int(self._clock.now().nanoseconds)
        lost = self.drops.note(0 if sequence == _UNSUPPORTED else sequence, sent or received)
        self.unreported += lost
        self._seen, self._received = self._steady(), received
        self._total += 1
        self.bytes += len(data)
        self._sink(Sample(self.stored, data, received, 0 if self._simulated else sent, sequence))

    def begin(self) -> None:
        """Count anew, for an episode begins."""
        self.drops.reset()
        self.unreported = 0

    @property
    def heard(self) -> bool:
        """Whether anything ever came."""
        return self._total > 0

    def look(self) -> bool:
        """Measure the rate, judge silence, and return whether the stream fell silent since the last look."""
        now = self._steady()
        if now - self._since >= 1_000_000_000:
            self.rate = 1e9 * (self._total - self._counted) / (now - self._since)
            self._counted, self._since = self._total, now
        was = self.silent
        patience = max(_FRESH, _PERIODS / self.spec.rate) if self.spec.rate else float("inf")
        self.silent = self.heard and 1e-9 * (now - self._seen) > patience
        return self.silent and not was

    def report(self) -> int:
        """Return what was lost since the last report."""
        lost, self.unreported = self.unreported, 0
        return lost


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

    __signature__ = Signature([Parameter(name, Parameter.POSITIONAL_ONLY) for name in ("data", "info")])

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


def stream_intakes(node: Node, specs: Iterable[StreamSpec], sink: Callable[[Sample], None]) -> list[StreamIntake]:
    """Subscribe to all streams on behalf of the recorder; `sink` takes what comes."""
    receipt: Receipt | None = None
    if node.get_parameter("use_sim_time").value:
        receipt = LockstepReceipt(node) if in_lockstep() else SimulatedReceipt(node)
    return [StreamIntake(node, spec, sink, receipt) for spec in specs]
