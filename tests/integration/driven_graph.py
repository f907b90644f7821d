# SPDX-License-Identifier: Apache-2.0
"""The graph in lockstep with a clock that is set by hand, and a robot that may fail like any other node."""

import pytest
from lockstep_graph import LockstepGraph, Turns
from rclpy.clock import ClockType, ROSClock
from rclpy.node import Node
from rclpy.time import Time
from rosgraph_msgs.msg import Clock

from kata_nodes import clocks, qos
from kata_nodes.convert import to_time
from kata_nodes.lockstep.executor import LockstepExecutor

__all__ = ["DrivenGraph"]


class SetClock(Node):
    """A clock that is set by hand.

    Attributes:
        time: What it shows [ns].
        stopped: Whether it says nothing.
    """

    def __init__(self) -> None:
        """Begin some time after 0, so that there is a past to jump to."""
        super().__init__("clock")
        self.time, self.stopped = 10_000_000_000, False
        self._publisher = self.create_publisher(Clock, "/clock", qos.STREAM)

    def advance(self) -> None:
        """Let 4 ms pass."""
        if not self.stopped:
            self.time += 4_000_000
            self._publisher.publish(Clock(clock=to_time(self.time)))


class DrivenGraph(LockstepGraph):
    """A graph whose clock is the test's to set; the simulator is a robot's driver, and may be killed or frozen like others.

    Launch the simulator with ``clock`` system and ``use_sim_time``. What nodes measure by the steady clock goes on evenly,
    whatever the clock does.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        """Make the clocks."""
        super().__init__()
        self.clock = self.nodes["clock"] = SetClock()
        self._steady = ROSClock()
        self._steady._set_ros_time_is_active(True)
        patch.setattr(clocks, "_advanced", lambda node: self._steady)

    def tick(self) -> None:
        """Let one tick pass."""
        self._steady.set_ros_time_override(Time(nanoseconds=(self.ticks + 1) * 4_000_000, clock_type=ClockType.ROS_TIME))
        super().tick()

    def _give_turns(self, nodes: list[Node]) -> LockstepExecutor:
        return _DriversTurns(nodes, self.frozen, self.clock)


class _DriversTurns(Turns):
    """The simulator moves in its turn."""

    def turn(self, node: Node) -> int:
        done = super().turn(node)
        if node.get_name() == "sim" and "sim" not in self._frozen:
            node.advance()
            done += 1
        return done
