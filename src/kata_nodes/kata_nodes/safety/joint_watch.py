# SPDX-License-Identifier: Apache-2.0
"""What the safety node hears of the joints on `joint_states`, from however many publishers."""

from itertools import compress

from rclpy.clock import Clock
from rclpy.node import Node
from sensor_msgs.msg import JointState as JointStateMsg

from kata_model import JointState
from kata_model.reason_words import some
from kata_nodes import qos
from kata_nodes.convert import JointConverter

__all__ = ["JointWatch"]


class JointWatch:
    """Puts joint states together, and says in the log what they lack.

    Attributes:
        state: What is known; None if nothing, or if all fell silent by the steady clock, whatever the last stamp says.
    """

    def __init__(self, node: Node, joints: JointConverter, names: tuple[str, ...], steady: Clock) -> None:
        """Listen; names are those of the robot's joints in layout order."""
        self._node, self._joints, self._names, self._steady = node, joints, names, steady
        self._said, self._at = False, 0
        self.state: JointState | None = None
        node.create_subscription(JointStateMsg, "joint_states", self._on_state, qos.STREAM)

    def _on_state(self, message: JointStateMsg) -> None:
        heard, log = self._joints.heard, self._node.get_logger()
        before, fault = heard.state, self._joints.hear(message)
        if fault:
            log.error(f"joint_states: {fault}", throttle_duration_sec=5.0)
        if heard.state is before:  # other joints than this robot's
            return
        self.state, self._at = heard.state, self._steady.now().nanoseconds
        if heard.missing:
            log.warning(f"joint_states: never heard of {some(heard.missing)}", throttle_duration_sec=5.0)
        if not self._said and heard.differentiated.any():
            self._said = True
            unmeasured = some(tuple(compress(self._names, heard.differentiated)))
            log.warning(f"joint_states: no velocity of {unmeasured}: made of positions from now on")

    def look(self, oldest: int) -> None:
        """Drop what was not heard since a steady time [ns]."""
        if self.state is not None and self._at < oldest:
            self.state = None
            self._node.get_logger().warning("joint_states fell silent", throttle_duration_sec=5.0)
