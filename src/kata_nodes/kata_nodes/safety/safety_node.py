# SPDX-License-Identifier: Apache-2.0
"""Node `safety`: the only publisher of `command`."""

import sys
from dataclasses import dataclass
from typing import Any

from std_srvs.srv import Trigger

from kata_model import load_robot
from kata_model.config.params import param
from kata_model.reason_words import explain
from kata_model.verdict import Reason, Verdict
from kata_msgs.msg import JointCommand as JointCommandMsg
from kata_msgs.msg import Verdict as VerdictMsg
from kata_nodes import params, qos
from kata_nodes.clocks import in_lockstep, steady_clock
from kata_nodes.convert import JointConverter
from kata_nodes.safety.alarms import Alarms, AlarmsConfig
from kata_nodes.safety.base_watch import BaseWatch
from kata_nodes.safety.damper import Damper
from kata_nodes.safety.guarded_node import GuardedNode
from kata_nodes.safety.health import Health
from kata_nodes.safety.joint_watch import JointWatch
from kata_nodes.safety.realtime import ask_for_priority
from kata_nodes.spin import run
from kata_safety import Received, SafetyConfig, SafetyFilter, SafetyInputs
from kata_safety.balance import BalanceConfig, BalanceController

_WATCH = 0.02
"""How often silence and rivals are looked for [s]."""


@dataclass(frozen=True)
class NodeConfig:
    """Parameters of the node, beside those of `SafetyConfig`."""

    robot: str = param("g1", doc="Name or path of the robot's folder of data.")
    base: str = param("fixed", choices=("fixed", "floating"), doc="Whether the base is held, or free and told of on odom.")
    priority: int = param(10, low=0, high=49, doc="Real-time priority asked of the system (SCHED_FIFO); 0 asks for none.")
    max_silence: float = param(0.5, unit="s", low=0.05, high=10.0, doc="Wall time of silence after which an input is dropped.")


class SafetyNode(GuardedNode):
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
        balance = BalanceController(robot, limits, params.declare(self, BalanceConfig)) if floating else None
        self._filter = SafetyFilter(robot, limits, balance=balance)
        self._target: Received | None = None
        self._steady, self._targeted = steady_clock(self), 0
        self._commands = self.create_publisher(JointCommandMsg, "command", qos.STREAM)
        self._verdicts = self.create_publisher(VerdictMsg, "verdict", qos.STREAM)
        self.damper = damper = Damper(self._commands, self._verdicts, self._joints, robot, self.get_clock())
        self._note = damper.note
        self._measured = JointWatch(self, self._joints, robot.layout.names, self._steady)
        self.create_subscription(JointCommandMsg, "target", self._on_target, qos.LATEST)
        self.create_service(Trigger, "~/stop", self._on_stop)
        self.create_service(Trigger, "~/reset", self._on_reset)
        # System time may be set back, and a timer on it would then pause: off the simulator, tick by the steady clock.
        simulated = self.get_parameter("use_sim_time").value
        deadlines = params.declare(self, AlarmsConfig)
        self._alarms = Alarms(self, deadlines, 1.0 / limits.rate, simulated, self._on_press)
        self._base = BaseWatch(self, robot, deadlines.odom_deadline) if floating else None
        self._health = Health(self, self._alarms.loop, robot.description.name, robot.layout.names)
        self.create_timer(1.0 / limits.rate, self._tick, clock=self.get_clock() if simulated else self._steady)
        self.create_timer(_WATCH, self._watch, clock=self._steady)
        self.create_timer(1.0, self._health.publish, clock=self._steady)
        urgent = self._config.priority > 0 and not in_lockstep()  # there nothing is late, and the process is that of all nodes
        refused = ask_for_priority(self._config.priority) if urgent else ""
        if refused:
            self.get_logger().info(f"no real-time priority ({refused}): a busy machine may delay ticks")

    def _on_target(self, message: JointCommandMsg) -> None:
        self._targeted = self._steady.now().nanoseconds
        command, fault = self._joints.command_from(message)
        self._alarms.hear_target(command)
        self._target = Received(command, self.get_clock().now().nanoseconds, fault)

    def _tick(self) -> None:
        self._alarms.tick()
        self.last_resort.tick(self._decide)

    def _decide(self) -> None:
        now = self.get_clock().now().nanoseconds
        verdict = self._filter.step(self._measured.state, self._target, now, self._safety_inputs())
        if verdict.command is not None:
            command = self._joints.command_to(verdict.command)
            self._commands.publish(command)
            self._note(command)
        self._verdicts.publish(self._joints.verdict_to(verdict, self._filter.state_to_record()))
        self._health.note(verdict)

    def damped(self, verdict: Verdict) -> None:
        """Count a tick that only damped."""
        self._health.note(verdict)

    def _safety_inputs(self) -> SafetyInputs:
        if self._base is None:
            return SafetyInputs(self._alarms.current)
        if self._base.missing:
            return SafetyInputs((*self._alarms.current, Reason.NO_BASE))
        return SafetyInputs(self._alarms.current, self._base.state(self._measured.state), self._base.motion)

    def _watch(self) -> None:
        self._alarms.look_for_rivals()
        if self._alarms.current or self.last_resort.fault:  # a simulator that died gives no ticks any more
            self.last_resort.tick(self._decide)
        oldest = self._steady.now().nanoseconds - round(self._config.max_silence * 1e9)
        self._measured.look(oldest)
        if self._target is not None and self._targeted < oldest:
            self._target = Received(None, self._target.received, Reason.STALE_TARGET)

    def _on_press(self) -> None:
        self._filter.stop(Reason.EMERGENCY_STOP)
        self.last_resort.tick(self._decide)

    def _on_stop(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._on_press()
        response.success, response.message = True, "stopped until safety/reset"
        return response

    def _on_reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        fault = explain((Reason.INTERNAL_FAULT,)) if self.last_resort.fault else ""
        response.message = fault or self._filter.reset()
        response.success = not response.message
        return response


def main() -> None:
    """Run the node."""
    sys.exit(run(SafetyNode))
