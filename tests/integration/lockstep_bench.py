# SPDX-License-Identifier: Apache-2.0
"""Faults in lockstep: nodes taken away or given no turns, clocks set, all to the tick."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from circling_policy import write_circling_policy
from driven_graph import DrivenGraph
from fault_bench import FILE, TOPICS, Bench
from fault_judge import Heard
from rclpy.publisher import Publisher

from kata_model import load_robot
from kata_nodes import qos

__all__ = ["LockstepBench"]

_TICK = 4_000_000
"""[ns]."""


class LockstepBench(Bench):
    """All nodes in lockstep, the simulator being a driver on the graph's clock; times are told in ticks.

    Args:
        folder: For the policy and bags.
        patch: Changes the nodes' steady clock.
    """

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        """Make the nodes."""
        self.robot = load_robot("g1")
        self.bags, self.started = folder / "bags", 0
        write_circling_policy(folder / "circle.onnx", self.robot)
        self.graph = DrivenGraph(patch)
        self.node, self._owed, self._killed = self.graph.node, 0.0, []
        self._heard: dict[str, list[tuple[int, Any]]] = {topic: [] for topic in TOPICS}
        self._newest: dict[str, tuple[int, Any]] = {}
        for topic, kind in TOPICS.items():
            self.node.create_subscription(kind, topic, partial(self._note, topic), qos.RECORD)
        given = ("clock:=system", "driver_time:=true", "use_sim_time:=true", f"policy:={folder / 'circle.onnx'}")
        self.graph.launch(FILE, *given, f"out:={self.bags}")
        self.wait(0.2)

    def _note(self, topic: str, message: Any) -> None:
        self._newest[topic] = self.now(), message
        self._heard[topic].append(self._newest[topic])

    def now(self) -> int:
        """Return the time that passed, whatever the clock says [ns]."""
        return self.graph.ticks * _TICK

    def wait(self, seconds: float) -> None:
        """Let whole ticks pass; what is left over counts the next time."""
        self._owed += seconds * 1e9
        while self._owed >= _TICK:
            self._owed -= _TICK
            self.graph.tick()

    def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Let ticks pass until a condition holds."""
        end = self.now() + round(seconds * 1e9)
        while not condition() and self.now() < end:
            self.graph.tick()
        return condition()

    def call(self, kind: Any, name: str, request: Any = None) -> Any:
        """Call a service; nodes that were killed are started again."""
        self._revive()
        return self.graph.call(kind, name, request)

    def newest(self, topic: str, since: int = 0) -> Any:
        """Return the newest message if it was sent after a time [ns]."""
        at, message = self._newest.get(topic, (0, None))
        return message if at > since else None

    def take(self) -> Mapping[str, Heard]:
        """Return what was heard since the last time."""
        taken = {topic: tuple(heard) for topic, heard in self._heard.items()}
        for heard in self._heard.values():
            heard.clear()
        return taken

    def gap(self, start: int, end: int) -> float | None:
        """Return the longest time between two commands [ms]."""
        sent = [at for at, _ in self._heard["command"] if start < at < end]
        return float(max(np.diff(sent))) * 1e-6 if len(sent) > 1 else None

    def destroy(self, publisher: Publisher) -> None:
        """Take a publisher away."""
        self.node.destroy_publisher(publisher)

    def kill(self, node: str) -> None:
        """Take a node away until somebody calls a service."""
        self.graph.kill(node)
        self._killed.append(node)

    def freeze(self, node: str) -> None:
        """Give a node no turns."""
        self.graph.frozen.add(node)

    def thaw(self, node: str) -> None:
        """Give it turns again."""
        self.graph.frozen.discard(node)

    def jump(self, seconds: float) -> None:
        """Set the clock, and set it back."""
        self.graph.clock.time += round(seconds * 1e9)
        self.wait(0.24)
        self.graph.clock.time -= round(seconds * 1e9)

    def restart_simulator(self) -> None:
        """Take the simulator away, and time with it, and let another one begin at time 0."""
        self.kill("sim")
        self.graph.clock.stopped = True
        self.wait(0.2)
        self.started = self.now()
        self.graph.clock.time, self.graph.clock.stopped = 0, False
        self._revive()

    def follow(self, source: str) -> None:
        """Engage a source, once, when all nodes have had time to hear of one another."""
        self._revive()
        self.wait(0.1)
        if not self.engage(source, 3.0):
            raise TimeoutError(f"the robot does not follow the {source}: {self.newest('verdict')}")

    def _revive(self) -> None:
        while self._killed:
            self.graph.restart(self._killed.pop())

    def close(self) -> None:
        """End all nodes."""
        self.graph.close()
