# SPDX-License-Identifier: Apache-2.0
"""Policy status: what a policy is at, how sure of it and how punctual; to the safety node, the log and diagnostics (REP 107)."""

from collections import deque
from collections.abc import Mapping

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node
from std_msgs.msg import Bool, String

from kata_nodes import qos
from kata_nodes.convert import to_time
from kata_policy import Certainty, Judgement, PolicyContract
from kata_policy.running.runner import Phase, Step

__all__ = ["PolicyStatus"]

_STUCK = 2
"""Steps in a row without an answer from which on the robot holds; one alone is bridged by the last target."""

_LEVELS = {
    Certainty.SURE: (DiagnosticStatus.OK, "where it was trained"),
    Certainty.WARNING: (DiagnosticStatus.WARN, "at the edge of what it was trained on"),
    Certainty.UNSURE: (DiagnosticStatus.ERROR, "outside of what it was trained on: the robot holds"),
}

_UNITS = {"distance": "", "disagreement": "_rad", "stillness": "_rad"}

_WORDS = {
    Phase.RETREATING: "unsure for too long: the robot backs away along its own path, then the policy tries again",
    Phase.ENDING: "the episode is over: holding, then back to rest",
    Phase.NEEDS_PERSON: "still unsure: the robot goes to rest and needs a person, who looks why and engages the policy anew",
}


class PolicyStatus:
    """Publishes ``~/late`` and ``~/unsure`` at each step, ``~/state`` (a `Phase`) when it changes, ``/diagnostics`` when asked.

    Args:
        node: The policy's node.
        contract: The policy's; that it brings no monitor is reported once.
    """

    def __init__(self, node: Node, contract: PolicyContract) -> None:
        """Make the publishers."""
        self._node, self._spec, self._period = node, contract.monitor, 1.0 / contract.rate
        self._late = node.create_publisher(Bool, "~/late", qos.STREAM)
        self._unsure = node.create_publisher(Bool, "~/unsure", qos.STREAM)
        self._state = node.create_publisher(String, "~/state", qos.LATCHED)
        self._diagnostics = node.create_publisher(DiagnosticArray, "/diagnostics", qos.EVENT)
        self._seconds: deque[float] = deque(maxlen=500)
        self._missed = self._told = 0
        self._phase: Phase | None = None
        self._last: Judgement | None = None
        self._worst: Judgement | None = None
        if self._spec is None:
            node.get_logger().warning("the policy brings no monitor: nothing tells when it is where it was never trained")

    def note(self, step: Step) -> None:
        """Tell what came of a step."""
        if step.seconds is not None:
            self._seconds.append(step.seconds)
        self._missed += step.late > 0
        self._late.publish(Bool(data=step.late >= _STUCK))
        if step.late:
            self._node.get_logger().warning(
                f"no answer in time ({self._missed} steps so far): inference is too slow", throttle_duration_sec=5.0
            )
        self._unsure.publish(Bool(data=step.unsure))
        if step.phase is not self._phase:
            self._say(step.phase)
        self._note_judgement(step.judgement)

    def _note_judgement(self, judgement: Judgement) -> None:
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

    def _say(self, phase: Phase) -> None:
        self._phase = phase
        self._state.publish(String(data=phase))
        if phase is Phase.NEEDS_PERSON:
            self._node.get_logger().error(_WORDS[phase])
        elif phase in _WORDS:
            self._node.get_logger().info(_WORDS[phase])

    def publish(self) -> None:
        """Publish the worst that was found since the last time, and how long answers took."""
        self._publish_monitor()
        self._publish_inference()

    def _publish_monitor(self) -> None:
        worst, self._worst = self._worst, None
        if worst is None or self._spec is None:
            return
        lost = self._phase is Phase.NEEDS_PERSON
        level, text = (DiagnosticStatus.ERROR, _WORDS[Phase.NEEDS_PERSON]) if lost else _LEVELS[worst.certainty]
        values = {}
        for score, unit in _UNITS.items():
            if (levels := getattr(self._spec, score)) is not None:
                values[f"{score}{unit}"] = getattr(worst, score)
                values |= {f"warning_{score}{unit}": levels.warning, f"hold_{score}{unit}": levels.hold}
        self._diagnose("monitor", level, text, {key: f"{value:.4g}" for key, value in values.items()})

    def _publish_inference(self) -> None:
        if not self._seconds:
            return
        late, self._told = self._missed - self._told, self._missed
        p50, p99 = 1e3 * np.percentile(self._seconds, [50, 99])
        times = {"inference_p50_p99_ms": f"{p50:.2f} {p99:.2f}", "period_ms": f"{1e3 * self._period:.1f}"}
        level, text = (DiagnosticStatus.WARN, f"{late} steps without an answer") if late else (DiagnosticStatus.OK, "in time")
        self._diagnose("inference", level, text, {**times, "late": str(self._missed)})

    def _diagnose(self, part: str, level: bytes, text: str, values: Mapping[str, str]) -> None:
        pairs = [KeyValue(key=key, value=value) for key, value in values.items()]
        name = f"{self._node.get_name()}: {part}"
        array = DiagnosticArray(
            status=[DiagnosticStatus(level=level, name=name, message=text, hardware_id="policy", values=pairs)]
        )
        array.header.stamp = to_time(self._node.get_clock().now().nanoseconds)
        self._diagnostics.publish(array)

    def _figures(self, judgement: Judgement) -> str:
        if self._spec is None:
            return "not monitored"
        parts = []
        for score, unit in _UNITS.items():
            if (levels := getattr(self._spec, score)) is not None:
                parts.append(f"{score} {getattr(judgement, score):.3g}, holds beyond {levels.hold:.3g}{unit.replace('_', ' ')}")
        return "; ".join(parts)
