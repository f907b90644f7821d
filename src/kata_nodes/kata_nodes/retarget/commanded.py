# SPDX-License-Identifier: Apache-2.0
"""Where the robot is told to be: from there a source goes on, or engaging would move it by its tracking error."""

from rclpy.node import Node
from sensor_msgs.msg import JointState as JointStateMsg

from kata_model import JointState
from kata_msgs.msg import JointCommand as JointCommandMsg
from kata_nodes.convert import JointConverter
from kata_nodes.latest import Latest

__all__ = ["Commanded"]


class Commanded:
    """Knows the newest command and the newest joint state."""

    def __init__(self, node: Node, joints: JointConverter) -> None:
        """Subscribe to both."""
        self._joints = joints
        self.states = Latest(node, JointStateMsg, "joint_states")
        """As measured."""
        self._commands = Latest(node, JointCommandMsg, "command")

    def state(self) -> JointState | None:
        """Return the joints as they are commanded, with stiffness; else as measured; None before they were heard."""
        message = self._commands.read()
        command = self._joints.command_from(message).value if message is not None else None
        if command is not None and command.stiffness.all():
            return JointState(command.stamp, command.position, command.velocity, command.effort)
        message = self.states.read()
        return self._joints.state_from(message).value if message is not None else None
