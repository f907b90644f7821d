# SPDX-License-Identifier: Apache-2.0
"""Node `play`: sends a retargeted motion to the running robot as `target`, through its safety filter, and ends."""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.parameter import Parameter
from sensor_msgs.msg import JointState as JointStateMsg

from kata_core import JointCommand, RobotModel, Trajectory
from kata_core.adaptation import MotionPath
from kata_core.arrays import FloatArray
from kata_core.errors import KataError
from kata_core.minimum_jerk import minimum_jerk
from kata_core.params import param
from kata_msgs.msg import JointCommand as JointCommandMsg
from kata_msgs.msg import Verdict
from kata_nodes import params, qos
from kata_nodes.convert import JointConverter
from kata_nodes.latest import Latest
from kata_nodes.script import Prompter, Script

_PEAK = 1.875
"""Peak over mean velocity of a minimum-jerk movement."""
_STATUS = {
    Verdict.STANDBY: "not followed yet",
    Verdict.FOLLOWING: "followed",
    Verdict.LIMITED: "limited",
    Verdict.HOLDING: "held",
    Verdict.STOPPED: "stopped",
    Verdict.STOPPING: "stopping",
}


@dataclass(frozen=True)
class PlayConfig:
    """Parameters of the node."""

    rate: float = param(60.0, unit="Hz", low=10.0, high=240.0, doc="Targets a second.")
    patience: float = param(8.0, unit="s", low=0.5, high=600.0, doc="Wall time to wait for the safety node and the robot.")
    lead_velocity: float = param(0.6, unit="rad/s", low=0.05, high=5.0, doc="Velocity of the move to the first posture.")
    settle: float = param(0.6, unit="s", low=0.0, high=10.0, doc="Time in the first and in the last posture.")


class PlayNode(Node):
    """Moves the robot to the first posture, plays, waits for the hold; ends by itself."""

    exit_code: int | None = None

    def __init__(self, robot: RobotModel, trajectory: Trajectory, tell: Callable[[str], None]) -> None:
        """Begin; progress is told line by line. What went wrong is in `fault` at the end."""
        super().__init__("play")
        self.fault: KataError | None = None
        self._config = params.declare(self, PlayConfig)
        self._robot, self._trajectory, self._tell = robot, trajectory, tell
        self._path = MotionPath(trajectory)
        self._joints = JointConverter(robot.layout)
        self._prompter = Prompter(self, self._config.patience)
        self._state = Latest(self, JointStateMsg, "joint_states")
        self._verdict = Latest(self, Verdict, "verdict")
        self._others = Latest(self, JointCommandMsg, "target")
        self._targets = self.create_publisher(JointCommandMsg, "target", qos.STREAM)
        self._sent = 0
        self._script = self._play()
        self.create_timer(1.0 / self._config.rate, self._look, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _look(self) -> None:
        try:
            next(self._script)
        except StopIteration:
            self.exit_code = 0
        except KataError as error:
            self.fault, self.exit_code = error, 2

    def _play(self) -> Script:
        yield from self._find_graph()
        start = self._measured()
        first = self._posture(0.0)
        lead = max(1.0, _PEAK * float(np.abs(first - start).max()) / self._config.lead_velocity)
        self._tell(f"moves to the first posture, {lead:.1f} s")
        yield from self._send(lead + self._config.settle, lambda t: minimum_jerk(start, first, lead, t))
        duration = float(self._trajectory.stamp[-1] - self._trajectory.stamp[0])
        seen = yield from self._send(duration, self._posture, progress=True)
        yield from self._send(self._config.settle, lambda _: self._posture(duration))
        yield from self._wait("the filter to hold", lambda: self._status() == Verdict.HOLDING)
        shares = ", ".join(f"{_STATUS[status]} {count / seen.total():.0%}" for status, count in seen.most_common())
        self._tell(f"played {duration:.1f} s ({shares}); the robot holds")

    def _find_graph(self) -> Script:
        """Wait for the safety filter and the robot; take the graph's clock; nobody else may be moving the robot."""
        where, fix = f"ROS domain {os.environ.get('ROS_DOMAIN_ID', '0')}", "start the robot, e.g. `kata launch sim`"
        yield from self._wait("a safety node", lambda: self._verdict.read() is not None, where, fix)
        yield from self._wait("joint states", lambda: self._state.read() is not None, where, fix)
        if self.count_publishers("/clock") > 0:
            self.set_parameters([Parameter("use_sim_time", value=True)])
            yield from self._wait("the simulator's clock", lambda: self.get_clock().now().nanoseconds > 0, where, fix)
        self._measured()
        if self._status() in (Verdict.STOPPED, Verdict.STOPPING):
            raise KataError("the safety filter is stopped", where="safety", fix="see why, then call the service safety/reset")
        self._others.forget()
        for _ in range(round(0.3 * self._config.rate)):
            yield
        if self._others.read() is not None:
            raise KataError("somebody moves the robot already", where="topic target", fix="disengage the source first")

    def _wait(self, what: str, condition: Callable[[], bool], where: str = "play", fix: str = "see what safety says") -> Script:
        try:
            yield from self._prompter.until(what, condition)
        except KataError as error:
            raise KataError(error.what, where=where, fix=fix) from error

    def _send(self, seconds: float, posture: Callable[[float], FloatArray], progress: bool = False) -> Script:
        """Send postures for a time by the graph's clock; return how often the filter was in which state."""
        begin = self.get_clock().now().nanoseconds
        seen: Counter[int] = Counter()
        told = 0.0
        while (elapsed := (self.get_clock().now().nanoseconds - begin) * 1e-9) < seconds:
            self._publish(posture(elapsed))
            yield
            status = self._status()
            seen[status] += 1
            if status in (Verdict.STOPPED, Verdict.STOPPING):
                raise KataError(f"the safety filter stops: {', '.join(self._verdict.read().reasons)}", where="safety")
            if progress and elapsed >= told:
                self._tell(f"{elapsed:5.1f} of {seconds:.1f} s, {_STATUS[status]}")
                told += max(1.0, seconds / 20.0)
        return seen

    def _publish(self, position: FloatArray) -> None:
        now = self.get_clock().now().nanoseconds
        if now <= self._sent:  # a simulated clock that has not moved
            return
        self._sent = now
        command = JointCommand.at(now, self._robot.clamp(position), self._robot.stiffness, self._robot.damping)
        self._targets.publish(self._joints.command_to(command))

    def _posture(self, elapsed: float) -> FloatArray:
        stamp = self._trajectory.stamp
        at = np.array([min(stamp[0] + elapsed, stamp[-1])])
        position: FloatArray = self._path.at(at).value[0, : len(self._robot.layout)]
        return position

    def _measured(self) -> FloatArray:
        state = self._joints.state_from(self._state.read()).value
        if state is None:
            raise KataError(f"its joints are not those of {self._robot.description.name}", where="topic joint_states")
        return state.position

    def _status(self) -> int:
        return int(self._verdict.read().status)
