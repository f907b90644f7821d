# SPDX-License-Identifier: Apache-2.0
"""Node `clock_echo`: tells what time this machine has; run one on each machine whose data is recorded elsewhere."""

import socket
import sys
from time import time_ns
from typing import Any

from rclpy.node import Node

from kata_msgs.srv import ClockEcho
from kata_nodes.convert import to_time
from kata_nodes.spin import run


class ClockEchoNode(Node):
    """Answers with the system clock, which stamps of drivers come from; never with simulated time."""

    def __init__(self, **options: Any) -> None:
        """Offer the service under the node's own name."""
        super().__init__("clock_echo", **options)
        self._host = socket.gethostname()
        self.create_service(ClockEcho, "~/ask", self._answer)

    def _answer(self, _: ClockEcho.Request, response: ClockEcho.Response) -> ClockEcho.Response:
        response.received = to_time(time_ns())
        response.host = self._host
        response.answered = to_time(time_ns())
        return response


def main() -> None:
    """Run the node."""
    sys.exit(run(ClockEchoNode))
