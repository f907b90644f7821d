# SPDX-License-Identifier: Apache-2.0
"""The real graph in this process and in lockstep: the launch files' own nodes, parameters and topics, and time that waits.

What happens is a function of the seeds alone, so a test may judge times to the tick, whatever else the machine does.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions

from kata_nodes import qos
from kata_nodes.commands.launch import find_launch_file
from kata_nodes.launching import interpret
from kata_nodes.lockstep.executor import LockstepExecutor, World
from kata_nodes.lockstep.host import node_class
from kata_nodes.services import Services

__all__ = ["LockstepGraph", "Turns"]


class Turns(LockstepExecutor):
    """Gives no turns to nodes that are frozen."""

    def __init__(self, nodes: list[Node], frozen: set[str], world: World | None = None) -> None:
        super().__init__(nodes, world)
        self._frozen = frozen

    def turn(self, node: Node) -> int:
        return 0 if node.get_name() in self._frozen else super().turn(node)

    def hear(self, node: Node) -> int:
        return 0 if node.get_name() in self._frozen else super().hear(node)


class LockstepGraph:
    """Nodes of launch files, and a probe that hears, publishes and calls; close it.

    Attributes:
        node: The probe.
        nodes: The nodes under test by name.
        frozen: Names of nodes that get no turns, like processes that were stopped.
        ticks: Number of ticks that have passed.
    """

    def __init__(self) -> None:
        """Make the probe; the environment must say that time is in lockstep (the fixture does)."""
        rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
        self.node = Node("probe", parameter_overrides=[Parameter("use_sim_time", value=True)])
        self.nodes: dict[str, Node] = {}
        self.frozen: set[str] = set()
        self._turns: LockstepExecutor | None = None
        self._services = Services(self.node, {})
        self._made: dict[str, tuple[str, list[str]]] = {}
        self.ticks = 0

    def launch(self, name: str | Path, *arguments: str) -> None:
        """Make the nodes of a launch file (its name, or a path), with arguments such as ``camera_rate:=0``."""
        given = dict(argument.split(":=", 1) for argument in arguments)
        for process in interpret(find_launch_file(str(name)), {"time": "lockstep", **given}, os.environ).processes:
            program, options = Path(process.command[0]).name, list(process.command[1:])
            self._make(program, options)

    def _make(self, program: str, options: list[str]) -> None:
        node = node_class(program)(cli_args=options, use_global_arguments=False)
        self.nodes[node.get_name()], self._made[node.get_name()] = node, (program, options)
        self._turns = None

    def kill(self, name: str) -> None:
        """Take a node away in the middle of whatever it does, without a last word."""
        Node.destroy_node(self.nodes.pop(name))
        self._turns = None

    def restart(self, name: str) -> None:
        """Make a node that was killed anew."""
        self._make(*self._made[name])

    @property
    def now(self) -> int:
        """Simulated time [ns]."""
        return int(self.node.get_clock().now().nanoseconds)

    def tick(self) -> None:
        """Let one tick pass."""
        if self._turns is None:
            self._turns = self._give_turns([*self.nodes.values(), self.node])
        self.ticks += 1
        self._turns.tick()

    def _give_turns(self, nodes: list[Node]) -> LockstepExecutor:
        return Turns(nodes, self.frozen)

    def until(self, condition: Callable[[], Any], seconds: float) -> bool:
        """Let time pass until a condition holds, or that many simulated seconds are over; return whether it holds."""
        end = self.ticks + round(seconds / 0.004)  # not by the clock, which a test may stop or set
        while not condition() and self.ticks < end:
            self.tick()
        return bool(condition())

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.until(lambda: False, seconds)

    def hear(self, kind: Any, topic: str) -> list[tuple[int, Any]]:
        """Return what will have been heard on a topic: (simulated time [ns], message)."""
        heard: list[tuple[int, Any]] = []
        self.node.create_subscription(kind, topic, lambda message: heard.append((self.now, message)), qos.RECORD)
        return heard

    def call(self, kind: Any, name: str, request: Any = None) -> Any:
        """Call a service and return its answer."""
        self._services.know(name, kind)
        question = self._services.ask(name, request or kind.Request())
        assert self.until(lambda: question.look() is not None, 5.0), f"no answer of {name} by {self._services.whose(name)}"
        return question.answer

    def session(self, seconds: float = 600.0) -> int:
        """Let time pass until the episode runner ends, and return its exit code."""
        runner: Any = self.nodes["episode_runner"]
        assert self.until(lambda: runner.exit_code is not None, seconds), "the session does not end"
        return int(runner.exit_code)

    def close(self) -> None:
        """End all nodes."""
        for node in (*reversed(self.nodes.values()), self.node):
            node.destroy_node()
        rclpy.shutdown()
