# SPDX-License-Identifier: Apache-2.0
"""The real graph, started by `kata launch`, and a node that watches it."""

import gc
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import own_clips
import pytest
import rclpy
from live_graph import Graph
from lockstep_graph import LockstepGraph
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.serialization import deserialize_message

from kata_nodes import qos
from kata_nodes.clocks import TIME
from kata_nodes.services import Services

MOCAP = Path(__file__).parents[3] / "shared" / "mocap"


class Heard(Sequence[tuple[float, Any]]):
    """What was heard on a topic, as (monotonic time [s], message); messages stay serialised until somebody looks."""

    def __init__(self, kind: Any) -> None:
        """Take the messages' class."""
        self._kind = kind
        self._heard: list[tuple[float, Any]] = []

    def note(self, data: bytes) -> None:
        """Take a message in."""
        self._heard.append((time.monotonic(), data))

    def __len__(self) -> int:
        return len(self._heard)

    def __getitem__(self, place: Any) -> Any:
        return [self._read(k) for k in range(len(self))[place]] if isinstance(place, slice) else self._read(place)

    def _read(self, place: int) -> tuple[float, Any]:
        at, message = self._heard[place]
        if isinstance(message, bytes):
            self._heard[place] = at, deserialize_message(message, self._kind)
        return self._heard[place]


class Probe:
    """A node that keeps what it hears, and calls services."""

    def __init__(self) -> None:
        """Join the graph."""
        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        self.node = Node("probe", context=self._context)
        self._services = Services(self.node, {})
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)

    def hear(self, kind: Any, topic: str) -> Heard:
        """Return what will have been heard on a topic."""
        heard = Heard(kind)
        self.node.create_subscription(kind, topic, heard.note, qos.RECORD, raw=True)
        return heard

    def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Listen until a condition holds or time is up; return whether it holds."""
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            self._executor.spin_once(timeout_sec=0.05)
        return condition()

    def call(self, kind: Any, name: str, request: Any) -> Any:
        """Call a service and return its answer."""
        self._services.know(name, kind)
        question = self._services.ask(name, request)
        assert self.until(lambda: question.look() is not None, 40.0), f"no answer of {name} by {self._services.whose(name)}"
        return question.answer

    def close(self) -> None:
        """Leave the graph."""
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)


@pytest.fixture
def launch(tmp_path, ros_domain):
    """Return a function that starts `kata launch` in a domain of its own; all of it is stopped after the test."""
    graphs = []

    def start(*arguments: str) -> Graph:
        graphs.append(Graph(tmp_path / f"launch{len(graphs)}.log", *arguments))
        return graphs[-1]

    yield start
    for graph in graphs:
        try:
            graph.stop()
        except subprocess.TimeoutExpired:
            graph.process.kill()
        sys.stdout.write(graph.output)


@pytest.fixture
def probe(ros_domain):
    """Return a node in the domain of the test; meanwhile no collection of garbage stops the test for a tenth of a second."""
    gc.collect()
    gc.disable()
    probe = Probe()
    yield probe
    probe.close()
    gc.enable()


@pytest.fixture
def graph(monkeypatch, ros_domain):
    """Return the graph in this process and in lockstep, empty as yet."""
    monkeypatch.setenv(TIME, "lockstep")
    gc.collect()
    graph = LockstepGraph()
    yield graph
    graph.close()


@pytest.fixture
def report(capsys) -> Callable[[str], None]:
    """Return a function that prints a figure though the test passes."""

    def show(text: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{text}\n")

    return show


@pytest.fixture(params=["own", *(["real"] if MOCAP.is_dir() else [])])
def boxing(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a clip of our own of somebody who boxes, and a real one where there is one."""
    return own_clips.clip(tmp_path, "boxing") if request.param == "own" else MOCAP / "cmu_02_05_punch_strike.bvh"
