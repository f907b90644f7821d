# SPDX-License-Identifier: Apache-2.0
"""Timers of nodes that publish samples: never two of one instant."""

from collections.abc import Callable

from rclpy.node import Node
from rclpy.timer import Timer

__all__ = ["every"]


def every(node: Node, period: float, tick: Callable[[int], None]) -> Timer:
    """Call back by a node's clock, at most once in an instant.

    A simulated clock moves in leaps; a timer makes up for what it left out by calls that all see the same time, and
    a sample is told from its repetition by its stamp.

    Args:
        node: The node.
        period: [s].
        tick: Receives the time [ns].
    """
    last = -1

    def fire() -> None:
        nonlocal last
        now = node.get_clock().now().nanoseconds
        if now != last:
            last = now
            tick(now)

    return node.create_timer(period, fire)
