# SPDX-License-Identifier: Apache-2.0
"""What a policy's monitor finds, told to the safety node, to the log and to diagnostics (REP 107)."""

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node
from std_msgs.msg import Bool

from kata_core.policy import Certainty, Judgement, MonitorSpec
from kata_nodes import qos
from kata_nodes.convert import to_time

__all__ = ["Doubts"]

_LEVELS = {
    Certainty.SURE: (DiagnosticStatus.OK, "where it was trained"),
    Certainty.WARNING: (DiagnosticStatus.WARN, "at the edge of what it was trained on"),
    Certainty.UNSURE: (DiagnosticStatus.ERROR, "outside of what it was trained on: the robot holds"),
}


class Doubts:
    """Publishes ``~/unsure`` at each step and ``/diagnostics`` when asked to."""

    def __init__(self, node: Node, spec: MonitorSpec | None) -> None:
        """Make the publishers.

        Args:
            node: The policy's node.
            spec: The policy's monitor; None if it brings none, which is reported once.
        """
        self._node, self._spec = node, spec
        self._unsure = node.create_publisher(Bool, "~/unsure", qos.STREAM)
        self._diagnostics = node.create_publisher(DiagnosticArray, "/diagnostics", qos.EVENT)
        self._last: Judgement | None = None
        self._worst: Judgement | None = None
        if spec is None:
            node.get_logger().warning("the policy brings no monitor: nothing tells when it is where it was never trained")

    def note(self, judgement: Judgement) -> None:
        """Tell what was found at a step."""
        self._unsure.publish(Bool(data=judgement.certainty is Certainty.UNSURE))
        before = self._last.certainty if self._last else Certainty.SURE
        if judgement.certainty is not before:
            text = f"policy is {_LEVELS[judgement.certainty][1]} ({self._figures(judgement)})"
            if judgement.certainty > Certainty.SURE:  # rclpy wants a line of its own for each severity
                self._node.get_logger().warning(text)
            else:
                self._node.get_logger().info(text)
        self._last = judgement
        if self._worst is None or judgement.certainty >= self._worst.certainty:
            self._worst = judgement

    def publish(self) -> None:
        """Publish the worst that was found since the last time."""
        worst, self._worst = self._worst, None
        if worst is None or self._spec is None:
            return
        level, text = _LEVELS[worst.certainty]
        values = {
            "distance": worst.distance,
            "warning_distance": self._spec.distance.warning,
            "hold_distance": self._spec.distance.hold,
        }
        if self._spec.disagreement:
            levels = self._spec.disagreement
            values |= {
                "disagreement_rad": worst.disagreement,
                "warning_disagreement_rad": levels.warning,
                "hold_disagreement_rad": levels.hold,
            }
        pairs = [KeyValue(key=key, value=f"{value:.4g}") for key, value in values.items()]
        name = f"{self._node.get_name()}: monitor"
        array = DiagnosticArray(
            status=[DiagnosticStatus(level=level, name=name, message=text, hardware_id="policy", values=pairs)]
        )
        array.header.stamp = to_time(self._node.get_clock().now().nanoseconds)
        self._diagnostics.publish(array)

    def _figures(self, judgement: Judgement) -> str:
        if self._spec is None:
            return "not monitored"
        text = f"distance {judgement.distance:.1f}, holds beyond {self._spec.distance.hold:.1f}"
        levels = self._spec.disagreement
        return f"{text}; disagreement {judgement.disagreement:.3f} rad, holds beyond {levels.hold:.3f}" if levels else text
