# SPDX-License-Identifier: Apache-2.0
"""Node `safety`: the only publisher of `command`."""

import sys
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import JointState as JointStateMsg
from std_srvs.srv import Trigger

from kata_core import JointState, load_robot
from kata_core.balance import BalanceConfig, Footing
from kata_core.params import param
from kata_core.reason_words import explain
from kata_core.safety import Received, SafetyConfig, SafetyFilter, Senses
from kata_core.verdict import Reason, Status, Verdict
from kata_msgs.msg import JointCommand as JointCommandMsg
from kata_msgs.msg import Verdict as VerdictMsg
from kata_nodes import params, qos
from kata_nodes.alarms import Alarms, AlarmsConfig
from kata_nodes.base_watch import BaseWatch
from kata_nodes.clocks import steady_clock
from kata_nodes.convert import JointConverter
from kata_nodes.health import Health
from kata_nodes.realtime import ask_for_priority
from kata_nodes.spin import run

_WATCH = 0.02
"""How often silence and rivals are looked for [s]."""


@dataclass(frozen=True)
class NodeConfig:
    """Parameters of the node, beside those of `SafetyConfig`."""

    robot: str = param("g1", doc="Name or path of the robot's folder of data.")
    base: str = param("fixed", choices=("fixed", "floating"), doc="Whether the base is held, or free and told of on odom.")
    priority: int = param(10, low=0, high=49, doc="Real-time priority asked of the system (SCHED_FIFO); 0 asks for none.")
    max_silence: float = param(0.5, unit="s", low=0.05, high=10.0, doc="Wall time of silence after which an input is dropped.")


class SafetyNode(Node):
    """Decides a command in every tick from the newest joint state and target.

    Stamps are judged by ROS time in the filter. Beside that, inputs that fall silent by the steady clock
    are dropped, whatever their stamps say: a clock that stands still must not keep a target alive.
    """

    def __init__(self, **options: Any) -> None:
        """Read parameters and start ticking."""
        super().__init__("safety", **options)
        self._config = params.declare(self, NodeConfig)
        limits = params.declare(self, SafetyConfig)
        robot = load_robot(self._config.robot)
        self._joints = JointConverter(robot.layout)
        floating = self._config.base == "floating"
        feet = Footing(robot, limits, params.declare(self, BalanceConfig)) if floating else None
        self._filter = SafetyFilter(robot, limits, feet=feet)
        self._state: JointState | None = None
        self._target: Received | None = None
        self._status = Status.STANDBY
        self._steady = steady_clock(self)
        self._heard = {"joint state": 0, "target": 0}
        self._commands = self.create_publisher(JointCommandMsg, "command", qos.STREAM)
        self._verdicts = self.create_publisher(VerdictMsg, "verdict", qos.STREAM)
        self.create_subscription(JointStateMsg, "joint_states", self._on_state, qos.LATEST)
        self.create_subscription(JointCommandMsg, "target", self._on_target, qos.LATEST)
        self.create_service(Trigger, "~/stop", self._on_stop)
        self.create_service(Trigger, "~/reset", self._on_reset)
        # System time may be set back, and a timer on it would then pause: off the simulator, tick by the steady clock.
        simulated = self.get_parameter("use_sim_time").value
        deadlines = params.declare(self, AlarmsConfig)
        self._alarms = Alarms(self, deadlines, 1.0 / limits.rate, simulated)
        self._base = BaseWatch(self, robot, deadlines.odom_deadline) if floating else None
        self._health = Health(self, self._alarms.loop, robot.description.name)
        self.create_timer(1.0 / limits.rate, self._tick, clock=self.get_clock() if simulated else self._steady)
        self.create_timer(_WATCH, self._watch, clock=self._steady)
        self.create_timer(1.0, self._health.publish, clock=self._steady)
        refused = ask_for_priority(self._config.priority) if self._config.priority else ""
        if refused:
            self.get_logger().info(f"no real-time priority ({refused}): a busy machine may delay ticks")

    def _on_state(self, message: JointStateMsg) -> None:
        self._heard["joint state"] = self._steady.now().nanoseconds
        self._state, fault = self._joints.state_from(message)
        if fault:
            self.get_logger().error(f"joint_states: {fault}", throttle_duration_sec=5.0)

    def _on_target(self, message: JointCommandMsg) -> None:
        self._heard["target"] = self._steady.now().nanoseconds
        command, fault = self._joints.command_from(message)
        self._alarms.hear_target(command)
        self._target = Received(command, self.get_clock().now().nanoseconds, fault)

    def _tick(self) -> None:
        self._alarms.tick()
        self._decide()

    def _decide(self) -> None:
        verdict = self._filter.step(self._state, self._target, self.get_clock().now().nanoseconds, self._senses())
        if verdict.command is not None:
            self._commands.publish(self._joints.command_to(verdict.command))
        self._verdicts.publish(self._joints.verdict_to(verdict))
        self._health.note(verdict)
        self._tell(verdict)

    def _senses(self) -> Senses:
        if self._base is None:
            return Senses(self._alarms.current)
        if self._base.missing:
            return Senses((*self._alarms.current, Reason.NO_BASE))
        return Senses(self._alarms.current, self._base.state(self._state), self._base.motion)

    def _tell(self, verdict: Verdict) -> None:
        """Log when the robot begins to follow, to hold or to stand still; limits alone are not news."""
        status = Status.FOLLOWING if verdict.status is Status.LIMITED else verdict.status
        if status is not self._status:
            self._status = status
            self.get_logger().info(f"{status.name.lower()}: {explain(verdict.reasons) or 'all well'}", throttle_duration_sec=0.1)

    def _watch(self) -> None:
        self._alarms.look_for_rivals()
        if self._alarms.current:  # a simulator that died gives no ticks any more
            self._decide()
        oldest = self._steady.now().nanoseconds - round(self._config.max_silence * 1e9)
        if self._state is not None and self._heard["joint state"] < oldest:
            self._state = None
            self.get_logger().warning("joint_states fell silent", throttle_duration_sec=5.0)
        if self._target is not None and self._heard["target"] < oldest:
            self._target = Received(None, self._target.received, Reason.STALE_TARGET)

    def _on_stop(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._filter.stop(Reason.EMERGENCY_STOP)
        self._decide()
        response.success, response.message = True, "stopped until safety/reset"
        return response

    def _on_reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.message = self._filter.reset()
        response.success = not response.message
        return response


def main() -> None:
    """Run the node."""
    sys.exit(run(SafetyNode))
