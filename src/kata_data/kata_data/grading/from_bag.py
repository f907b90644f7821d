# SPDX-License-Identifier: Apache-2.0
"""Grade recorded episodes: from a bag to what `kata_data.grading` judges."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kata_data.bags.bag_info import BagInfo, read_info
from kata_data.bags.bag_pool import open_pool
from kata_data.bags.reader import read_bag, topic_name
from kata_data.episodes.episode import TOPICS, Episode, episode_of
from kata_data.episodes.series import CommandSeries
from kata_data.episodes.timing import stream_times
from kata_data.grading import (
    GRADES,
    Collection,
    EpisodeData,
    EpisodeGrade,
    EpisodeTrace,
    GradingConfig,
    JointTrace,
    StreamTimes,
    compare,
    grade_episode,
    is_below,
    usable,
)
from kata_data.grading.paths import by_phase
from kata_data.recording import load_streams
from kata_model.arrays import FloatArray
from kata_model.errors import DataError
from kata_model.robot import RobotModel, load_robot

__all__ = ["GradedBag", "GradedSet", "grade_bag", "grade_bags", "grade_one"]


_LONGEST, _SLACK = 6.0 * 3600.0, 60.0
"""Longest episode that is believed, and how far stamps may lie outside of a bag [s]."""


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


@dataclass(frozen=True, slots=True)
class GradedSet:
    """Bags that belong together.

    Attributes:
        bags: In the order in which they were given.
        bad: One line for each bag that could not be read.
        collections: What the episodes of a task say about each other, by task text; without tasks of too few.
    """

    bags: Sequence[GradedBag]
    bad: Sequence[str]
    collections: Mapping[str, Collection]

    @property
    def letter(self) -> str:
        """Return the grade that nine of ten episodes reach; empty without any."""
        letters = sorted(bag.grade.letter for bag in self.bags)
        return letters[math.ceil(0.9 * len(letters)) - 1] if letters else ""

    def below(self, bar: str) -> list[GradedBag]:
        """Return the bags that are worse than a grade."""
        return [bag for bag in self.bags if is_below(bag.grade.letter, bar)]

    def numbers(self) -> dict[str, object]:
        """Return all figures as one object."""
        letters = Counter(bag.grade.letter for bag in self.bags)
        return {
            "grade": self.letter,
            "grades": {grade: letters[grade] for grade in GRADES},
            "success": sum(bag.info.success for bag in self.bags),
            "bad": list(self.bad),
            "tasks": {task: _collection(found) for task, found in self.collections.items()},
            "episodes": [bag.numbers() for bag in self.bags],
        }


def _collection(found: Collection) -> dict[str, object]:
    spaces = {"starts": found.starts, "goals": found.goals}
    return {
        "episodes": len(found.names),
        "scatter": found.scatter,
        "deviation_rad": float(np.median(found.deviation)),
        "residual_rad": float(np.median(found.residual)),
        **{f"{name}_size": space.size for name, space in spaces.items() if space},
        **{f"{name}_hole": space.hole for name, space in spaces.items() if space},
        "operators": {o.name or "nobody named": o.count for o in found.operators},
        "between_operators": None if np.isnan(found.between) else found.between,
        "outliers": {outlier.name: outlier.reason for outlier in found.outliers},
        "notes": list(found.notes),
    }


def _stream(rate: float, expected: float, lost: int | None, gap: float, delay: float) -> Mapping[str, float | None]:
    known = None if np.isnan(rate) else rate
    return {"rate": known, "expected": expected, "lost": lost, "gap_s": gap, "delay_s": delay}


def grade_bag(robot: RobotModel, path: Path, config: GradingConfig) -> GradedBag:
    """Read and grade one episode.

    Args:
        robot: The robot that was recorded.
        path: Folder of the bag.
        config: Thresholds.

    Raises:
        DataError: The bag is damaged, has no joint states, or is of another robot.
    """
    bag = read_bag(path, lambda topic, _: topic_name(topic, TOPICS) or topic)
    streams = stream_times(bag, load_streams(str(robot.description.folder)))
    episode = episode_of(bag, robot.layout)
    data = _data(episode, streams)
    grade = grade_episode(data, robot, config)
    return GradedBag(path, episode.info, robot.description.name, grade, _trace(episode, data, grade))


def grade_one(path: Path, config: GradingConfig) -> GradedBag:
    """Grade the bag of the robot that it names, else of the G1.

    Raises:
        KataError: The bag is damaged, has no joint states, or its robot is unknown.
    """
    return grade_bag(_load(_robot_name(path)), path, config)


_load = cache(load_robot)


def _robot_name(path: Path) -> str:
    return read_info(path).robot or "g1"


def grade_bags(
    paths: Sequence[Path], robot: str, config: GradingConfig, jobs: int, on_bag: Callable[[GradedBag | str], None]
) -> GradedSet:
    """Read, grade and compare episodes.

    Args:
        paths: Folders of bags.
        robot: Name of the robot's folder; empty for the one that each bag names, else the G1.
        config: Thresholds.
        jobs: Bags at a time.
        on_bag: Called with each bag that was graded, and with one line for each that could not be read.
    """
    bags: dict[Path, GradedBag] = {}
    groups, bad = _by_robot(paths, robot)
    for line in bad:
        on_bag(line)
    for name, group in groups.items():
        with open_pool(load_robot(name), jobs, len(group)) as pool:
            for place, outcome in pool.run(grade_bag, [(path, config) for path in group]):
                if isinstance(outcome, GradedBag):
                    bags[group[place]] = outcome
                else:
                    bad.append(str(outcome))
                on_bag(outcome if isinstance(outcome, GradedBag) else str(outcome))
    ordered = [bags[path] for path in paths if path in bags]
    return GradedSet(ordered, bad, _compare(ordered, config))


def _by_robot(paths: Sequence[Path], robot: str) -> tuple[dict[str, list[Path]], list[str]]:
    """Return bags by robot, and one line for each bag without usable metadata."""
    groups: dict[str, list[Path]] = defaultdict(list)
    bad = []
    for path in paths:
        try:
            groups[robot or _robot_name(path)].append(path)
        except DataError as error:
            bad.append(str(error))
    return groups, bad


def _compare(bags: Sequence[GradedBag], config: GradingConfig) -> dict[str, Collection]:
    tasks: dict[tuple[str, str], list[EpisodeTrace]] = defaultdict(list)
    for bag in bags:
        tasks[bag.robot, bag.info.task].append(bag.trace)
    several = len({robot for robot, _ in tasks}) > 1
    named = {f"{robot}: {task}" if several else task: traces for (robot, task), traces in tasks.items()}
    found = {task: compare(traces, config) for task, traces in named.items()}
    return {task: collection for task, collection in found.items() if collection}


def _data(episode: Episode, streams: Sequence[StreamTimes]) -> EpisodeData:
    state, verdict = episode.state, episode.verdict
    seconds = episode.seconds(state.stamp)
    keep = np.flatnonzero(_near(state.stamp, episode.info))
    keep = keep[usable(seconds[keep], state.position[keep])]
    if not len(keep):
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


def _path(episode: Episode, series: CommandSeries | None) -> JointTrace | None:
    """Return positions by the stamps of their source, since receipt jitters; of several commands on one sample the first."""
    if series is None:
        return None
    near = _near(series.stamp, episode.info)
    return JointTrace(episode.seconds(series.stamp[near]), series.position[near])


def _near(stamp: NDArray[np.int64], info: BagInfo) -> NDArray[np.bool_]:
    """Say which stamps can be of this episode: a stamp of zero, or one that is broken, would make it years long."""
    reach = (min(max(info.duration, 0.0), _LONGEST) + _SLACK) * 1e9
    near: NDArray[np.bool_] = np.abs(stamp - np.median(stamp)) <= reach
    return near


def _trace(episode: Episode, data: EpisodeData, grade: EpisodeGrade) -> EpisodeTrace:
    places = episode.objects.position
    goal = np.concatenate([places[name][0] for name in sorted(places)]) if places else np.zeros(0)
    who = episode.info.custom.get("operator", "")
    return EpisodeTrace(episode.info.path.name, by_phase(data.measured), grade.duration, goal, who)
