# SPDX-License-Identifier: Apache-2.0
"""Whether a policy's answers come in time, told to the safety node and to diagnostics (REP 107)."""

from collections import deque

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node
from std_msgs.msg import Bool

from kata_nodes import qos
from kata_nodes.convert import to_time

__all__ = ["Punctuality"]


class Punctuality:
    """Publishes ``~/late`` at each step and ``/diagnostics`` when asked to."""

    def __init__(self, node: Node, period: float) -> None:
        """Make the publishers; period is the policy's [s]."""
        self._node, self._period = node, period
        self._late = node.create_publisher(Bool, "~/late", qos.STREAM)
        self._diagnostics = node.create_publisher(DiagnosticArray, "/diagnostics", qos.EVENT)
        self._seconds: deque[float] = deque(maxlen=500)
        self._missed = self._told = 0

    def took(self, seconds: float) -> None:
        """Note how long an answer took [s]."""
        self._seconds.append(seconds)

    def note(self, late: bool, stuck: bool) -> None:
        """Tell how a step went.

        Args:
            late: Whether it had no answer in time.
            stuck: Whether so many in a row had none that the robot should not wait for its target to grow old.
        """
        self._missed += late
        self._late.publish(Bool(data=stuck))
        if late:
            self._node.get_logger().warning(
                f"no answer in time ({self._missed} steps so far): inference is too slow", throttle_duration_sec=5.0
            )

    def publish(self) -> None:
        """Publish what was noted since the last time."""
        if not self._seconds:
            return
        late, self._told = self._missed - self._told, self._missed
        p50, p99 = 1e3 * np.percentile(self._seconds, [50, 99])
        values = {
            "inference_p50_p99_ms": f"{p50:.2f} {p99:.2f}",
            "period_ms": f"{1e3 * self._period:.1f}",
            "late": str(self._missed),
        }
        status = DiagnosticStatus(
            level=DiagnosticStatus.WARN if late else DiagnosticStatus.OK,
            name=f"{self._node.get_name()}: inference",
            message=f"{late} steps without an answer" if late else "in time",
            hardware_id="policy",
            values=[KeyValue(key=key, value=value) for key, value in values.items()],
        )
        array = DiagnosticArray(status=[status])
        array.header.stamp = to_time(self._node.get_clock().now().nanoseconds)
        self._diagnostics.publish(array)
