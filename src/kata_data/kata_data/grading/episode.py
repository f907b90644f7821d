# SPDX-License-Identifier: Apache-2.0
"""The grade of one episode, from what was recorded of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kata_data.grading.config import GradingConfig
from kata_data.grading.finding import Finding, Level, judge, letter
from kata_data.grading.motion import JointTrace, Rest, at_limits, jumps, rest, reversals, tremor
from kata_data.grading.streams import StreamFigures, StreamTimes, judge_streams
from kata_model.arrays import FloatArray
from kata_model.robot import RobotModel
from kata_model.verdict import Reason, Status

__all__ = ["EpisodeData", "EpisodeGrade", "grade_episode"]

_FOLLOWED = (int(Status.FOLLOWING), int(Status.LIMITED))
_LET_GO = frozenset({Reason.NO_TARGET, Reason.STALE_TARGET})
"""Why the filter holds when nobody wants anything."""


@dataclass(frozen=True, slots=True)
class EpisodeData:
    """One episode as it was recorded; T samples of n joints.

    Attributes:
        streams: All that was recorded, at least one.
        measured: Joint positions that were measured.
        velocity: Measured with them, shape (T, n), [rad/s].
        effort: Likewise, shape (T, n), [N·m]; zero where it is not measured.
        command: What was sent; None if nothing was.
        target: What was wanted; None if nothing was.
        status: Of the filter by tick, shape (V,), as `Status`.
        reasons: Of the filter by tick, length V.
        success: What the operator said; None if nothing.
        held_true: Whether the task's criterion ever held; None where there is none.
        broken: Joint samples that were not finite.
    """

    streams: Sequence[StreamTimes]
    measured: JointTrace
    velocity: FloatArray
    effort: FloatArray
    command: JointTrace | None
    target: JointTrace | None
    status: NDArray[np.uint8]
    reasons: Sequence[Sequence[str]]
    success: bool | None
    held_true: bool | None
    broken: int = 0

    def __post_init__(self) -> None:
        """Refuse what does not belong together."""
        shapes = {self.measured.position.shape, np.shape(self.velocity), np.shape(self.effort)}
        if len(shapes) > 1 or len(self.status) != len(self.reasons) or not self.streams:
            raise ValueError(f"measured shapes {shapes}, {len(self.status)} ticks, {len(self.reasons)} reasons")


@dataclass(frozen=True, slots=True)
class EpisodeGrade:
    """What an episode is worth.

    Attributes:
        letter: From A to F.
        findings: One for each measure, in a fixed order.
        streams: Figures of each stream.
        rest: When nothing moved.
        interventions: The filter's ticks by reason, as shares of all between the first that followed and the last.
        duration: From the first joint state to the last [s].
    """

    letter: str
    findings: tuple[Finding, ...]
    streams: tuple[StreamFigures, ...]
    rest: Rest
    interventions: Mapping[str, float]
    duration: float

    @property
    def reasons(self) -> list[str]:
        """Return why it is no A, the gravest first: the measure and what it found."""
        grave = sorted((f for f in self.findings if f.level), key=lambda f: -f.level)
        return [f"{f.measure}: {f.text}" for f in grave]

    def value(self, measure: str) -> float:
        """Return the figure of a measure; NaN if it was not taken."""
        return next((f.value for f in self.findings if f.measure == measure), float("nan"))


def grade_episode(data: EpisodeData, robot: RobotModel, config: GradingConfig) -> EpisodeGrade:
    """Measure and judge an episode. Pure: the recorder and `kata bag check` get the same."""
    figures, found = judge_streams(data.streams, config)
    seconds = data.measured.seconds
    duration = float(seconds[-1] - seconds[0]) if len(seconds) else 0.0
    idle = rest(seconds, data.velocity, config.still, config.pause)
    shares = _interventions(data)
    findings = (
        *found,
        _length(duration, config),
        Finding("finite", Level.FAILURE if data.broken else Level.GOOD, data.broken, f"{data.broken} joint samples not finite"),
        _idle(idle, config),
        *_manner(data, robot, config),
        _limits(data, robot, config),
        _jumps(data, robot, config),
        *_safety(data, shares, config),
        _success(data),
    )
    return EpisodeGrade(letter(findings), findings, figures, idle, shares, duration)


def _length(duration: float, config: GradingConfig) -> Finding:
    level = Level.GOOD if duration >= config.shortest else Level.FAILURE
    return Finding("length", level, duration, f"{duration:.2f} s")


def _idle(found: Rest, config: GradingConfig) -> Finding:
    parts = (("before the motion", found.before), ("after it", found.after), ("in the midst at most", found.longest))
    spans = ", ".join(f"{time:.1f} s {where}" for where, time in parts if time > 0.0)
    return judge(
        "idle", found.share, config.idle_warn, config.idle_fail, f"{found.share:.0%} at rest{f': {spans}' if spans else ''}"
    )


def _manner(data: EpisodeData, robot: RobotModel, config: GradingConfig) -> tuple[Finding, Finding]:
    """Judge whether the command chatters or trembles; without commands the measured motion."""
    trace = data.command or data.measured
    most, joint = reversals(trace, config.swing)
    fast = tremor(trace, config.tremor_band)
    where = f" ({robot.layout.names[joint]})" if most > 0.0 else ""
    text = f"{most:.0f} reversals a second at most{where}"
    trembling = f"{fast:.0%} of the motion faster than {config.tremor_band:g} Hz"
    return (
        judge("chatter", most, config.chatter_warn, config.chatter_fail, text),
        judge("tremor", fast, config.tremor_warn, config.tremor_fail, trembling),
    )


def _limits(data: EpisodeData, robot: RobotModel, config: GradingConfig) -> Finding:
    middle, half = (robot.lower + robot.upper) / 2.0, (robot.upper - robot.lower) / 2.0
    kinds = {
        "position": np.abs(data.measured.position - middle) / half,
        "velocity": np.abs(data.velocity) / robot.max_velocity,
        "effort": np.abs(data.effort) / robot.max_effort,
    }
    used = {kind: at_limits(share, config.near) for kind, share in kinds.items()}
    kind = max(used, key=lambda name: used[name][0])
    time, joint = used[kind]
    text = f"{robot.layout.names[joint]} at its {kind} limit, {time:.0%} of the time" if time > 0.0 else "kept clear of"
    return judge("limits", time, config.limits_warn, config.limits_fail, text)


def _jumps(data: EpisodeData, robot: RobotModel, config: GradingConfig) -> Finding:
    traces = {"measured": data.measured, "wanted": data.target}
    counts = {name: len(jumps(t, robot.max_velocity, config.jump)) for name, t in traces.items() if t is not None}
    text = ", ".join(f"{count} of {name} positions" for name, count in counts.items() if count) or "none"
    return judge("jumps", float(sum(counts.values())), config.jumps_warn, config.jumps_fail, text)


def _interventions(data: EpisodeData) -> dict[str, float]:
    """Return shares of ticks by status and reason between the first that followed and the last that acted."""
    status = np.asarray(data.status)
    followed = np.flatnonzero(np.isin(status, _FOLLOWED))
    if not len(followed):
        return {"nothing was followed": 1.0} if len(status) else {}
    end = len(status)
    while end > followed[-1] + 1 and set(data.reasons[end - 1]) <= _LET_GO:
        end -= 1
    ticks = range(int(followed[0]), end)
    counted = Counter(f"{_name(int(status[i]))}: {reason}" for i in ticks for reason in data.reasons[i])
    held, limited = (sum(bool(found[i]) for i in ticks) for found in (~np.isin(status, _FOLLOWED), status == Status.LIMITED))
    return {name: count / len(ticks) for name, count in (("held", held), ("limited", limited), *counted.most_common())}


def _name(status: int) -> str:
    return Status(status).name.lower() if status in list(Status) else f"status {status}"


def _safety(data: EpisodeData, shares: Mapping[str, float], config: GradingConfig) -> tuple[Finding, ...]:
    if not len(data.status):
        return ()
    held, limited = shares.get("held", 1.0), shares.get("limited", 0.0)
    texts = []
    for what, share, names in (("not followed", held, ("holding", "stop")), ("limited", limited, ("limited",))):
        why = ", ".join(name.split(": ")[1] for name in shares if name.startswith(names) and ": " in name)
        texts.append(f"{share:.0%} of the ticks {what}{f' ({why})' if why and share > 0.0 else ''}")
    return (
        judge("held", held, config.held_warn, config.held_fail, texts[0]),
        judge("limited", limited, config.limited_warn, config.limited_fail, texts[1]),
    )


def _success(data: EpisodeData) -> Finding:
    said = {True: "success", False: "saved as a failure", None: "nobody said whether it succeeded"}[data.success]
    if data.success and data.held_true is False:
        return Finding("success", Level.WARNING, 1.0, "saved as a success, though the task's criterion never held")
    level = {True: Level.GOOD, False: Level.FAILURE, None: Level.WARNING}[data.success]
    return Finding("success", level, float(data.success or 0), said)
