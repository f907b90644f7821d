# SPDX-License-Identifier: Apache-2.0
"""Episodes: spans that count, started, and then saved or discarded."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from kata_model.errors import ConfigError

__all__ = ["EpisodeMachine", "EpisodePhase", "MarkKind", "parse_labels"]

_RESERVED = frozenset({"task", "task_success", "labels", "clock", "robot"})
"""Facts that a label must not replace."""


class EpisodePhase(IntEnum):
    """What the recorder is doing; values as in kata_msgs/EpisodeState."""

    IDLE = 0
    RECORDING = 1


class MarkKind(IntEnum):
    """What a mark stands for; values as in kata_msgs/EpisodeMark."""

    MARK = 0
    INTERVENTION_BEGIN = 1
    INTERVENTION_END = 2


@dataclass(slots=True)
class EpisodeMachine:
    """The two states of recording, and the counts that go with them.

    Attributes:
        phase: Idle or recording.
        task: Task text of the running or last episode.
        saved: Episodes saved since start.
        discarded: Episodes discarded since start.
        marks: Marks set in the running or last episode.
        intervening: Whether a human acts in the policy's place.
    """

    phase: EpisodePhase = EpisodePhase.IDLE
    task: str = ""
    saved: int = 0
    discarded: int = 0
    marks: int = 0
    intervening: bool = False

    def start(self, task: str) -> str:
        """Begin an episode; return why that is refused, or an empty string."""
        if self.phase is EpisodePhase.RECORDING:
            return f"an episode is running ({self.task or 'no task text'}): save or discard it first"
        self.phase, self.task = EpisodePhase.RECORDING, task
        self.marks, self.intervening = 0, False
        return ""

    def mark(self, kind: int) -> str:
        """Set a mark of a `MarkKind`. Returns as `start`."""
        if self.phase is EpisodePhase.IDLE:
            return "no episode is running: nothing to mark"
        if kind not in list(MarkKind):
            return f"mark of kind {kind}: 0 (mark), 1 (intervention begins) and 2 (ends) are known"
        if kind != MarkKind.MARK and self.intervening is (kind == MarkKind.INTERVENTION_BEGIN):
            return "an intervention is running already" if self.intervening else "no intervention is running"
        if kind != MarkKind.MARK:
            self.intervening = kind == MarkKind.INTERVENTION_BEGIN
        self.marks += 1
        return ""

    def save(self, task: str = "") -> str:
        """End an episode that counts; a text replaces the one given at start. Returns as `start`."""
        if self.phase is EpisodePhase.IDLE:
            return "no episode is running: start one first"
        self.phase, self.task, self.saved = EpisodePhase.IDLE, task or self.task, self.saved + 1
        return ""

    def discard(self) -> str:
        """End an episode that does not count. Returns as `start`."""
        if self.phase is EpisodePhase.IDLE:
            return "no episode is running: nothing to discard"
        self.phase, self.discarded = EpisodePhase.IDLE, self.discarded + 1
        return ""


def parse_labels(entries: Sequence[str]) -> dict[str, str]:
    """Return free labels as metadata: ``key=value`` under its key, words together under ``labels``.

    Raises:
        ConfigError: A label has no key, or that of a fact which the recorder itself states.
    """
    pairs, words = {}, []
    for entry in entries:
        key, separator, value = entry.partition("=")
        key = key.strip()
        if not key or (separator and key in _RESERVED):
            raise ConfigError(f"label {entry!r}", fix=f"a word, or key=value; not {', '.join(sorted(_RESERVED))}")
        if separator:
            pairs[key] = value.strip()
        else:
            words.append(key)
    return {**pairs, "labels": ", ".join(words)} if words else pairs
