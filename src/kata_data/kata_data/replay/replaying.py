# SPDX-License-Identifier: Apache-2.0
"""A recorded episode through the safety filter again: its verdicts must come out bit for bit.

Verdicts and commands travel on topics of their own. A command carries the stamp of the target that caused it, or that of
the tick where there was none; so does the verdict, and by this the two are brought together.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kata_data.episodes.episode import Episode
from kata_data.episodes.series import CommandSeries, StateSeries
from kata_model.errors import DataError
from kata_model.joints import JointCommand, JointState
from kata_model.verdict import FOLLOWED, Reason, Status, Verdict
from kata_safety import Received, SafetyFilter
from kata_safety.check import Passage
from kata_safety.check.passage import wanted
from kata_safety.replay import replay, same_verdict
from kata_safety.state import restored

__all__ = ["Replayed", "joint_states", "recorded_verdicts", "replay_episode", "targets"]

_STOP = (Status.STOPPED, Status.STOPPING)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of an episode's verdicts.

    Attributes:
        passage: The verdicts as they come out now; those that cannot be decided again are as recorded.
        equal: Verdicts that are as recorded, in every bit of their commands.
        compared: Verdicts that were decided again and whose command is in the bag.
        lost: Joint states and targets that verdicts name, and verdicts, that are not among those in the bag.
    """

    passage: Passage
    equal: int
    compared: int
    lost: int


def replay_episode(make: Callable[[], SafetyFilter], episode: Episode, period: float, tick: Callable[[], None]) -> Replayed:
    """Decide again what was decided, as far as all that it hung on is in the bag.

    Where a verdict is missing, or what one was decided on, and at the bag's begin, a new filter goes on from the next state
    that was recorded. In a bag without states, of an older version, it goes on from the beginning, before which nothing is
    taken to be remembered, and from where nothing was: from standby, or a jump of the clock.

    Args:
        make: Returns a new filter of the robot that was recorded.
        episode: With targets, commands and verdicts.
        period: Time between the filter's ticks [s].
        tick: Called after each tick.

    Raises:
        DataError: No verdict and command belong together.
    """
    recorded = recorded_verdicts(episode)
    states = {state.stamp: state for state in joint_states(episode.state)}
    commands = {received.command.stamp: received.command for received in targets(episode) if received.command}
    before = [] if episode.verdict is None else episode.verdict.lost[: len(recorded)].tolist()
    again: list[Verdict] = []
    equal = compared = 0
    told = dict(zip(map(id, recorded), () if episode.verdict is None else episode.verdict.states, strict=False))
    for number, passage in enumerate(_passages(recorded, before, states, commands)):
        safety = make()
        begin = _take_up(safety, passage, told, first=number == 0)
        again += [verdict for verdict in passage[:begin] if verdict.command is not None]
        rest = passage[begin:]
        for then, now in zip(rest, replay(safety, rest, states, commands), strict=True):
            again.append(now)
            if then.command is not None:
                compared, equal = compared + 1, equal + same_verdict(then, now)
            tick()
    if not again:
        fix = "record joint_states, command and verdict"
        raise DataError("no verdict with its joint state and command", where=str(episode.info.path), fix=fix)
    lost = _missing({v.state_stamp for v in recorded}, states) + _missing({v.source_stamp for v in recorded}, commands)
    lost += sum(before)
    followed = np.array([wanted(verdict, commands.get(verdict.source_stamp)) for verdict in again])
    return Replayed(Passage(again, followed, period), equal, compared, lost)


def _take_up(safety: SafetyFilter, passage: Sequence[Verdict], told: Mapping[int, Any], *, first: bool) -> int:
    """Go on from the first verdict that can be gone on from; return after how many. told holds states by verdicts' ids."""
    for count, verdict in enumerate(passage, 1):
        state = told.get(id(verdict))
        if verdict.command is not None and state is not None:
            safety.state = restored(state, verdict)
            return count
        if not told and verdict.command is not None and (first or _forgetful(verdict)):
            safety.resume(verdict)
            return count
    return len(passage)


def _forgetful(verdict: Verdict) -> bool:
    """Return whether nothing is remembered after a verdict of targets and stops."""
    held = verdict.status is Status.HOLDING and Reason.CLOCK_JUMP in verdict.reasons
    return held or verdict.status is Status.STANDBY


def _passages(
    recorded: Sequence[Verdict], lost: Sequence[int], states: Collection[int], commands: Collection[int]
) -> Iterator[Sequence[Verdict]]:
    """Yield runs of verdicts of which none is missing, nor what it was decided on; lost tells how many are, before each."""
    passage: list[Verdict] = []
    for verdict, before in zip(recorded, lost, strict=True):
        unknown = verdict.state_stamp not in states and verdict.state_stamp != 0
        unknown |= verdict.status in FOLLOWED and verdict.source_stamp not in commands
        if (before or unknown) and passage:
            yield passage
            passage = []
        if not unknown:
            passage.append(verdict)
    if passage:
        yield passage


def _missing(named: Set[int], recorded: Collection[int]) -> int:
    """Return how many stamps [ns] were named but not recorded, between the first and the last that were; 0 stands for none."""
    if not recorded:
        return len(named - {0})
    return sum(min(recorded) < stamp < max(recorded) for stamp in named - set(recorded))


def recorded_verdicts(episode: Episode) -> list[Verdict]:
    """Return an episode's verdicts in the order of receipt, each with its command; None where that was lost."""
    series = episode.verdict
    if series is None or episode.command is None:
        return []
    verdicts = [
        Verdict(Status(int(status)), reasons, flags, None, int(source), int(target), int(decided), int(state))
        for status, reasons, flags, source, target, decided, state in zip(
            series.status, series.reasons, series.flags, series.source, series.target, series.decided, series.state, strict=True
        )
    ]
    return _with_commands(verdicts, _commands(episode.command))


def _with_commands(verdicts: Sequence[Verdict], commands: Sequence[JointCommand]) -> list[Verdict]:
    waiting: dict[int, list[JointCommand]] = defaultdict(list)
    for command in commands:
        waiting[command.stamp].append(command)
    rows: dict[int, list[int]] = defaultdict(list)
    for i, verdict in enumerate(verdicts):
        rows[_stamp_of_command(verdict)].append(i)
    result, keys = list(verdicts), list(rows)
    for key, places in rows.items():
        sent = waiting[key]
        if len(sent) != len(places) and key not in (keys[0], keys[-1]):
            continue  # one was lost, and nobody can tell which
        count = min(len(sent), len(places))
        pairs = zip(places[:count], sent[:count], strict=True)
        if key == keys[0]:  # the recording may begin between a command and its verdict
            pairs = zip(places[len(places) - count :], sent[len(sent) - count :], strict=True)
        for place, command in pairs:
            result[place] = replace(result[place], command=command)
    return result


def _stamp_of_command(verdict: Verdict) -> int:
    return verdict.stamp if verdict.status in _STOP or not verdict.source_stamp else verdict.source_stamp


def joint_states(series: StateSeries) -> list[JointState]:
    """Return the measured joint states of a series, in order."""
    rows = zip(series.stamp.tolist(), series.position, series.velocity, series.effort, strict=True)
    return [JointState(stamp, position, velocity, effort) for stamp, position, velocity, effort in rows]


def targets(episode: Episode) -> list[Received]:
    """Return the targets of an episode as they came in; none if it has none."""
    series = episode.target
    if series is None:
        return []
    return [Received(command, received) for command, received in zip(_commands(series), series.received.tolist(), strict=True)]


def _commands(series: CommandSeries) -> list[JointCommand]:
    fields = (series.position, series.velocity, series.effort, series.stiffness, series.damping)
    return [JointCommand(stamp, *row) for stamp, *row in zip(series.stamp.tolist(), *fields, strict=True)]
