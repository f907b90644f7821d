# SPDX-License-Identifier: Apache-2.0
"""Episodes: spans that count, started, and then saved or discarded."""

from dataclasses import dataclass
from enum import IntEnum

__all__ = ["EpisodeMachine", "EpisodePhase"]


class EpisodePhase(IntEnum):
    """What the recorder is doing; values as in kata_msgs/EpisodeState."""

    IDLE = 0
    RECORDING = 1


@dataclass(slots=True)
class EpisodeMachine:
    """The two states of recording, and the counts that go with them.

    Attributes:
        phase: Idle or recording.
        task: Task text of the running or last episode.
        saved: Episodes saved since start.
        discarded: Episodes discarded since start.
    """

    phase: EpisodePhase = EpisodePhase.IDLE
    task: str = ""
    saved: int = 0
    discarded: int = 0

    def start(self, task: str) -> str:
        """Begin an episode; return why that is refused, or an empty string."""
        if self.phase is EpisodePhase.RECORDING:
            return f"an episode is running ({self.task or 'no task text'}): save or discard it first"
        self.phase, self.task = EpisodePhase.RECORDING, task
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
