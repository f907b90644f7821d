# SPDX-License-Identifier: Apache-2.0
"""Faults done to processes: killed and frozen by signals, times by the stamps that their middleware gave their messages."""

import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from circling_policy import write_circling_policy
from fault_bench import FILE, TOPICS, Bench
from fault_judge import Heard
from live_graph import Graph
from observer import Observer
from rclpy.publisher import Publisher
from rosgraph_msgs.msg import Clock
from std_srvs.srv import SetBool

from kata_model import load_robot
from kata_nodes import qos
from kata_nodes.convert import from_time, to_time

__all__ = ["LiveBench"]

_ON_SIMULATED_TIME = 5
"""Nodes that hear /clock: all but the simulator."""


class LiveBench(Bench):
    """All nodes in one launch, started anew when they die; use it as a context.

    Args:
        folder: For the log, the policy, bags.
        clock: ``system``, the simulator being a driver, or ``simulated``.
    """

    def __init__(self, folder: Path, clock: str = "system") -> None:
        """Start everything."""
        self.robot = load_robot("g1")
        self.bags = folder / "bags"
        write_circling_policy(folder / "circle.onnx", self.robot)
        arguments = [f"clock:={clock}", f"use_sim_time:={str(clock == 'simulated').lower()}"]
        arguments += [f"policy:={folder / 'circle.onnx'}", f"out:={self.bags}"]
        self.graph = Graph(folder / "launch.log", str(FILE), *arguments)
        self.observer = Observer(TOPICS)
        self.node, self.started = self.observer.node, 0

    def now(self) -> int:
        """Return system time [ns]."""
        return time.time_ns()

    def wait(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)

    def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until a condition holds."""
        return self.observer.until(condition, seconds)

    def call(self, kind: Any, name: str, request: Any = None) -> Any:
        """Call a service; a node that was killed answers when it is there again."""
        return self.observer.call(kind, name, request)

    def newest(self, topic: str, since: int = 0) -> Any:
        """Return the newest message if it was sent after a system time [ns]."""
        return self.observer.last(topic, since)

    def take(self) -> Mapping[str, Heard]:
        """Return what was heard since the last time, with the system time at which it was sent."""
        return {topic: self.observer.take(topic) for topic in TOPICS}

    def gap(self, start: int, end: int) -> float | None:
        """Return the longest time between two commands of one node [ms]; one that was not heard is not told as not sent."""
        return self.observer.gap("command", start, end)

    def destroy(self, publisher: Publisher) -> None:
        """Take a publisher away while the observer's thread spins."""
        self.observer.destroy(publisher)

    def kill(self, node: str) -> None:
        """Kill a process; the launcher starts another one."""
        os.kill(self.graph.pid_of(node), signal.SIGKILL)

    def freeze(self, node: str) -> None:
        """Stop a process."""
        os.kill(self.graph.pid_of(node), signal.SIGSTOP)

    def thaw(self, node: str) -> None:
        """Continue a process."""
        os.kill(self.graph.pid_of(node), signal.SIGCONT)

    def jump(self, seconds: float) -> None:
        """Publish another clock, the simulator's being paused."""
        publisher = self.node.create_publisher(Clock, "/clock", qos.STREAM)
        self.until(lambda: publisher.get_subscription_count() >= _ON_SIMULATED_TIME, 5.0)
        self.call(SetBool, "sim/set_pause", SetBool.Request(data=True))
        now = max(0, from_time(self.newest("verdict").header.stamp) + round(seconds * 1e9))  # rclpy dies of a negative time
        self.started = self.now()
        for tick in range(60):
            publisher.publish(Clock(clock=to_time(now + tick * 4_000_000)))
            self.wait(0.004)
        self.call(SetBool, "sim/set_pause", SetBool.Request(data=False))
        self.destroy(publisher)

    def restart_simulator(self) -> None:
        """Kill the simulator, and wait until another one begins at time 0."""
        self.kill("sim")
        self.wait(0.2)
        killed, topics = self.now(), ("joint_states", "verdict")
        self.until(lambda: all(self.newest(topic, killed) is not None for topic in topics), 40.0)
        # Its first joint state may come some time before its clock goes on, and safety decides nothing while time stands still;
        # or it may be heard after the verdict on the clock.
        self.started = min(self.observer.first(topic, killed) for topic in topics) - 1

    def follow(self, source: str) -> None:
        """Engage a source until the robot moves, again and again: a node that was killed takes seconds to come back."""
        end = time.monotonic() + 60.0
        while time.monotonic() < end:
            if self.engage(source, 3.0):
                return
        raise TimeoutError(f"the robot does not follow the {source}: {self.newest('verdict')}")

    def __enter__(self) -> "LiveBench":
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything, frozen nodes too."""
        for node in ("sim", "safety", "operator", "retarget", "policy", "recorder"):
            self.thaw(node)
        self.observer.close()
        self.graph.stop()
