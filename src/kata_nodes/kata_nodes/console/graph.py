# SPDX-License-Identifier: Apache-2.0
"""The console's side of the ROS graph: what it hears, what it publishes, whom it asks."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic_ns
from typing import Any

from nav_msgs.msg import Odometry
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Joy
from std_msgs.msg import Bool, Empty, String
from std_srvs.srv import SetBool, Trigger

from kata_model import RobotModel
from kata_msgs.msg import EngageState, EpisodeState, OperatorAction, Verdict
from kata_msgs.msg import JointCommand as JointCommandMsg
from kata_msgs.srv import DiscardEpisode, MarkEpisode, SaveEpisode, StartEpisode
from kata_nodes import qos
from kata_nodes.convert import JointConverter, to_time
from kata_nodes.latest import Latest
from kata_nodes.retarget.commanded import Commanded
from kata_nodes.services import AGAIN, Services
from kata_nodes.teleop_publisher import TeleopPublisher
from kata_teleop.console import Allowance
from kata_teleop.engage import EngageStatus, LinkMonitor, TeleopOutput

__all__ = ["Graph", "Picture"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's number, and its serialised message."""

    number: int
    data: bytes


class Graph:
    """Topics and services of the node; safe to be used from the server's thread."""

    def __init__(self, node: Node, robot: RobotModel, source: str) -> None:
        """Join.

        Args:
            node: The console's node.
            robot: The robot.
            source: Who moves it; its node offers ``SOURCE/engage`` unless it is the console itself.
        """
        self.node, self.robot = node, robot
        self.joints = JointConverter(robot.layout)
        self.commanded = Commanded(node, self.joints)
        self.states, self.targets = self.commanded.states, Latest(node, JointCommandMsg, "target")
        self.verdicts, self.odom = Latest(node, Verdict, "verdict"), Latest(node, Odometry, "odom")
        self.engages, self.policy_phase = Latest(node, EngageState, "engage/state"), Latest(node, String, "policy/state")
        self.episode: Any = None
        """The recorder's last EpisodeState, or None."""
        self.picture: Picture | None = None
        self._strangers = Allowance(5.0, 20.0)
        node.create_subscription(EpisodeState, "episode/state", self._on_episode, qos.LATCHED)
        node.create_subscription(CompressedImage, "camera/head/image_raw/compressed", self._on_picture, qos.LATEST, raw=True)
        self._commands = TeleopPublisher(node, source, robot, on_demand=True)
        self._joy: Any = None
        self._button = node.create_publisher(Bool, "safety/estop", qos.EVENT)
        self._beats = {who: node.create_publisher(Empty, f"{who}/heartbeat", qos.STREAM) for who in ("operator", "console")}
        self._actions = node.create_publisher(OperatorAction, "operator/actions", qos.EVENT)
        kinds = {
            "safety/stop": Trigger,
            "safety/reset": Trigger,
            "sim/reset_world": Trigger,
            "policy/engage": SetBool,
            "episode/start": StartEpisode,
            "episode/save": SaveEpisode,
            "episode/discard": DiscardEpisode,
            "episode/mark": MarkEpisode,
            **({} if source == "vr" else {f"{source}/engage": SetBool}),
        }
        self._services = Services(node, kinds)

    def now(self) -> int:
        """Return the robot's time [ns]."""
        return int(self.node.get_clock().now().nanoseconds)

    def publish(self, output: TeleopOutput) -> None:
        """Publish what the person asks for."""
        self._commands.publish(output)

    def publish_engage(self, status: EngageStatus, link: LinkMonitor | None) -> None:
        """Say where the engage contract stands."""
        self._commands.publish_engage(status, link)

    def publish_joy(self, axes: tuple[float, ...], buttons: tuple[float, ...], stamp: int) -> None:
        """Pass a gamepad's state on, as the `joy` node would."""
        message = Joy(axes=list(axes), buttons=[int(value > 0.5) for value in buttons])
        message.header.stamp = to_time(stamp)
        if self._joy is None:  # made when first used: a recorder would miss what never comes
            self._joy = self.node.create_publisher(Joy, "joy", qos.STREAM)
        self._joy.publish(message)

    def beat(self, who: str) -> None:
        """Say that the ``operator`` or the ``console`` is well."""
        self._beats[who].publish(Empty())

    def press(self, pressed: bool) -> None:
        """Press or release the emergency stop."""
        self._button.publish(Bool(data=pressed))

    def log(self, client: int, name: str, action: str, detail: dict[str, Any], reason: str = "") -> None:
        """Publish what somebody asked for; with a reason it was refused. Strangers fill no disk: five a second of theirs."""
        if client == 0 and not self._strangers.take(monotonic_ns()):
            return
        message = OperatorAction(client=client, name=name, action=action, accepted=not reason, reason=reason)
        message.header.stamp = to_time(self.now())
        message.detail = json.dumps(detail)[:1000]
        self._actions.publish(message)

    def complain(self, text: str) -> None:
        """Say in the node's log what must not happen."""
        self.node.get_logger().error(text)

    def offers(self, service: str) -> bool:
        """Return whether somebody offers a service."""
        return self._services.offered(service)

    async def ask(self, service: str, request: Any, patience: float = 5.0) -> Any:
        """Call a service from the server's thread; None if nobody offers it, or nobody answers in time [s]."""
        if not self.offers(service):
            return None
        loop, heard = asyncio.get_running_loop(), asyncio.Event()
        question = self._services.ask(service, request, lambda: loop.call_soon_threadsafe(heard.set))
        end = loop.time() + patience
        try:
            while question.look() is None and (left := end - loop.time()) > 0.0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(heard.wait(), min(AGAIN, left))
        finally:
            question.end()
        return question.answer

    def whose(self, service: str) -> str:
        """Return in words which node offers a service."""
        return self._services.whose(service)

    def _on_episode(self, message: Any) -> None:
        self.episode = message

    def _on_picture(self, data: bytes) -> None:
        self.picture = Picture(self.picture.number + 1 if self.picture else 1, data)
