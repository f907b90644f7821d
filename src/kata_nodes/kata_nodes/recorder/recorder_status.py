# SPDX-License-Identifier: Apache-2.0
"""What the recorder tells the operator: its state, and its health as diagnostics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

from kata_data.recording import DiskForecast, DiskLimits
from kata_data.recording.episode import EpisodeMachine, EpisodePhase
from kata_msgs.msg import EpisodeState, StreamState
from kata_nodes import qos
from kata_nodes.convert import episode_to, to_time
from kata_nodes.recorder.grader import Grade
from kata_nodes.recorder.stream_intake import StreamIntake

__all__ = ["Progress", "RecorderStatus"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How the running or last episode stands.

    Attributes:
        path: Folder of the last episode that was saved.
        messages: Messages in the running episode.
        refused: Messages that came and could not be written, by stored topic.
        note: What an operator should know.
        grade: Of the last episode that was saved.
    """

    path: str
    messages: int
    refused: Mapping[str, int]
    note: str
    grade: Grade


class RecorderStatus:
    """Publishes ``episode/state`` and ``/diagnostics``."""

    def __init__(self, node: Node, intakes: Sequence[StreamIntake], limits: DiskLimits) -> None:
        """Make the publishers."""
        self._node, self._intakes, self._limits = node, intakes, limits
        self._state = node.create_publisher(EpisodeState, "episode/state", qos.LATCHED)
        self._diagnostics = node.create_publisher(DiagnosticArray, "/diagnostics", qos.EVENT)

    def publish(self, machine: EpisodeMachine, progress: Progress, disk: DiskForecast) -> None:
        """Tell how things stand now."""
        now = int(self._node.get_clock().now().nanoseconds)
        streams = [self._stream(intake, progress) for intake in self._intakes]
        message = episode_to(now, machine, progress.path, progress.messages, progress.note)
        message.lost = sum(stream.lost + stream.discarded for stream in streams)
        message.marks = machine.marks
        message.grade, message.grade_reasons = progress.grade.letter, progress.grade.reasons
        message.disk_free, message.disk_time = disk.free, disk.seconds(self._limits)
        message.streams = streams
        self._state.publish(message)
        self._diagnose(now, machine, message)

    @staticmethod
    def _stream(intake: StreamIntake, progress: Progress) -> StreamState:
        return StreamState(
            topic=intake.stored,
            expected_rate=intake.spec.rate,
            rate=intake.rate,
            received=intake.drops.received,
            lost=intake.drops.lost,
            discarded=progress.refused.get(intake.stored, 0),
            silent=intake.silent,
        )

    def _diagnose(self, now: int, machine: EpisodeMachine, state: EpisodeState) -> None:
        recording = machine.phase is EpisodePhase.RECORDING
        silent = [stream.topic for stream in state.streams if stream.silent]
        level = DiagnosticStatus.OK
        if recording and (state.lost or silent):
            level = DiagnosticStatus.WARN
        values = {"lost": str(state.lost), "silent": ", ".join(silent) or "none", "disk_free_gb": f"{state.disk_free:.2f}"}
        values |= {stream.topic: f"{stream.rate:.1f} Hz, {stream.lost} lost" for stream in state.streams if stream.received}
        status = DiagnosticStatus(
            level=level,
            name=f"{self._node.get_name()}: episode",
            message=f"{machine.phase.name.lower()}: {state.note or 'all well'}",
            hardware_id="recorder",
            values=[KeyValue(key=key, value=value) for key, value in values.items()],
        )
        array = DiagnosticArray(status=[status])
        array.header.stamp = to_time(now)
        self._diagnostics.publish(array)
