# SPDX-License-Identifier: Apache-2.0
"""How a session stands, read off its topics: reset, at rest, moving, engaged, succeeded."""

from rclpy.node import Node
from sensor_msgs.msg import JointState as JointStateMsg

from kata_msgs.msg import HumanFrames, TaskState, Verdict
from kata_nodes.convert import from_time
from kata_nodes.latest import Latest

__all__ = ["SessionSignals"]


class SessionSignals:
    """The newest joint state, task state, frames and verdict, as answers to what a session asks."""

    def __init__(self, node: Node) -> None:
        """Subscribe on behalf of a node."""
        self._joints = Latest(node, JointStateMsg, "joint_states")
        self._task = Latest(node, TaskState, "task/state")
        self._frames = Latest(node, HumanFrames, "frames")
        self._verdict = Latest(node, Verdict, "verdict")

    def forget_task(self) -> None:
        """Drop what was said of the task so far."""
        self._task.forget()

    @property
    def task(self) -> str:
        """Name of the scene's task; empty if nobody names one."""
        message = self._task.read()
        return str(message.task) if message else ""

    def seen_since(self, stamp: int) -> bool:
        """Return whether joint states and task state are both newer than a time [ns]."""
        messages = (self._joints.read(), self._task.read())
        return all(message is not None and from_time(message.header.stamp) > stamp for message in messages)

    def at_rest(self, velocity: float) -> bool:
        """Return whether every joint is slower than a velocity [rad/s]."""
        message = self._joints.read()
        return message is not None and max(map(abs, message.velocity)) < velocity

    @property
    def moving(self) -> bool:
        """Whether the safety filter follows a target."""
        message = self._verdict.read()
        return message is not None and message.status in (Verdict.FOLLOWING, Verdict.LIMITED)

    @property
    def engaged(self) -> bool:
        """Whether a human is engaged; a policy publishes no frames."""
        message = self._frames.read()
        return message is not None and bool(message.engaged)

    @property
    def succeeded(self) -> bool:
        """Whether the task counts as done."""
        message = self._task.read()
        return message is not None and bool(message.success)
