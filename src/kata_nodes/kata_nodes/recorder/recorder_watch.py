# SPDX-License-Identifier: Apache-2.0
"""Looks after a recording: losses, silence and the disk, said while they happen."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from rclpy.node import Node

from kata_data.bags.bag_writer import unfinished
from kata_data.recording import DiskForecast
from kata_data.recording.episode import EpisodeMachine
from kata_nodes.clocks import in_lockstep, steady_time
from kata_nodes.recorder.episode_writer import EpisodeWriter
from kata_nodes.recorder.grader import Grade, Grader
from kata_nodes.recorder.recorder_config import RecorderConfig
from kata_nodes.recorder.recorder_status import Progress, RecorderStatus
from kata_nodes.recorder.stream_intake import StreamIntake

__all__ = ["RecorderWatch"]

_PERIOD = 1.0
"""Time between two states if nothing happens, and between two looks at the disk [s]."""


_HANGING = 2.0
"""Time for one message after which disk or encoder is said to hang [s]."""

_HANGS = "nothing was written for {:.0f} s: disk or encoder hangs"


class RecorderWatch:
    """Says what is lost, and judges whether an episode may begin or must end."""

    def __init__(self, node: Node, config: RecorderConfig, intakes: Sequence[StreamIntake]) -> None:
        """Watch these streams."""
        self._node, self._intakes = node, intakes
        self._directory, self._limits = Path(config.directory), config.disk
        self._status = RecorderStatus(node, intakes, self._limits)
        self._path = self._note = ""
        self._steady = steady_time(node)
        self._grader = Grader(self._steady, lockstep=in_lockstep()) if config.grade else None
        self._grade = Grade("", "", ())
        self._refused, self._hung = 0, False
        self._heard: set[str] = set()
        self._bytes, self._looked, self._rate = 0, self._steady(), 0.0
        self._published = 0
        self._disk = DiskForecast(self._free(), 0.0)

    def begin(self, machine: EpisodeMachine) -> None:
        """Tell of episodes whose recorder died, and the first state."""
        left = unfinished(self._directory)
        if left:
            self._node.get_logger().warning(f"{len(left)} unfinished episodes: kata bag repair {self._directory}")
        self.publish(machine, None, "")

    def saved(self, path: str) -> None:
        """Remember the last episode, and have it graded."""
        self._path, self._grade = path, Grade(path, "", ())
        if self._grader:
            self._grader.ask(path)

    def close(self) -> None:
        """Leave what is not graded yet."""
        if self._grader:
            self._grader.close()

    def refusal(self) -> str:
        """Return why no episode may begin, or an empty string."""
        self._measure(None)
        return self._disk.refusal(self._limits)

    def look(self, machine: EpisodeMachine, writer: EpisodeWriter | None) -> str:
        """Report what happened since the last look; return why the episode must end now, or an empty string."""
        self._measure(writer)
        graded = self._graded()
        news = [*self._silences(), *self._losses(writer), *self._hangs(writer)]
        if writer is not None:
            for line in news:
                self._node.get_logger().warning(line)
            if self._disk.exhausted(self._limits) and not writer.complaint.startswith("disk"):
                writer.halt(f"disk nearly full: {self._disk.free:.2f} GB free; save the episode, it is cut here")
            if news or graded or self._steady() - self._published > _PERIOD * 1e9:
                self.publish(machine, writer, "; ".join(news) or self._standing(writer))
            return writer.error
        if graded or self._steady() - self._published > _PERIOD * 1e9:
            self.publish(machine, None, self._disk.refusal(self._limits) or self._note)
        return ""

    def publish(self, machine: EpisodeMachine, writer: EpisodeWriter | None, note: str) -> None:
        """Publish the state; without an episode the last one's note stands."""
        self._note, self._published = note, self._steady()
        progress = Progress(self._path, writer.messages if writer else 0, writer.refused if writer else {}, note, self._grade)
        self._status.publish(machine, progress, self._disk)

    def account(self, writer: EpisodeWriter) -> str:
        """Return what an episode lacks, or an empty string; a policy, say, has no frames at all."""
        self._heard |= writer.heard
        streams = {intake.stored for intake in self._intakes}
        silent = [name for name in writer.silent if name in streams]
        missing = [name for name in silent if name in self._heard or self._node.count_publishers(name)]
        lost = {i.stored: i.drops.lost + writer.refused[i.stored] for i in self._intakes}
        parts = [f"nothing came on {', '.join(missing)}"] if missing else []
        if any(lost.values()):
            parts.append("lost " + ", ".join(f"{count} on {name}" for name, count in lost.items() if count))
        return "; ".join([*parts, writer.complaint] if writer.complaint else parts)

    def _standing(self, writer: EpisodeWriter) -> str:
        """Return what still holds though nothing is new."""
        silent = [intake.stored for intake in self._intakes if intake.silent]
        parts = [f"nothing comes on {', '.join(silent)}"] if silent else []
        parts += [_HANGS.format(writer.stuck)] if self._hung else []
        return "; ".join([*parts, writer.complaint] if writer.complaint else parts)

    def _graded(self) -> bool:
        """Say what was graded; return whether the last episode was."""
        grades = self._grader.look() if self._grader else []
        for grade in grades:
            about = f"{grade.letter or 'no grade'}{': ' if grade.reasons else ''}{'; '.join(grade.reasons)}"
            self._node.get_logger().info(f"{Path(grade.path).name}: {about}")
        self._grade = next((grade for grade in grades if grade.path == self._path), self._grade)
        return self._grade in grades

    def _silences(self) -> list[str]:
        return [f"nothing comes on {intake.stored} any more" for intake in self._intakes if intake.look()]

    def _losses(self, writer: EpisodeWriter | None) -> list[str]:
        lost = [(intake.stored, intake.report(), intake.drops.lost) for intake in self._intakes]
        lines = [f"lost {new} on {name}, {total} in all" for name, new, total in lost if new]
        refused = sum(writer.refused.values()) if writer else 0
        if writer and refused > self._refused:
            lines.append(f"not written: {refused - self._refused} messages: {writer.complaint}")
        self._refused = refused
        return lines

    def _hangs(self, writer: EpisodeWriter | None) -> list[str]:
        """Say once that nothing is written any more, long before the queue is full."""
        was, self._hung = self._hung, writer is not None and writer.stuck > _HANGING
        return [_HANGS.format(writer.stuck)] if writer and self._hung and not was else []

    def _measure(self, writer: EpisodeWriter | None) -> None:
        """Look at the disk, and at how fast it fills: by the bag's growth, or by what would go into one."""
        now = self._steady()
        if now - self._looked < _PERIOD * 1e9:
            return
        total = sum(intake.bytes for intake in self._intakes)
        grown = writer.grown() if writer else total - self._bytes
        self._rate = 1e9 * grown / (now - self._looked)
        self._bytes, self._looked = total, now
        self._disk = DiskForecast(self._free(), 1e-9 * self._rate)

    def _free(self) -> float:
        """Return the free room where bags go [GB]."""
        place = next(p for p in (self._directory, *self._directory.absolute().parents) if p.is_dir())
        return shutil.disk_usage(place).free * 1e-9
