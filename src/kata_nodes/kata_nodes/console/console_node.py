# SPDX-License-Identifier: Apache-2.0
"""Node `console`: the page for headset, phone and laptop, by which a person moves, watches, records and stops the robot."""

import socket
import sys
from pathlib import Path
from time import monotonic_ns
from typing import Any

import segno
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from kata_model import load_robot
from kata_model.errors import ConfigError
from kata_nodes import params
from kata_nodes.console.config import ConsoleConfig
from kata_nodes.console.graph import Graph
from kata_nodes.console.policy_host import PolicyHost
from kata_nodes.console.serving.admission import Admission
from kata_nodes.console.serving.certificate import Certificate, addresses, certificate, is_loopback
from kata_nodes.console.serving.server import ConsoleServer
from kata_nodes.console.serving.site import Site
from kata_nodes.console.session import Session
from kata_nodes.spin import run
from kata_teleop.engage import EngageConfig, GamepadConfig

_STATE = "~/.local/share/kata/console"


class ConsoleNode(Node):
    """Serves the pages and one WebSocket (docs/operator_protocol.md); beyond loopback by TLS alone."""

    exit_code: int | None = None

    def __init__(self, **options: Any) -> None:
        """Read parameters, join the graph, listen."""
        super().__init__("console", **options)
        self._config = config = params.declare(self, ConsoleConfig)
        engage, pad = params.declare(self, EngageConfig), params.declare(self, GamepadConfig)
        robot = load_robot(config.robot)
        simulated = str(self.get_parameter("use_sim_time").value).lower()
        policies = PolicyHost(Path(config.policies), robot, config.robot, ["-p", f"use_sim_time:={simulated}"])
        self._session = Session(Graph(self, robot, config.source), config, engage, pad, policies)
        local = is_loopback(config.host)
        hosts = [] if local else [*_named(config.host), socket.gethostname().lower(), f"{socket.gethostname().lower()}.local"]
        hosts += [name.lower() for name in config.names if name] + ["127.0.0.1", "localhost", "[::1]"]
        own = None if local else self._certificate([host.strip("[]") for host in hosts])
        listening = _bind(config.host, config.port, 8080 if local else 8443)
        port = listening.getsockname()[1]
        self._admission = Admission(hosts, port, own is not None, config.origins)
        site = Site(Path(config.pages), robot)
        self._server = ConsoleServer(self._session, site, self._admission, own.context() if own else None)
        self._server.start(listening)
        self._invite()
        self.create_timer(0.5, self._look, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _certificate(self, names: list[str]) -> Certificate:
        own = certificate(Path(self._config.state or _STATE).expanduser(), names)
        self.get_logger().info(f"certificate SHA-256 {own.fingerprint}")
        self.get_logger().info("the browser warns of it: compare the fingerprint, or trust it as docs/operator.md says")
        return own

    def _invite(self) -> None:
        """Print a link that pairs one client, on the terminal alone: everybody in the graph hears the log, and bags keep it."""
        code = self._session.pairing.new_code(monotonic_ns())
        link = self._admission.link(code)
        sys.stdout.write(f"open {link} (code {code}, valid once, {self._config.code_life / 60:.0f} min)\n")
        if self._config.show_qr:
            segno.make(link, micro=False).terminal(out=sys.stdout, compact=True)
        sys.stdout.flush()

    def _look(self) -> None:
        """Offer a new code once the last one is used up or old; end with a server that failed."""
        if self._server.failure is not None:
            self.get_logger().fatal(f"the server failed: {self._server.failure!r}")
            self.exit_code = 1
            return
        if not self._session.pairing.has_code(monotonic_ns()):
            self._invite()

    def destroy_node(self) -> None:
        """End the server first: it publishes from a thread of its own."""
        self._server.close()
        super().destroy_node()


def _named(host: str) -> list[str]:
    return addresses() if host in ("0.0.0.0", "::") else [host.lower()]


def _bind(host: str, port: int, usual: int) -> socket.socket:
    """Return a socket that listens on a port, or, if that is 0, on the first free one from the usual one on.

    Raises:
        ConfigError: The address cannot be had.
    """
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    wanted = [port] if port else range(usual, usual + 20)
    for candidate in wanted:
        try:
            return socket.create_server((host.strip("[]"), candidate), family=kind, backlog=32)
        except OSError as error:
            if candidate == wanted[-1]:
                what = f"cannot listen on {host}:{candidate}: {error.strerror or error}"
                raise ConfigError(what, where="node console", fix="choose another host:= or port:=") from error
    raise AssertionError("unreachable")


def main() -> None:
    """Run the node."""
    sys.exit(run(ConsoleNode))
