# SPDX-License-Identifier: Apache-2.0
"""What the safety node says when it can decide nothing any more: damp. Made before anything could fail."""

import time

import numpy as np
from rclpy.clock import Clock
from rclpy.publisher import Publisher

from kata_model import JointCommand, RobotModel
from kata_model.verdict import Reason, Status, Verdict
from kata_msgs.msg import JointCommand as JointCommandMsg
from kata_nodes.convert import JointConverter, to_time

__all__ = ["Damper"]

_TIMES = 5
"""How often damping is said on leaving, since nobody acknowledges a command."""

_APART = 0.01
"""Time after each [s]: a reader drops what it has not looked at when its writer leaves (measured: in half of all trials)."""


class Damper:
    """Publishes a command that only damps, and the verdict that says why.

    Attributes:
        said: That verdict, without its stamps.
    """

    def __init__(self, commands: Publisher, verdicts: Publisher, joints: JointConverter, robot: RobotModel, clock: Clock) -> None:
        """Make the messages."""
        self._commands, self._verdicts, self._clock = commands, verdicts, clock
        still = np.zeros(len(robot.layout))
        self._command = joints.command_to(JointCommand.at(0, robot.rest, still, robot.damping))
        none = np.zeros(len(robot.layout), dtype=np.uint8)
        self.said = Verdict(Status.STOPPED, (Reason.INTERNAL_FAULT,), none, None, 0, 0, 0)
        self._verdict = joints.verdict_to(self.said)
        self._ever = False

    def note(self, sent: JointCommandMsg) -> None:
        """Take the position of a command that was sent: without stiffness it pulls nowhere, but it need not jump."""
        self._command.position, self._ever = sent.position, True

    def command(self) -> None:
        """Publish damping."""
        self._command.header.stamp = to_time(self._clock.now().nanoseconds)
        self._commands.publish(self._command)

    def verdict(self) -> None:
        """Publish why; with the stamp of the command, if that could be published."""
        self._verdict.header.stamp = self._verdict.command_stamp = self._command.header.stamp
        self._verdicts.publish(self._verdict)

    def leave(self, fault: str) -> None:
        """Damp what was ever commanded, and wait until that is out; with a fault, that stays the reason."""
        if not self._ever:
            return
        self._verdict.reasons = [Reason.INTERNAL_FAULT if fault else Reason.LEAVING]
        for _ in range(_TIMES):
            self.command()
            self.verdict()
            time.sleep(_APART)
