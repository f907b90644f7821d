# SPDX-License-Identifier: Apache-2.0
"""The console's node: what it prints, and what it must not log."""

import re

import pytest
import rclpy
from rclpy.impl.rcutils_logger import RcutilsLogger
from rclpy.parameter import Parameter

from kata_nodes.console.console_node import ConsoleNode

pytestmark = pytest.mark.ros


def test_a_pairing_code_stands_on_the_terminal_alone(ros_domain, monkeypatch, capfd):
    logged = []
    monkeypatch.setattr(RcutilsLogger, "log", lambda self, message, *_, **__: logged.append(str(message)))
    rclpy.init(args=[])
    try:
        node = ConsoleNode(parameter_overrides=[Parameter("show_qr", value=False)])
        actions = []
        node._server._session.graph._actions.publish = lambda message: actions.append(str(message))
        node._invite()
        node.destroy_node()
    finally:
        rclpy.shutdown()
    codes = re.findall(r"open http://127\.0\.0\.1:\d+/#code=(\w+) \(code (\w+), valid once, 10 min\)", capfd.readouterr().out)
    assert len(codes) == 2 and codes[0][0] == codes[0][1] != codes[1][0]
    said = "\n".join(logged + actions)
    assert not any(code in said for pair in codes for code in pair)
