# SPDX-License-Identifier: Apache-2.0
"""Node `play`: sends a retargeted motion to the running robot as `target`, through its safety filter, and ends."""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node
from rclpy.parameter import Parameter
from sensor_msgs.msg import JointState as JointStateMsg

from kata_model import JointCommand, RobotModel, Trajectory
from kata_model.arrays import FloatArray
from kata_model.config.params import param
from kata_model.errors import KataError
from kata_model.verdict import Status
from kata_msgs.msg import JointCommand as JointCommandMsg
from kata_msgs.msg import Verdict
from kata_nodes import params, qos
from kata_nodes.clocks import steady_clock
from kata_nodes.convert import JointConverter
from kata_nodes.latest import Latest
from kata_nodes.script_steps import Script, ScriptSteps
from kata_retarget.playback import Playback

_SILENCE = 3_000_000_000
"""Wall time after which a filter that says nothing is taken for dead [ns]."""


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

    def __init__(self, robot: RobotModel, trajectory: Trajectory, tell: Callable[[str], None], **options: Any) -> None:
        """Begin; progress is told line by line. What went wrong is in `fault` at the end."""
        super().__init__("play", **options)
        self.fault: KataError | None = None
        self._config = params.declare(self, PlayConfig)
        self._robot, self._trajectory, self._tell = robot, trajectory, tell
        self._joints = JointConverter(robot.layout)
        self._steps = ScriptSteps(self, self._config.patience)
        self._state = Latest(self, JointStateMsg, "joint_states")
        self._verdict = Latest(self, Verdict, "verdict")
        self._others = Latest(self, JointCommandMsg, "target")
        self._targets = self.create_publisher(JointCommandMsg, "target", qos.STREAM)
        self._steady = steady_clock(self)
        self._last_verdict: Verdict | None = None
        self._sent, self._heard = 0, self._steady.now().nanoseconds
        self._script = self._play()
        self.create_timer(1.0 / self._config.rate, self._look, clock=self._steady)

    def _look(self) -> None:
        try:
            next(self._script)
        except StopIteration:
            self.exit_code = 0
        except KataError as error:
            self.fault, self.exit_code = error, 2

    def _play(self) -> Script:
        yield from self._find_graph()
        config = self._config
        playback = Playback(self._robot, self._trajectory, self._measured(), config.lead_velocity, config.settle)
        self._tell(f"moves to the first posture, {playback.lead:.1f} s")
        seen = yield from self._send(playback)
        yield from self._wait("the filter to hold", lambda: self._status() == Verdict.HOLDING)
        shares = ", ".join(f"{Status(status).name.lower()} {count / seen.total():.0%}" for status, count in seen.most_common())
        self._tell(f"played {playback.duration:.1f} s ({shares}); the robot holds")

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
            yield from self._steps.until(what, condition)
        except KataError as error:
            raise KataError(error.what, where=where, fix=fix) from error

    def _send(self, playback: Playback) -> Script:
        """Send postures by the graph's clock; return how often the filter was in which state during the motion."""
        begin = self.get_clock().now().nanoseconds
        seen: Counter[int] = Counter()
        told = 0.0
        while (elapsed := (self.get_clock().now().nanoseconds - begin) * 1e-9) < playback.total:
            self._publish(playback.posture(elapsed))
            yield
            self._check_alive()
            at = elapsed - playback.lead
            if not 0.0 <= at <= playback.duration:
                continue
            seen[self._status()] += 1
            if at >= told:
                self._tell(f"{at:5.1f} of {playback.duration:.1f} s, {Status(self._status()).name.lower()}")
                told += max(1.0, playback.duration / 20.0)
        return seen

    def _check_alive(self) -> None:
        """Raise KataError if the filter stops, or is not heard any more; a simulated clock would stand still then."""
        verdict, now = self._verdict.read(), self._steady.now().nanoseconds
        if verdict is not self._last_verdict:
            self._last_verdict, self._heard = verdict, now
        if now - self._heard > _SILENCE:
            raise KataError("the safety node has fallen silent", where="topic verdict", fix="does it still run?")
        if self._status() in (Verdict.STOPPED, Verdict.STOPPING):
            raise KataError(f"the safety filter stops: {', '.join(verdict.reasons)}", where="safety")

    def _publish(self, position: FloatArray) -> None:
        now = self.get_clock().now().nanoseconds
        if now <= self._sent:  # a simulated clock that has not moved
            return
        self._sent = now
        command = JointCommand.at(now, position, self._robot.stiffness, self._robot.damping)
        self._targets.publish(self._joints.command_to(command))

    def _measured(self) -> FloatArray:
        state = self._joints.state_from(self._state.read()).value
        if state is None:
            raise KataError(f"its joints are not those of {self._robot.description.name}", where="topic joint_states")
        return state.position

    def _status(self) -> int:
        return int(self._verdict.read().status)
