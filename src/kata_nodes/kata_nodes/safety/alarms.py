# SPDX-License-Identifier: Apache-2.0
"""What the safety node watches beside joint state and target: e-stop, heartbeats, rivals, its own loop."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from rclpy.node import Node
from sensor_msgs.msg import Imu
from std_msgs.msg import Bool, Empty

from kata_model import JointCommand
from kata_model.config.params import param
from kata_model.verdict import Reason
from kata_nodes import qos
from kata_nodes.clocks import steady_time
from kata_safety import Alternation, LoopMonitor, StopButtons, Watchdog

__all__ = ["Alarms", "AlarmsConfig"]


_REMEMBERED = 500_000_000
"""How long two sources, or a policy's word on itself, are held against a target when nothing more is heard [ns]."""

_POLICY_SAYS = {Reason.UNSURE_POLICY: "policy/unsure", Reason.LATE_POLICY: "policy/late"}
"""Topics on which a policy speaks of itself: it was never shown this, or its answers do not come in time."""


@dataclass(frozen=True)
class AlarmsConfig:
    """Deadlines by the steady clock; a watchdog sleeps until its input was first heard."""

    operator_deadline: float = param(0.3, unit="s", low=0.01, high=10.0, doc="Longest silence of operator/heartbeat.")
    console_deadline: float = param(1.0, unit="s", low=0.01, high=10.0, doc="Longest silence of console/heartbeat.")
    imu_deadline: float = param(0.1, unit="s", low=0.01, high=10.0, doc="Longest silence of imu; not watched in simulation.")
    odom_deadline: float = param(0.1, unit="s", low=0.01, high=10.0, doc="Oldest odom that is trusted, with a floating base.")
    overruns: int = param(20, low=0, high=100, doc="Ticks of 100 that may be a period late; off in simulation.")


class Alarms:
    """Collects the causes that last, by name from `kata_model.Reason`."""

    def __init__(self, node: Node, config: AlarmsConfig, period: float, simulated: bool, on_press: Callable[[], None]) -> None:
        """Listen.

        Args:
            node: The safety node.
            config: Deadlines.
            period: Intended time between ticks [s].
            simulated: Whether time is the simulator's, which may pause or run at another speed.
            on_press: Called at once when an emergency stop is pressed, be it released before the next tick.
        """
        self._buttons, self._on_press = StopButtons(), on_press
        self._node, self._simulated, self._steady = node, simulated, steady_time(node)
        self.loop = LoopMonitor(period, config.overruns)
        self._dogs: list[Watchdog] = []
        self._overrun = False
        self._alternation, self._two_sources = Alternation(), self._steady() - _REMEMBERED
        self._rivals = False
        self._said = dict.fromkeys(_POLICY_SAYS, self._steady() - _REMEMBERED)
        node.create_subscription(Bool, "~/estop", self._on_estop, qos.EVENT)
        for reason, topic in _POLICY_SAYS.items():
            node.create_subscription(Bool, topic, partial(self._on_policy, reason), qos.LATEST)
        self._guard(Reason.LOST_OPERATOR, config.operator_deadline, Empty, "operator/heartbeat")
        self._guard(Reason.LOST_CONSOLE, config.console_deadline, Empty, "console/heartbeat")
        if not simulated:
            self._guard(Reason.LOST_IMU, config.imu_deadline, Imu, "imu")

    def _guard(self, cause: str, deadline: float, kind: type, topic: str) -> None:
        """Watch a topic; messages stay serialised, for only their coming counts."""
        dog = Watchdog(cause, deadline)
        self._dogs.append(dog)
        self._node.create_subscription(kind, topic, lambda _: dog.feed(self._steady()), qos.LATEST, raw=True)

    def _on_estop(self, message: Bool) -> None:
        self._buttons.hear(message.data, self._steady())
        if message.data:
            self._on_press()

    def _on_policy(self, reason: str, message: Bool) -> None:
        """Take a policy's word on itself; what it does not repeat is forgotten, for another source may move the robot."""
        self._said[reason] = self._steady() - (0 if message.data else _REMEMBERED)

    def look_for_rivals(self) -> None:
        """Ask the graph who else publishes; not for every tick, since it takes a while."""
        self._rivals = self._node.count_publishers("command") > 1

    def hear_target(self, command: JointCommand | None) -> None:
        """Look whether two sources take turns; two that only could, as when a clip replays, do no harm."""
        if command is not None and self._alternation.note(command.position):
            self._two_sources = self._steady()

    def tick(self) -> None:
        """Note that a tick begins."""
        late = self.loop.tick(self._steady())
        self._overrun = late and not self._simulated

    @property
    def current(self) -> tuple[str, ...]:
        """The causes that last now."""
        now = self._steady()
        silent = tuple(dog.cause for dog in self._dogs if dog.late(now))
        pressed = (Reason.EMERGENCY_STOP,) if self._buttons.pressed(now) else ()
        rivals = (Reason.FOREIGN_COMMAND,) if self._rivals else ()
        sources = (Reason.TWO_SOURCES,) if now - self._two_sources < _REMEMBERED else ()
        said = tuple(reason for reason, when in self._said.items() if now - when < _REMEMBERED)
        return (*pressed, *rivals, *sources, *said, *silent, *((Reason.LOOP_OVERRUN,) if self._overrun else ()))
