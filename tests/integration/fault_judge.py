# SPDX-License-Identifier: Apache-2.0
"""What a fault came to: whether command and robot kept every limit, and how soon the robot was safe, by when nodes told it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kata_model import RobotModel
from kata_msgs.msg import JointCommand, Verdict

__all__ = ["FOLLOWING", "Case", "Heard", "Result", "judge", "limp", "speed"]

Heard = Sequence[tuple[int, Any]]
"""Messages of a topic, each with the time at which it was sent [ns]."""

FOLLOWING = (Verdict.FOLLOWING, Verdict.LIMITED)

_OVERTAKEN = 5
"""Messages by which one topic may overtake another on the way to the observer."""

_SILENCE = 100_000_000
"""Time between two commands after which the second starts from the measured robot [ns]."""

_TOGETHER = 2_000_000
"""How long before its verdict a tick's command may be sent [ns]."""

_STILL = 1e-3
"""Speed that counts as none [rad/s]."""

_LED_BACK = 0.2
"""Speed at which a robot that sank beyond the filter's limits may be led back in while it is held [rad/s]."""

_SOFT = 0.02
"""How far MuJoCo's soft stops give way under a limp limb [rad]."""

_LIMP = 1.0
"""Effort beside damping that the joints of a damped robot may show, as velocity and effort are a step apart [N·m]."""


@dataclass(frozen=True)
class Case:
    """One fault.

    Attributes:
        name: What is done to whom.
        inject: Does it to a `fault_bench.Bench`, and returns when it is over.
        source: Who moves the robot meanwhile: operator or policy.
        reasons: Names of which the verdict must give one; empty if the robot may go on.
        within: Longest time until it does, by the nodes' deadlines alone [ms].
        deaf: Whether it is the safety node itself that fails, so that the robot must help itself.
    """

    name: str
    inject: Callable[[Any], None]
    source: str = "operator"
    reasons: frozenset[str] = frozenset()
    within: float = 0.0
    deaf: bool = False


@dataclass
class Result:
    """What came of it; times by the stamps of sending [ms], None where there is nothing to tell.

    Attributes:
        case: Name.
        detected: From the fault to the verdict that names it.
        reaction: From there to the first safe command, by the stamps of the safety node; 0 if that came first.
        safe: From the fault to the first safe command (or, with a deaf safety node, to damped joints).
        gap: Largest time between two commands that one node sent one after the other.
        reasons: All reasons given.
        violations: Limits that command or robot broke.
    """

    case: str
    detected: float | None = None
    reaction: float | None = None
    safe: float | None = None
    gap: float | None = None
    reasons: tuple[str, ...] = ()
    violations: list[str] = field(default_factory=list)


def judge(case: Case, span: tuple[int, int], heard: Mapping[str, Heard], robot: RobotModel) -> Result:
    """Judge what was heard.

    Args:
        case: The fault.
        span: When it came, and when the robot was to be brought back to following [ns].
        heard: Messages of joint_states, command and verdict.
        robot: The robot.
    """
    start, end = span
    result = Result(case.name, violations=_violations(robot, heard["joint_states"], heard["command"], case.deaf))
    verdicts = [(at, v) for at, v in heard["verdict"] if start < at < end]
    result.reasons = tuple(sorted({r for _, v in verdicts for r in v.reasons}))
    if case.deaf:
        result.safe = _damped(heard["joint_states"], start, robot)
    elif case.reasons:
        _measure(result, case.reasons, start, verdicts, heard["command"])
    return result


def _damped(states: Heard, start: int, robot: RobotModel) -> float | None:
    """Return when the robot, told nothing any more, first only damped [ms]."""
    for at, state in states:
        if at > start and np.abs(np.array(state.effort) + robot.damping * np.array(state.velocity)).max() < _LIMP:
            return (at - start) * 1e-6
    return None


def _measure(result: Result, reasons: frozenset[str], start: int, verdicts: Heard, commands: Heard) -> None:
    """Find the verdict that names the fault, and the first command from which on nothing speeds up."""
    named = [(at, v) for at, v in verdicts if reasons & set(v.reasons) and v.status not in FOLLOWING]
    if not named:
        result.violations.append(f"not noticed: {', '.join(result.reasons) or 'no reason given'}")
        return
    found = named[0][0]
    again = next((at for at, v in verdicts if at > found and v.status in FOLLOWING), verdicts[-1][0])
    held = max(at for at, v in verdicts if at < again and v.status not in FOLLOWING)
    span = [(at, command) for at, command in commands if start < at <= held]
    result.detected = (found - start) * 1e-6
    if not span:  # after a jump of the clock there is none until the robot is measured anew; its driver then damps
        return
    for _ in range(_OVERTAKEN):  # what is followed again may be heard before the last verdict that held
        if len(span) > 1 and _speeds_up(span[-2], span[-1], _STILL):
            span.pop()
    still = _LED_BACK if "outside" in result.reasons else _STILL
    faster = [k for k in range(1, len(span)) if _speeds_up(span[k - 1], span[k], still)]
    if faster and faster[-1] + 1 == len(span):
        result.violations.append("named, but no command was safe")
        return
    safe = span[faster[-1] + 1 if faster else 0][0]
    result.safe = (safe - start) * 1e-6
    result.reaction = max(0.0, (safe - _last_silent(found, safe, named, span)) * 1e-6)


def _violations(robot: RobotModel, states: Heard, commands: Heard, deaf: bool) -> list[str]:
    """Return the limits that the robot broke in simulation, or a command; leading a sunken robot back has some give."""
    names, found = robot.layout.names, set()
    for what, messages in (("robot", states), ("command", commands)):
        sank = deaf or what == "robot"
        for _, m in messages:
            sank = sank or limp(m)
            position, velocity = np.array(m.position), np.array(m.velocity)
            give = _SOFT if sank else 1e-9
            if not (np.isfinite(position).all() and np.isfinite(velocity).all()):
                found.add(f"{what}: not finite")
            outside = ~((robot.lower - give <= position) & (position <= robot.upper + give))
            fast = ~(np.abs(velocity) <= robot.max_velocity)
            found |= {f"{what}: position of {names[i]}" for i in np.flatnonzero(outside)}
            found |= {f"{what}: velocity of {names[i]}" for i in np.flatnonzero(fast)}
    return sorted(found)


def _last_silent(found: int, safe: int, named: Heard, span: Heard) -> int:
    """Return from when on a reaction counts [ns]: from the verdict that names the fault.

    If no command follows that, as while the clock stands wrong and nothing is known of the robot, its driver damps it; what
    counts is then how soon after the last such verdict the first command came.
    """
    told = next((at for at, _ in span if at >= found - _TOGETHER), safe)
    silent = [at for at, _ in named if at <= told] if told - found > _SILENCE else []
    return max([found, *silent])


def _speeds_up(before: tuple[int, Any], after: tuple[int, Any], still: float) -> bool:
    """Return whether any joint is told to be faster than in the command before; after a silence there is none to compare with."""
    slow, fast = np.abs(before[1].velocity), np.abs(after[1].velocity)
    return after[0] - before[0] < _SILENCE and not limp(after[1]) and bool((fast > np.maximum(slow, still)).any())


def speed(command: Any) -> float:
    """Return the largest commanded speed [rad/s]."""
    return float(np.abs(command.velocity).max())


def limp(message: Any) -> bool:
    """Return whether a message is a command that only damps."""
    return isinstance(message, JointCommand) and max(message.stiffness) == 0.0 < min(message.damping)
