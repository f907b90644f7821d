# SPDX-License-Identifier: Apache-2.0
"""A recorded episode through the safety filter again: its verdicts must come out bit for bit.

Verdicts and commands travel on topics of their own. A command carries the stamp of the target that caused it, or that of
the tick where there was none; so does the verdict, and by this the two are brought together.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence, Set
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from kata_core.check import Passage
from kata_core.check.passage import wanted
from kata_core.errors import DataError
from kata_core.joints import JointCommand, JointState
from kata_core.safety import Received, SafetyFilter
from kata_core.safety.replay import replay, same_verdict
from kata_core.verdict import Status, Verdict
from kata_learning.recording import CommandSeries, StateSeries
from kata_learning.report.episodes import EpisodeView

__all__ = ["Replayed", "joint_states", "recorded_verdicts", "replay_episode", "targets"]

_STOP = (Status.STOPPED, Status.STOPPING)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of an episode's verdicts.

    Attributes:
        passage: The verdicts as they come out now.
        equal: Verdicts that are as recorded, in every bit of their commands.
        compared: Verdicts whose command is in the bag.
        lost: Joint states and targets that verdicts name, but that are not among those in the bag.
    """

    passage: Passage
    equal: int
    compared: int
    lost: int


def replay_episode(safety: SafetyFilter, episode: EpisodeView, period: float, tick: Callable[[], None]) -> Replayed:
    """Decide again what was decided, as far as what it was decided on is in the bag.

    That is from the first verdict whose command and whose successor's joint state are in it.

    Args:
        safety: A new filter of the robot that was recorded.
        episode: With targets, commands and verdicts.
        period: Time between the filter's ticks [s].
        tick: Called after each tick.

    Raises:
        DataError: No verdict and command belong together.
    """
    recorded = recorded_verdicts(episode)
    states = {state.stamp: state for state in joint_states(episode.state)}
    commands = {received.command.stamp: received.command for received in targets(episode) if received.command}
    known = [b.state_stamp in states and a.command is not None for a, b in pairwise(recorded)]
    if not any(known):
        fix = "record joint_states, command and verdict"
        raise DataError("no verdict with its joint state and command", where=str(episode.info.path), fix=fix)
    first = known.index(True)
    begin, rest = recorded[first], _decidable(recorded[first + 1 :], states, commands)
    safety.resume(begin, commands.get(begin.source_stamp))
    again = [begin]
    for verdict in replay(safety, rest, states, commands):
        again.append(verdict)
        tick()
    pairs = [(a, b) for a, b in zip(rest, again[1:], strict=True) if a.command is not None]
    lost = _missing({v.state_stamp for v in rest}, states) + _missing({v.source_stamp for v in rest}, commands)
    followed = np.array([wanted(verdict, commands.get(verdict.source_stamp)) for verdict in again])
    return Replayed(Passage(again, followed, period), sum(same_verdict(a, b) for a, b in pairs), len(pairs), lost)


def _decidable(recorded: Sequence[Verdict], states: Collection[int], commands: Collection[int]) -> Sequence[Verdict]:
    """Return verdicts without the last ones that were decided on what is newer than all that is in the bag."""
    last_state, last_target = max(states), max(commands, default=math.inf)
    end = len(recorded)
    while end and (recorded[end - 1].state_stamp > last_state or recorded[end - 1].source_stamp > last_target):
        end -= 1
    return recorded[:end]


def _missing(named: Set[int], recorded: Collection[int]) -> int:
    """Return how many stamps [ns] were named but not recorded, between the first and the last that were; 0 stands for none."""
    if not recorded:
        return len(named - {0})
    return sum(min(recorded) < stamp < max(recorded) for stamp in named - set(recorded))


def recorded_verdicts(episode: EpisodeView) -> list[Verdict]:
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


def targets(episode: EpisodeView) -> list[Received]:
    """Return the targets of an episode as they came in; none if it has none."""
    series = episode.target
    if series is None:
        return []
    return [Received(command, received) for command, received in zip(_commands(series), series.received.tolist(), strict=True)]


def _commands(series: CommandSeries) -> list[JointCommand]:
    fields = (series.position, series.velocity, series.effort, series.stiffness, series.damping)
    return [JointCommand(stamp, *row) for stamp, *row in zip(series.stamp.tolist(), *fields, strict=True)]
