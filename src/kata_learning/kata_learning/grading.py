# SPDX-License-Identifier: Apache-2.0
"""Grade recorded episodes: from a bag to what `kata_core.grading` judges."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from kata_core.arrays import FloatArray
from kata_core.errors import DataError
from kata_core.grading import EpisodeData, EpisodeGrade, EpisodeTrace, GradingConfig, JointTrace, grade_episode, usable
from kata_core.grading.paths import by_phase
from kata_core.recording import load_streams
from kata_core.robot import RobotModel, load_robot
from kata_learning.bags import BagInfo, read_info
from kata_learning.recording import CommandSeries
from kata_learning.report.episodes import EpisodeView, read_episode
from kata_learning.timing import read_times

__all__ = ["GradedBag", "grade_bag"]


@dataclass(frozen=True, slots=True)
class GradedBag:
    """A bag and what it is worth.

    Attributes:
        path: Folder of the bag.
        info: What the bag says of itself.
        robot: Name of the robot.
        grade: What it is worth.
        trace: For the comparison with others.
    """

    path: Path
    info: BagInfo
    robot: str
    grade: EpisodeGrade
    trace: EpisodeTrace

    def numbers(self) -> dict[str, object]:
        """Return all figures as one object."""
        grade = self.grade
        return {
            "path": str(self.path),
            "task": self.info.task,
            "grade": grade.letter,
            "reasons": grade.reasons,
            "seconds": grade.duration,
            **{finding.measure: finding.value for finding in grade.findings},
            "interventions": dict(grade.interventions),
            "streams": {f.topic: _stream(f.rate, f.expected, f.lost, f.gap, f.delay) for f in grade.streams},
        }


def _stream(rate: float, expected: float, lost: int | None, gap: float, delay: float) -> Mapping[str, float | None]:
    known = None if np.isnan(rate) else rate
    return {"rate": known, "expected": expected, "lost": lost, "gap_s": gap, "delay_s": delay}


def grade_bag(path: Path, robot: str, config: GradingConfig) -> GradedBag:
    """Read and grade one episode.

    Args:
        path: Folder of the bag.
        robot: Name of the robot's folder; empty for the one that the bag names, else the G1.
        config: Thresholds.

    Raises:
        DataError: The bag is damaged, has no joint states, or is of another robot.
    """
    name = robot or read_info(path).robot or "g1"
    model = _load(name)
    streams = read_times(path, load_streams(name))
    episode = read_episode(path, model.layout)
    data = _data(episode, streams)
    grade = grade_episode(data, model, config)
    return GradedBag(path, episode.info, name, grade, _trace(episode, data, grade))


_load = cache(load_robot)


def _data(episode: EpisodeView, streams: tuple) -> EpisodeData:
    state, verdict = episode.state, episode.verdict
    seconds = episode.seconds(state.stamp)
    keep = usable(seconds, state.position)
    if not keep.any():
        raise DataError("no joint state is finite", where=str(episode.info.path), fix="leave this bag out")
    measured = JointTrace(seconds[keep], state.position[keep])
    said = "task_success" in episode.info.custom
    return EpisodeData(
        streams=streams,
        measured=measured,
        velocity=_velocity(measured, state.velocity[keep]),
        effort=state.effort[keep],
        command=_path(episode, episode.command),
        target=_path(episode, episode.target),
        status=np.zeros(0, dtype=np.uint8) if verdict is None else verdict.status,
        reasons=() if verdict is None else verdict.reasons,
        success=episode.info.success if said else None,
        held_true=episode.succeeded is not None if episode.objects.position else None,
        broken=int((~np.isfinite(state.position).all(axis=1)).sum()),
    )


def _velocity(measured: JointTrace, velocity: FloatArray) -> FloatArray:
    """Return measured velocities; differences of the positions where the robot measures none."""
    if velocity.any() or len(velocity) < 2:
        return velocity
    return np.asarray(np.gradient(measured.position, measured.seconds, axis=0), dtype=float)


def _path(episode: EpisodeView, series: CommandSeries | None) -> JointTrace | None:
    """Return positions by the time of their receipt: several commands may follow one sample of the source."""
    return None if series is None else JointTrace(episode.seconds(series.received), series.position)


def _trace(episode: EpisodeView, data: EpisodeData, grade: EpisodeGrade) -> EpisodeTrace:
    places = episode.objects.position
    goal = np.concatenate([places[name][0] for name in sorted(places)]) if places else np.zeros(0)
    who = episode.info.custom.get("operator", "")
    return EpisodeTrace(episode.info.path.name, by_phase(data.measured), grade.duration, goal, who)
