# SPDX-License-Identifier: Apache-2.0
"""Episodes of one task beside each other: do they agree, what do they cover, and which are worth a look."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kata_data.grading.config import GradingConfig
from kata_data.grading.coverage import Coverage, cover
from kata_data.grading.paths import align
from kata_model.arrays import FloatArray

__all__ = ["FEWEST", "Collection", "EpisodeTrace", "Operator", "Outlier", "compare"]

FEWEST = 4
"""Fewer episodes say nothing about each other."""

_ACTIVE = 0.05
"""Joints that move less in most episodes take no part in the task [rad]."""

_LEAST_WAY, _LEAST_TIME = 0.01, 0.1
"""Least deviations of the episodes' ways [rad] and lengths [s] that are believed."""


@dataclass(frozen=True, slots=True)
class EpisodeTrace:
    """What is compared of an episode.

    Attributes:
        name: Of the episode.
        path: From `by_phase`, shape (PHASES, n), [rad].
        duration: [s].
        goal: Where the task's objects were, shape (g,), [m]; empty where there are none.
        operator: Who showed it; empty if nobody said.
    """

    name: str
    path: FloatArray
    duration: float
    goal: FloatArray
    operator: str


@dataclass(frozen=True, slots=True)
class Outlier:
    """An episode unlike the others.

    Attributes:
        name: Of the episode.
        reason: In words, with figures.
    """

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Operator:
    """Episodes of one person.

    Attributes:
        name: Of the person.
        count: Episodes.
        duration: Their median [s].
        offset: How far their mean path lies from all episodes' median path, root mean square [rad].
    """

    name: str
    count: int
    duration: float
    offset: float


@dataclass(frozen=True, slots=True)
class Collection:
    """N episodes of one task; k joints that take part.

    Attributes:
        names: Of the episodes, length N.
        joints: Places in the layout of the joints that take part, length k.
        paths: Aligned in time to the median path, shape (N, PHASES, k), [rad].
        median: Shape (PHASES, k), [rad].
        deviation: Of each episode from the median path, root mean square, shape (N,), [rad].
        residual: The same where the part that follows from goal and start is taken away, shape (N,), [rad].
        scatter: Root mean square residual over the size of the median motion.
        starts: Where the taking part joints begin; goals: where the objects were, None without any.
        operators: One for each person, if anybody is named.
        between: Share of the variance of residual paths that lies between operators; NaN below two.
        outliers: Episodes worth a look.
        notes: What is to be said of the whole, in words; empty if all is well.
    """

    names: tuple[str, ...]
    joints: tuple[int, ...]
    paths: FloatArray
    median: FloatArray
    deviation: FloatArray
    residual: FloatArray
    scatter: float
    starts: Coverage
    goals: Coverage | None
    operators: tuple[Operator, ...]
    between: float
    outliers: tuple[Outlier, ...]
    notes: tuple[str, ...]


def compare(traces: Sequence[EpisodeTrace], config: GradingConfig) -> Collection | None:
    """Return what episodes of one task say about each other; None for fewer than `FEWEST`."""
    if len(traces) < FEWEST:
        return None
    raw = np.array([trace.path for trace in traces])
    joints = _active(raw)
    raw = raw[:, :, joints]
    median = np.median(raw, axis=0)
    paths = np.array([align(path, median) for path in raw])
    median = np.median(paths, axis=0)
    goals = _goals(traces)
    rest = _unexplained(paths - median, goals, raw[:, 0])
    residual = _rms(rest)
    size = float(_rms((median - median[0])[None])[0])
    starts, where = cover(raw[:, 0]), None if goals is None else cover(goals)
    scatter = float(np.sqrt(np.square(residual).mean())) / size if size > 0.0 else 0.0
    return Collection(
        names=tuple(trace.name for trace in traces),
        joints=tuple(joints.tolist()),
        paths=paths,
        median=median,
        deviation=_rms(paths - median),
        residual=residual,
        scatter=scatter,
        starts=starts,
        goals=where,
        operators=_operators(traces, paths - median),
        between=_between(traces, rest),
        outliers=(*_twins(traces), *_odd(traces, residual, config)),
        notes=tuple(_notes(scatter, starts, where, config)),
    )


def _active(paths: FloatArray) -> NDArray[np.intp]:
    moved = np.median(np.ptp(paths, axis=1), axis=0)
    found = np.flatnonzero(moved > _ACTIVE)
    return found if len(found) else np.arange(paths.shape[2])


def _goals(traces: Sequence[EpisodeTrace]) -> FloatArray | None:
    """Return where the objects were, shape (N, g); None unless all episodes have the same ones."""
    if len({len(trace.goal) for trace in traces}) > 1 or not len(traces[0].goal):
        return None
    goals = np.array([trace.goal for trace in traces])
    return goals if np.isfinite(goals).all() else None


def _rms(values: FloatArray) -> FloatArray:
    """Return root mean squares over all but the first axis."""
    result: FloatArray = np.sqrt(np.square(values).reshape(len(values), -1).mean(axis=1))
    return result


def _unexplained(offsets: FloatArray, goals: FloatArray | None, starts: FloatArray) -> FloatArray:
    """Return what of the paths' offsets does not follow linearly from goal and start, each from a fit to the others.

    Where episodes are too few for the fit, less is explained: first without the start, then nothing.
    """
    components = cover(starts).points if np.ptp(starts) > 0.0 else np.zeros((len(starts), 0))
    for causes in [components] if goals is None else [np.hstack([goals, components]), goals]:
        terms = np.hstack([np.ones((len(starts), 1)), causes - causes.mean(axis=0)])
        if len(starts) >= 2 * terms.shape[1] + 2:
            hat = terms @ np.linalg.pinv(terms)
            left = offsets.reshape(len(offsets), -1)
            outside = (left - hat @ left) / np.maximum(1.0 - np.diag(hat), 0.1)[:, None]
            return outside.reshape(offsets.shape)
    return offsets


def _operators(traces: Sequence[EpisodeTrace], offsets: FloatArray) -> tuple[Operator, ...]:
    groups = _groups(traces)
    return tuple(
        Operator(
            name,
            len(rows),
            float(np.median([traces[i].duration for i in rows])),
            float(_rms(offsets[rows].mean(axis=0)[None])[0]),
        )
        for name, rows in sorted(groups.items())
        if any(groups)
    )


def _groups(traces: Sequence[EpisodeTrace]) -> Mapping[str, list[int]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for i, trace in enumerate(traces):
        groups[trace.operator].append(i)
    return groups


def _between(traces: Sequence[EpisodeTrace], offsets: FloatArray) -> float:
    groups = [rows for rows in _groups(traces).values() if len(rows) > 1]
    if len(groups) < 2:
        return float("nan")
    left = offsets.reshape(len(offsets), -1)
    middle = left.mean(axis=0)
    whole = float(np.square(left - middle).sum())
    parts = sum(len(rows) * float(np.square(left[rows].mean(axis=0) - middle).sum()) for rows in groups)
    return parts / whole if whole > 0.0 else 0.0


def _twins(traces: Sequence[EpisodeTrace]) -> list[Outlier]:
    """Return episodes that are the same as an earlier one: copied, not shown again."""
    seen: dict[tuple[float, bytes], str] = {}
    found = []
    for trace in traces:
        first = seen.setdefault((trace.duration, trace.path.tobytes()), trace.name)
        if first != trace.name:
            found.append(Outlier(trace.name, f"the same motion as {first}: a copy"))
    return found


def _odd(traces: Sequence[EpisodeTrace], residual: FloatArray, config: GradingConfig) -> list[Outlier]:
    duration = np.array([trace.duration for trace in traces])
    found = []
    for i in np.flatnonzero(_robust(residual, _LEAST_WAY) > config.outlier).tolist():
        text = f"moves otherwise than the rest: {np.degrees(residual[i]):.1f}° off, others {np.degrees(np.median(residual)):.1f}°"
        found.append(Outlier(traces[i].name, text))
    for i in np.flatnonzero(np.abs(_robust(duration, _LEAST_TIME)) > config.outlier).tolist():
        found.append(Outlier(traces[i].name, f"takes {duration[i]:.1f} s, the others {np.median(duration):.1f} s"))
    return found


def _robust(values: FloatArray, least: float) -> FloatArray:
    """Return each value's distance from the median in robust standard deviations (1.4826 median absolute deviations).

    Args:
        values: Shape (N,).
        least: Smaller deviations are none: episodes that agree well must not look odd for trifles.
    """
    middle = np.median(values)
    spread = max(1.4826 * float(np.median(np.abs(values - middle))), least)
    scores: FloatArray = (values - middle) / spread
    return scores


def _notes(scatter: float, starts: Coverage, goals: Coverage | None, config: GradingConfig) -> list[str]:
    notes = []
    if not scatter < config.scatter:
        notes.append(f"the ways differ by {scatter:.0%} of the motion's size beyond what start and goal explain")
    for what, space, unit in (("starts", starts, "rad"), ("goals", goals, "m")):
        if space is not None and not space.size > 0.02:
            notes.append(f"all {what} are the same: the policy will know no other")
        elif space is not None and not space.hole < config.hole:
            notes.append(f"{what} leave a hole of {space.hole * space.size:.2f} {unit} in a space of {space.size:.2f} {unit}")
    return notes
