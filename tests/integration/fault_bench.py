# SPDX-License-Identifier: Apache-2.0
"""Do something bad to the graph while the robot moves, and judge what the robot was told and did."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fault_judge import FOLLOWING, Case, Heard, Result, judge, speed
from rclpy.node import Node
from rclpy.publisher import Publisher
from sensor_msgs.msg import JointState
from std_srvs.srv import SetBool, Trigger

from kata_model import RobotModel
from kata_msgs.msg import JointCommand, Verdict

__all__ = ["FILE", "TOPICS", "Bench"]

FILE = Path(__file__).with_name("faults.launch.xml")
"""All nodes at once."""

TOPICS: Mapping[str, Any] = {"joint_states": JointState, "command": JointCommand, "verdict": Verdict}

_MOVING = 0.1
"""Commanded speed at which a fault is worth injecting [rad/s]."""


class Bench(ABC):
    """All nodes at once, as processes or in lockstep.

    Attributes:
        robot: The robot.
        node: What publishes for the cases.
        bags: Folder of the recorder.
        started: When the fault came [ns]; a case that prepares something before it sets this anew.
    """

    robot: RobotModel
    node: Node
    bags: Path
    started: int

    @abstractmethod
    def now(self) -> int:
        """Return the time by which messages are judged [ns]."""

    @abstractmethod
    def wait(self, seconds: float) -> None:
        """Let time pass."""

    @abstractmethod
    def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Let time pass until a condition holds or it is up; return whether it holds."""

    @abstractmethod
    def call(self, kind: Any, name: str, request: Any = None) -> Any:
        """Call a service and return its answer."""

    @abstractmethod
    def newest(self, topic: str, since: int = 0) -> Any:
        """Return the newest message of one of `TOPICS` if it was sent after a time [ns], else None."""

    @abstractmethod
    def take(self) -> Mapping[str, Heard]:
        """Return what was heard since the last time."""

    @abstractmethod
    def gap(self, start: int, end: int) -> float | None:
        """Return the longest time between two commands sent one after the other [ms]; asked before they are taken."""

    @abstractmethod
    def destroy(self, publisher: Publisher) -> None:
        """Take a publisher away."""

    @abstractmethod
    def kill(self, node: str) -> None:
        """Let a node's process die; another one takes its place."""

    @abstractmethod
    def freeze(self, node: str) -> None:
        """Keep a node from running."""

    @abstractmethod
    def thaw(self, node: str) -> None:
        """Let it run again."""

    @abstractmethod
    def jump(self, seconds: float) -> None:
        """Let the clock go on from another time for a quarter of a second, and then jump back."""

    @abstractmethod
    def restart_simulator(self) -> None:
        """Kill the simulator, and let another one begin at time 0."""

    @abstractmethod
    def follow(self, source: str) -> None:
        """Engage a source until the robot moves.

        Raises:
            TimeoutError: It does not.
        """

    def run(self, case: Case) -> Result:
        """Let the robot move, inject the fault, judge, and bring the robot back to following."""
        self.follow(case.source)
        self.take()
        self.started = self.now()
        case.inject(self)
        self.wait(0.4)
        start, end = self.started, self.now()
        self.follow(case.source)
        gap = self.gap(start, end)
        result = judge(case, (start, end), self.take(), self.robot)
        result.gap = gap
        return result

    def engage(self, source: str, seconds: float) -> bool:
        """Engage a source, ending a stop if there is one; return whether the robot moves within a time [s]."""
        last = self.newest("verdict", self.now() - 200_000_000)
        if last is not None and last.status in (Verdict.STOPPED, Verdict.STOPPING):
            self.call(Trigger, "safety/reset")
        for other in ("operator", "policy"):
            if other != source:
                self.call(SetBool, f"{other}/engage", SetBool.Request(data=False))
        if source == "operator":  # a new goal, so that there is somewhere to go
            self.call(SetBool, "operator/engage", SetBool.Request(data=False))
            self.wait(0.05)  # three samples of the tracker, so that whoever follows it hears of that
            self.call(Trigger, "task/reset")
        self.call(SetBool, f"{source}/engage", SetBool.Request(data=True))
        return self.until(self._moves, seconds)

    def _moves(self) -> bool:
        recent = self.now() - 100_000_000
        verdict, command = self.newest("verdict", recent), self.newest("command", recent)
        return verdict is not None and command is not None and verdict.status in FOLLOWING and speed(command) > _MOVING
