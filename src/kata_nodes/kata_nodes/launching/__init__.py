# SPDX-License-Identifier: Apache-2.0
"""A stand-in for `ros2 launch` on machines without it: runs a named subset of XML launch files."""

from kata_nodes.launching.element import Element, read_launch_file
from kata_nodes.launching.interpreter import Argument, Launch, Process, interpret
from kata_nodes.launching.runner import Runner

__all__ = ["Argument", "Element", "Launch", "Process", "Runner", "interpret", "read_launch_file"]
