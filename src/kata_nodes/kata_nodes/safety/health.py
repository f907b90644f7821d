# SPDX-License-Identifier: Apache-2.0
"""The safety node's health once a second (REP 107): status, reasons, latency, jitter."""

from collections import Counter, deque
from collections.abc import Sequence
from itertools import compress

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

from kata_model.reason_words import explain, some
from kata_model.verdict import JointFlag, Status, Verdict
from kata_nodes import qos
from kata_nodes.convert import to_time
from kata_safety import LoopMonitor

__all__ = ["Health"]

_LEVELS = {Status.HOLDING: DiagnosticStatus.WARN, Status.STOPPING: DiagnosticStatus.ERROR, Status.STOPPED: DiagnosticStatus.ERROR}


class Health:
    """Gathers verdicts and tells how things stand."""

    def __init__(self, node: Node, loop: LoopMonitor, robot: str, joints: Sequence[str]) -> None:
        """Make the publisher; robot is the name by which operators know the hardware, joints are named in layout order."""
        self._loop, self._name, self._robot, self._joints, self._log = loop, node.get_name(), robot, joints, node.get_logger()
        self._logged = Status.STANDBY
        self._told = 0
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", qos.EVENT)
        self._reasons: Counter[str] = Counter()
        self._latency: dict[str, deque[float]] = {stage: deque(maxlen=500) for stage in ("source", "target", "state")}
        self._last: Verdict | None = None

    def note(self, verdict: Verdict) -> None:
        """Take a verdict into account; log when the robot begins to follow, to hold or to stand still: limits are no news."""
        self._last = verdict
        self._reasons.update(verdict.reasons)
        stamps = {"source": verdict.source_stamp, "target": verdict.target_stamp, "state": verdict.state_stamp}
        for stage, stamp in stamps.items():
            if stamp and verdict.status in (Status.FOLLOWING, Status.LIMITED):
                self._latency[stage].append((verdict.stamp - stamp) * 1e-6)

        status = Status.FOLLOWING if verdict.status is Status.LIMITED else verdict.status
        if status is not self._logged:
            self._logged = status
            self._log.info(self._words(status, verdict), throttle_duration_sec=0.1)

    def _words(self, status: Status, verdict: Verdict) -> str:
        """Return a verdict in words, with the joints whose measurement is the trouble."""
        doubted = tuple(compress(self._joints, verdict.joint_flags & JointFlag.FEEDBACK))
        return f"{status.name.lower()}: {explain(verdict.reasons) or 'all well'}{f' ({some(doubted)})' if doubted else ''}"

    def publish(self) -> None:
        """Publish what was gathered since the last time."""
        last = self._last
        if last is None:
            return
        values = {"reasons": ", ".join(f"{name} {count}" for name, count in self._reasons.most_common()) or "none"}
        for stage, found in self._latency.items():
            if found:
                values[f"{stage}_to_command_p50_p99_ms"] = "{:.1f} {:.1f}".format(*np.percentile(found, [50, 99]))
        self._reasons.clear()
        message = self._words(last.status, last)
        level = _LEVELS.get(last.status, DiagnosticStatus.OK)
        array = DiagnosticArray(status=[self._status("filter", level, message, values), self._loop_status()])
        array.header.stamp = to_time(last.stamp)
        self._publisher.publish(array)

    def _loop_status(self) -> DiagnosticStatus:
        """Return whether the ticks came in time since the last report."""
        late, self._told = self._loop.overruns - self._told, self._loop.overruns
        values = {"jitter_p99_ms": f"{1e3 * self._loop.jitter():.2f}", "overruns": str(self._loop.overruns)}
        level = DiagnosticStatus.WARN if late else DiagnosticStatus.OK
        return self._status("loop", level, f"{late} late ticks" if late else "in time", values)

    def _status(self, part: str, level: bytes, message: str, values: dict[str, str]) -> DiagnosticStatus:
        return DiagnosticStatus(
            level=level,
            name=f"{self._name}: {part}",
            message=message,
            hardware_id=self._robot,
            values=[KeyValue(key=key, value=value) for key, value in values.items()],
        )
