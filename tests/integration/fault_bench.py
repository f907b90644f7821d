# SPDX-License-Identifier: Apache-2.0
"""Do something bad to the live graph, and judge what the robot was told and did, by the times at which nodes told it."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from circling_policy import write_circling_policy
from live_graph import Graph
from observer import Observer
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool
from std_srvs.srv import SetBool, Trigger

from kata_core import load_robot
from kata_msgs.msg import JointCommand, Verdict

__all__ = ["Bench", "Case", "Result"]

FOLLOWING = (Verdict.FOLLOWING, Verdict.LIMITED)
_MOVING = 0.1
"""Commanded speed at which a fault is worth injecting [rad/s]."""

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
        inject: Does it, and returns when it is over.
        source: Who moves the robot meanwhile: operator or policy.
        reasons: Names of which the verdict must give one; empty if the robot may go on.
        deaf: Whether it is the safety node itself that fails, so that the robot must help itself.
    """

    name: str
    inject: Callable[["Bench"], None]
    source: str = "operator"
    reasons: frozenset[str] = frozenset()
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


class Bench:
    """All nodes at once, one launch, started anew when they die; use it as a context.

    Args:
        folder: For the log, the policy, bags.
        clock: ``system``, the simulator being a driver, or ``simulated``.
    """

    def __init__(self, folder: Path, clock: str = "system") -> None:
        """Start everything."""
        self.robot = load_robot("g1")
        self.bags = folder / "bags"
        write_circling_policy(folder / "circle.onnx", self.robot)
        file = Path(__file__).with_name("faults.launch.xml")
        arguments = [f"clock:={clock}", f"use_sim_time:={str(clock == 'simulated').lower()}"]
        arguments += [f"policy:={folder / 'circle.onnx'}", f"out:={self.bags}"]
        self.graph = Graph(folder / "launch.log", str(file), *arguments)
        self.observer = Observer({"joint_states": JointState, "command": JointCommand, "verdict": Verdict})
        self.started = 0
        """When the fault came; a case that prepares something before it sets this anew [ns]."""
        self.button = self.observer.node.create_publisher(Bool, "safety/estop", 10)

    def signal(self, node: str, number: int) -> None:
        """Send a node a signal."""
        os.kill(self.graph.pid_of(node), number)

    def run(self, case: Case) -> Result:
        """Let the robot move, inject the fault, judge, and bring the robot back to following."""
        self.follow(case.source)
        self._forget()
        self.started = time.time_ns()
        case.inject(self)
        time.sleep(0.4)
        start, end = self.started, time.time_ns()
        self.follow(case.source)
        gap = self.observer.gap("command", start, end)
        heard = {topic: self.observer.take(topic) for topic in ("joint_states", "command", "verdict")}
        result = Result(case.name, gap=gap, violations=self._violations(heard["joint_states"], heard["command"], case.deaf))
        verdicts = [(at, v) for at, v in heard["verdict"] if start < at < end]
        result.reasons = tuple(sorted({r for _, v in verdicts for r in v.reasons}))
        if case.deaf:
            result.safe = self._damped(heard["joint_states"], start)
        elif case.reasons:
            self._measure(result, case, start, verdicts, heard["command"])
        return result

    def follow(self, source: str) -> None:
        """Engage a source, ending a stop if there is one, until the robot moves.

        Raises:
            TimeoutError: It does not within a minute; a fault that leaves the graph unusable is one, too.
        """
        end = time.monotonic() + 60.0
        while time.monotonic() < end:
            last = self.observer.last("verdict", time.time_ns() - 200_000_000)
            if last is not None and last.status in (Verdict.STOPPED, Verdict.STOPPING):
                self.observer.call(Trigger, "safety/reset")
            for other in ("operator", "policy"):
                if other != source:
                    self.observer.call(SetBool, f"{other}/engage", SetBool.Request(data=False))
            if source == "operator":  # a new goal, so that there is somewhere to go
                self.observer.call(SetBool, "operator/engage", SetBool.Request(data=False))
                self.observer.call(Trigger, "task/reset")
            self.observer.call(SetBool, f"{source}/engage", SetBool.Request(data=True))
            if self.observer.until(self._moves, 3.0):
                return
        raise TimeoutError(f"the robot does not follow the {source}: {self.observer.last('verdict')}")

    def _moves(self) -> bool:
        recent = time.time_ns() - 100_000_000
        verdict, command = self.observer.last("verdict", recent), self.observer.last("command", recent)
        return verdict is not None and command is not None and verdict.status in FOLLOWING and speed(command) > _MOVING

    def _forget(self) -> None:
        for topic in ("joint_states", "command", "verdict"):
            self.observer.take(topic)

    def _measure(self, result: Result, case: Case, start: int, verdicts: Any, commands: Any) -> None:
        """Find the verdict that names the fault, and the first command from which on nothing speeds up."""
        named = [(at, v) for at, v in verdicts if case.reasons & set(v.reasons) and v.status not in FOLLOWING]
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

    def _damped(self, states: Any, start: int) -> float | None:
        """Return when the robot, told nothing any more, first only damped [ms]."""
        for at, state in states:
            if at > start and np.abs(np.array(state.effort) + self.robot.damping * np.array(state.velocity)).max() < _LIMP:
                return (at - start) * 1e-6
        return None

    def _violations(self, states: Any, commands: Any, sank: bool) -> list[str]:
        """Return the limits that the robot broke in simulation, or a command; leading a sunken robot back has some give."""
        robot, names, found = self.robot, self.robot.layout.names, set()
        sank = sank or any(limp(command) for _, command in commands)
        for what, messages in (("robot", states), ("command", commands)):
            for _, m in messages:
                position, velocity = np.array(m.position), np.array(m.velocity)
                give = _SOFT if what == "robot" or sank else 1e-9
                if not (np.isfinite(position).all() and np.isfinite(velocity).all()):
                    found.add(f"{what}: not finite")
                outside = ~((robot.lower - give <= position) & (position <= robot.upper + give))
                fast = ~(np.abs(velocity) <= robot.max_velocity)
                found |= {f"{what}: position of {names[i]}" for i in np.flatnonzero(outside)}
                found |= {f"{what}: velocity of {names[i]}" for i in np.flatnonzero(fast)}
        return sorted(found)

    def __enter__(self) -> "Bench":
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything, frozen nodes too."""
        for node in ("sim", "safety", "operator", "retarget", "policy", "recorder"):
            self.signal(node, signal.SIGCONT)
        self.observer.close()
        self.graph.stop()


def _last_silent(found: int, safe: int, named: Any, span: Any) -> int:
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


def limp(command: Any) -> bool:
    """Return whether a message is a command that only damps."""
    return isinstance(command, JointCommand) and max(command.stiffness) == 0.0
