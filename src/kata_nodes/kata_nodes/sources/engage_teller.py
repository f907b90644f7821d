# SPDX-License-Identifier: Apache-2.0
"""Where the engage contract stands of a source that is engaged by a service: a script, a clip."""

from rclpy.node import Node

from kata_msgs.msg import EngageState
from kata_nodes import qos
from kata_nodes.convert import engage_to
from kata_teleop.engage import EngageStatus, Phase

__all__ = ["EngageTeller"]

_PERIOD = 200_000_000  # between two messages when nothing changed [ns]


class EngageTeller:
    """Publishes ``engage/state`` when it changes, and now and then."""

    def __init__(self, node: Node, source: str) -> None:
        """Make the publisher; source is the source's name."""
        self._node, self._source = node, source
        self._publisher = node.create_publisher(EngageState, "engage/state", qos.STREAM)
        self._engaged, self._told = False, 0

    def tell(self, engaged: bool) -> None:
        """Note whether the source is engaged now."""
        now = int(self._node.get_clock().now().nanoseconds)
        if engaged == self._engaged and 0 <= now - self._told < _PERIOD:
            return
        self._engaged, self._told = engaged, now
        phase = Phase.ENGAGED if engaged else Phase.DISENGAGED
        self._publisher.publish(engage_to(now, self._source, EngageStatus(phase, "", "toggle", 1.0, False, {})))
