# SPDX-License-Identifier: Apache-2.0
"""The console's real server on a real socket, with no robot: what it logs and publishes is kept."""

import asyncio
import json
import socket
import time
from contextlib import suppress
from pathlib import Path

import rclpy
from emulated_headset import EmulatedHeadset
from rclpy.node import Node
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from kata_model import JointState, load_robot
from kata_nodes.console.config import ConsoleConfig
from kata_nodes.console.graph import Graph
from kata_nodes.console.policy_host import PolicyHost
from kata_nodes.console.serving.admission import Admission
from kata_nodes.console.serving.server import ConsoleServer
from kata_nodes.console.serving.site import Site
from kata_nodes.console.session import Session
from kata_teleop.engage import EngageConfig, GamepadConfig

__all__ = ["DIST", "Console", "LoggingGraph", "closed_with", "hello", "raw", "run", "until_closed"]

DIST = Path(__file__).parent / "no_pages"


class LoggingGraph(Graph):
    """The graph, which also keeps what is logged and what would move the robot.

    Attributes:
        answers: What stands in for services, by name: functions that return an answer in time.
        complaints: Faults that the console has told in its log.
        presses: What was published on the button of the stop.
    """

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.actions, self.frames, self.complaints, self.presses = [], [], [], []
        self.answers = {}
        self.rest = JointState(0, self.robot.rest, 0 * self.robot.rest, 0 * self.robot.rest)

    def log(self, client, name, action, detail, reason=""):
        self.actions.append((action, reason))
        super().log(client, name, action, detail, reason)

    def press(self, pressed):
        self.presses.append(pressed)
        super().press(pressed)

    def complain(self, text):
        self.complaints.append(text)

    def offers(self, service):
        return service in self.answers or super().offers(service)

    async def ask(self, service, request, patience=5.0):
        if service in self.answers:
            return await self.answers[service]()
        return await super().ask(service, request, patience)

    def publish(self, output):
        self.frames.append(output.frames)
        super().publish(output)


class Console:
    """A server on a free port, in a node that spins in a thread."""

    def __init__(self, tls=None):
        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        self.node = Node("console_test", context=self._context)
        robot, config = load_robot("g1"), ConsoleConfig()
        self.graph = LoggingGraph(self.node, robot, "vr")
        self.session = Session(self.graph, config, EngageConfig(), GamepadConfig(), PolicyHost(DIST, robot, "g1", []))
        self.session.state = lambda: self.graph.rest  # stands in for a robot's joint states
        listening = socket.create_server(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        admission = Admission(["127.0.0.1", "localhost"], self.port, tls is not None, ())
        self.server = ConsoleServer(self.session, Site(DIST, robot), admission, tls)
        self.server.start(listening)

    def code(self):
        return self.session.pairing.new_code(time.monotonic_ns())

    def headset(self, **changes):
        return EmulatedHeadset(self.url, self.code(), **changes)

    def logged(self, action):
        return [reason for what, reason in self.graph.actions if what == action]

    def close(self):
        self.server.close()
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)


def run(attack):
    return asyncio.run(asyncio.wait_for(attack, 60.0))


async def until_closed(peer):
    with suppress(ConnectionClosed):
        while True:
            await peer.recv()


async def closed_with(peer, message=None):
    """Return the code with which the server ends a connection."""
    if message is not None:
        with suppress(ConnectionClosed):
            await peer.send(message)
    await asyncio.wait_for(until_closed(peer), 10.0)
    return peer.close_code


def raw(console, origin=None):
    url = console.url.replace("http", "ws") + "/ws"
    return connect(url, origin=console.url if origin is None else origin, compression=None)


def hello(**fields):
    return json.dumps({"type": "hello", "protocol": 1, "name": "x", "kind": "program", **fields})
