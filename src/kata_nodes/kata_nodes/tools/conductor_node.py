# SPDX-License-Identifier: Apache-2.0
"""Node `conductor`: runs a session of episodes, to record demonstrations or to try a policy.

Each episode: the simulator and the safety filter start anew, the recorder starts, the source is engaged until
the task succeeds, the source ends by itself or time is up, the recorder saves the episode with its outcome.
"""

import sys
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import JointState as JointStateMsg
from std_srvs.srv import SetBool, Trigger

from kata_model.config.params import param
from kata_model.errors import KataError
from kata_msgs.msg import HumanFrames, TaskState, Verdict
from kata_msgs.srv import SaveEpisode, StartEpisode
from kata_nodes import params
from kata_nodes.clocks import steady_clock
from kata_nodes.convert import from_time
from kata_nodes.latest import Latest
from kata_nodes.script import Prompter, Script
from kata_nodes.spin import run
from kata_teleop.tasks import TASK_TEXTS

_SETTLED = 20_000_000  # every node has heard of a reset by then [ns]


@dataclass(frozen=True)
class NodeConfig:
    """Parameters of the node."""

    source: str = param("operator", doc="Node that moves the robot; it offers SOURCE/engage.")
    episodes: int = param(10, low=1, high=100000, doc="Number of episodes.")
    text: str = param("", doc="Task text stored with each episode; empty for that of the task which task/state names.")
    reset: bool = param(True, doc="Whether the simulator and the safety filter start anew before each episode.")
    record: bool = param(True, doc="Whether each episode is recorded.")
    time_limit: float = param(12.0, unit="s", low=0.1, high=3600.0, doc="Longest episode.")
    linger: float = param(0.3, unit="s", low=0.0, high=10.0, doc="How long an episode goes on after success.")
    silence: float = param(5.0, unit="s", low=0.5, high=60.0, doc="Time in which something must move the robot.")
    rest_velocity: float = param(0.1, unit="rad/s", low=0.001, high=10.0, doc="Joint velocity below which the robot is at rest.")
    patience: float = param(120.0, unit="s", low=1.0, high=3600.0, doc="Wall time to wait for other nodes.")


class ConductorNode(Node):
    """Plays the session's script, one look every 20 ms, and ends with it."""

    exit_code: int | None = None

    def __init__(self, **options: Any) -> None:
        """Read parameters and begin."""
        super().__init__("conductor", **options)
        self._config = params.declare(self, NodeConfig)
        self._prompter = Prompter(self, self._config.patience, self._asked_services())
        self._joints = Latest(self, JointStateMsg, "joint_states")
        self._task = Latest(self, TaskState, "task/state")
        self._frames = Latest(self, HumanFrames, "frames")
        self._verdict = Latest(self, Verdict, "verdict")
        self._script = self._session()
        self.create_timer(0.02, self._look, clock=steady_clock(self))

    def _asked_services(self) -> dict[str, Any]:
        kinds: dict[str, Any] = {f"{self._config.source}/engage": SetBool}
        if self._config.reset:
            kinds |= dict.fromkeys(("safety/stop", "safety/reset", "sim/reset_world"), Trigger)
        if self._config.record:
            kinds |= {"episode/start": StartEpisode, "episode/save": SaveEpisode}
        return kinds

    def _look(self) -> None:
        try:
            next(self._script)
        except StopIteration:
            self.exit_code = 0
        except KataError as error:
            self.get_logger().error(str(error))
            self.exit_code = 2

    def _session(self) -> Script:
        successes = 0
        for episode in range(1, self._config.episodes + 1):
            if self._config.reset:
                yield from self._start_anew()
            successes += yield from self._episode(episode)
        self.get_logger().info(f"{successes} of {self._config.episodes} episodes succeeded")

    def _start_anew(self) -> Script:
        """Reset simulator and filter; the filter is stopped meanwhile, lest it pull the robot back."""
        yield from self._prompter.call("safety/stop", Trigger.Request())
        yield from self._prompter.call("sim/reset_world", Trigger.Request())
        begin = self.get_clock().now().nanoseconds + _SETTLED
        self._task.forget()
        yield from self._prompter.until("joint states and task after the reset", lambda: self._seen_since(begin))
        # The filter refuses while it has not seen the joint states that this node has.
        yield from self._prompter.call("safety/reset", Trigger.Request(), insist=True)

    def _episode(self, episode: int) -> Script:
        """Return whether the task succeeded."""
        yield from self._prompter.until("a publisher of target", lambda: self.count_publishers("target") > 0)
        yield from self._prompter.until("the robot to come to rest", self._at_rest)
        if self._config.record:
            yield from self._prompter.call("episode/start", StartEpisode.Request(task=self._text()))
        yield from self._prompter.call(f"{self._config.source}/engage", SetBool.Request(data=True))
        begin = self.get_clock().now().nanoseconds
        yield from self._watch(begin)
        success, took, end = self._succeeded(), self._since(begin), self.get_clock().now().nanoseconds
        while self._since(end) < self._config.linger:
            yield
        yield from self._prompter.call(f"{self._config.source}/engage", SetBool.Request(data=False))
        place = ""
        if self._config.record:
            saved = yield from self._prompter.call("episode/save", SaveEpisode.Request(task_success=success))
            place = f"  {saved.path}" + (f" ({saved.message})" if saved.message else "")
        word = "success" if success else "no success" if took >= self._config.time_limit else "the source ended"
        self.get_logger().info(f"episode {episode}/{self._config.episodes}: {word} after {took:.1f} s{place}")
        return success

    def _watch(self, begin: int) -> Script:
        """Wait until the task succeeds, a human who was engaged is so no more, or time is up."""
        begun = moved = False
        while not self._succeeded() and self._since(begin) < self._config.time_limit:
            yield
            engaged = self._engaged()
            if begun and not engaged:
                return
            begun, moved = begun or engaged, moved or self._moving()
            if not moved and self._since(begin) > self._config.silence:
                raise KataError("nothing moves the robot", where="conductor", fix="see what safety and the source say")

    def _text(self) -> str:
        message = self._task.read()
        name = str(message.task) if message else ""
        return self._config.text or TASK_TEXTS.get(name, name)

    def _seen_since(self, stamp: int) -> bool:
        messages = (self._joints.read(), self._task.read())
        return all(message is not None and from_time(message.header.stamp) > stamp for message in messages)

    def _at_rest(self) -> bool:
        message = self._joints.read()
        return message is not None and max(map(abs, message.velocity)) < self._config.rest_velocity

    def _moving(self) -> bool:
        message = self._verdict.read()
        return message is not None and message.status in (Verdict.FOLLOWING, Verdict.LIMITED)

    def _engaged(self) -> bool:
        """Return whether a human is engaged; a policy publishes no frames."""
        message = self._frames.read()
        return message is not None and bool(message.engaged)

    def _succeeded(self) -> bool:
        message = self._task.read()
        return message is not None and bool(message.success)

    def _since(self, stamp: int) -> float:
        return (self.get_clock().now().nanoseconds - stamp) * 1e-9


def main() -> None:
    """Run the node."""
    sys.exit(run(ConductorNode))
