# SPDX-License-Identifier: Apache-2.0
"""Node `gamepad`: a person with a gamepad, or a keyboard as one, moves hands, single joints or the base."""

import sys
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import Joy

from kata_model import load_robot
from kata_model.config.params import param
from kata_nodes import params, qos
from kata_nodes.clocks import steady_clock, steady_time
from kata_nodes.sources.teleop_topics import TeleopTopics
from kata_nodes.spin import run
from kata_teleop.engage import Cause, EngageConfig, GamepadConfig, TeleopSession


@dataclass(frozen=True)
class NodeConfig:
    """Parameters of the node, beside those of `EngageConfig` and `GamepadConfig`."""

    robot: str = param("g1", doc="Name or path of the robot's folder of data.")


class GamepadNode(Node):
    """Turns `joy` into `frames`, and where a joint is moved alone into `target`; silence is a loss."""

    def __init__(self, **options: Any) -> None:
        """Read parameters and wait for joy."""
        super().__init__("gamepad", **options)
        robot = load_robot(params.declare(self, NodeConfig).robot)
        self._engage = params.declare(self, EngageConfig)
        self._session = TeleopSession("gamepad", robot, self._engage, params.declare(self, GamepadConfig))
        self._graph = TeleopTopics(self, "gamepad", robot, self._engage.lost_time)
        self._steady = steady_time(self)
        self._heard: int | None = None
        self.create_subscription(Joy, "joy", self._on_joy, qos.LATEST)
        self.create_timer(0.05, self._look, clock=steady_clock(self))

    def _on_joy(self, message: Joy) -> None:
        self._heard = now = self._steady()
        graph = self._graph
        output = self._session.gamepad(message.axes, message.buttons, graph.now(), graph.state(), now, refusal=graph.refusal())
        graph.publish(output)

    def _look(self) -> None:
        now = self._steady()
        if self._heard is not None and now - self._heard > self._engage.max_silence * 1e9:
            self._graph.publish(self._session.idle(now, fault=Cause.SILENT))
        self._graph.tell(self._session.status(), self._session.lost_since)


def main() -> None:
    """Run the node."""
    sys.exit(run(GamepadNode))
