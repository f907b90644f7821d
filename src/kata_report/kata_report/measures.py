# SPDX-License-Identifier: Apache-2.0
"""Figures that a report shows: distances, latencies, and what the safety filter did."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kata_data.building.align import match_past
from kata_data.episodes.episode import Episode
from kata_model.arrays import FloatArray
from kata_model.robot import RobotModel
from kata_model.verdict import JointFlag, Status

__all__ = ["Latency", "SafetySummary", "distance_to_goal", "flag_seconds", "latencies", "summarise_safety"]

_FOLLOWED = (int(Status.FOLLOWING), int(Status.LIMITED))


@dataclass(frozen=True, slots=True)
class Latency:
    """One stage on the way from measurement to command.

    Attributes:
        key: Name in JSON, e.g. ``source_to_target``.
        title: For people.
        milliseconds: One for each fresh sample, shape (L,), [ms].
    """

    key: str
    title: str
    milliseconds: FloatArray

    def quantile(self, share: float) -> float:
        """Return a quantile [ms]; NaN without samples."""
        return float(np.quantile(self.milliseconds, share)) if len(self.milliseconds) else float("nan")


def latencies(episodes: Sequence[Episode]) -> tuple[Latency, ...]:
    """Return the stages' latencies over all episodes, from the verdicts' stamps.

    Only the first verdict on each sample counts: later ones are the same sample, repeated by a filter that
    is faster than the source. Where time was in lockstep nothing took any: such episodes say nothing of it.
    """
    episodes = [episode for episode in episodes if episode.info.custom.get("clock") != "lockstep"]
    rows = np.concatenate([_stages(episode) for episode in episodes]) if episodes else np.zeros((0, 4))
    titles = (
        ("source_to_target", "measured → target received"),
        ("target_to_command", "target received → command decided"),
        ("command_to_recorder", "command decided → received"),
        ("total", "measured → command received"),
    )
    return tuple(Latency(key, title, rows[:, i]) for i, (key, title) in enumerate(titles))


def _stages(episode: Episode) -> FloatArray:
    verdict = episode.verdict
    if verdict is None:
        return np.zeros((0, 4))
    followed = np.flatnonzero(np.isin(verdict.status, _FOLLOWED) & (verdict.source > 0))
    _, first = np.unique(verdict.source[followed], return_index=True)
    i = followed[first]
    times = np.stack([verdict.source[i], verdict.target[i], verdict.decided[i], verdict.received[i]], axis=1)
    stages: FloatArray = np.concatenate([np.diff(times, axis=1), times[:, 3:] - times[:, :1]], axis=1) * 1e-6
    return stages


def distance_to_goal(episode: Episode, robot: RobotModel, frame: str, goal: str = "goal") -> tuple[FloatArray, FloatArray]:
    """Return time [s] and distance of a frame from an object [m], at each joint state that has an object.

    Args:
        episode: The episode.
        robot: The robot.
        frame: Frame of the robot, e.g. ``right_palm``.
        goal: Name of the object.
    """
    if goal not in episode.objects.position:
        return np.zeros(0), np.zeros(0)
    match = match_past(episode.objects.stamp, episode.state.stamp, 100_000_000)
    rows = np.flatnonzero(match >= 0)[::2]
    places = np.array([robot.frame_poses(episode.state.position[i], (frame,))[0].translation for i in rows]).reshape(-1, 3)
    distance: FloatArray = np.linalg.norm(places - episode.objects.position[goal][match[rows]], axis=1)
    return episode.seconds(episode.state.stamp[rows]), distance


@dataclass(frozen=True, slots=True)
class SafetySummary:
    """What the filter did over some episodes.

    Attributes:
        statuses: Ticks by status name.
        reasons: Ticks by reason.
        ticks: All ticks.
    """

    statuses: Counter[str]
    reasons: Counter[str]
    ticks: int


def summarise_safety(episodes: Sequence[Episode]) -> SafetySummary:
    """Count verdicts."""
    statuses: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for episode in episodes:
        if episode.verdict is not None:
            statuses.update(Status(int(s)).name.lower() for s in episode.verdict.status)
            reasons.update(reason for tick in episode.verdict.reasons for reason in tick)
    return SafetySummary(statuses, reasons, sum(statuses.values()))


def flag_seconds(episodes: Sequence[Episode], joints: int) -> dict[str, FloatArray]:
    """Return for how long each limit acted on each joint, by name of the limit, shape (n,), [s]."""
    seconds = {flag.name.lower(): np.zeros(joints) for flag in JointFlag if flag.name}
    for episode in episodes:
        verdict = episode.verdict
        if verdict is None or len(verdict.decided) < 2:
            continue
        width = np.clip(np.diff(verdict.decided, append=verdict.decided[-1]) * 1e-9, 0.0, 0.1)[:, None]
        for flag in JointFlag:
            if flag.name:
                seconds[flag.name.lower()] += (((verdict.flags & flag) > 0) * width).sum(0)
    return seconds
