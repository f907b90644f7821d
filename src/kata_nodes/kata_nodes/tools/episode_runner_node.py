# SPDX-License-Identifier: Apache-2.0
"""Node `episode_runner`: runs a session of episodes, to record demonstrations or to try a policy.

Each episode: the simulator and the safety filter start anew, the recorder starts, the source is engaged until
the task succeeds, the source ends by itself or time is up, the recorder saves the episode with its outcome.
"""

import sys
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node
from std_srvs.srv import SetBool, Trigger

from kata_model.config.params import param
from kata_model.errors import KataError
from kata_msgs.srv import SaveEpisode, StartEpisode
from kata_nodes import params
from kata_nodes.clocks import steady_clock
from kata_nodes.script_steps import Script, ScriptSteps
from kata_nodes.spin import run
from kata_nodes.tools.session_signals import SessionSignals
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


class EpisodeRunnerNode(Node):
    """Plays the session's script, one look every 20 ms, and ends with it."""

    exit_code: int | None = None

    def __init__(self, **options: Any) -> None:
        """Read parameters and begin."""
        super().__init__("episode_runner", **options)
        self._config = params.declare(self, NodeConfig)
        self._steps = ScriptSteps(self, self._config.patience, self._asked_services())
        self._signals = SessionSignals(self)
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
        yield from self._steps.call("safety/stop", Trigger.Request())
        yield from self._steps.call("sim/reset_world", Trigger.Request())
        begin = self.get_clock().now().nanoseconds + _SETTLED
        self._signals.forget_task()
        yield from self._steps.until("joint states and task after the reset", lambda: self._signals.seen_since(begin))
        # The filter refuses while it has not seen the joint states that this node has.
        yield from self._steps.call("safety/reset", Trigger.Request(), insist=True)

    def _episode(self, episode: int) -> Script:
        """Return whether the task succeeded."""
        yield from self._steps.until("a publisher of target", lambda: self.count_publishers("target") > 0)
        yield from self._steps.until("the robot to come to rest", lambda: self._signals.at_rest(self._config.rest_velocity))
        if self._config.record:
            task = self._signals.task
            yield from self._steps.call(
                "episode/start", StartEpisode.Request(task=self._config.text or TASK_TEXTS.get(task, task))
            )
        yield from self._steps.call(f"{self._config.source}/engage", SetBool.Request(data=True))
        begin = self.get_clock().now().nanoseconds
        yield from self._watch(begin)
        success, took, end = self._signals.succeeded, self._since(begin), self.get_clock().now().nanoseconds
        while self._since(end) < self._config.linger:
            yield
        yield from self._steps.call(f"{self._config.source}/engage", SetBool.Request(data=False))
        place = ""
        if self._config.record:
            saved = yield from self._steps.call("episode/save", SaveEpisode.Request(task_success=success))
            place = f"  {saved.path}" + (f" ({saved.message})" if saved.message else "")
        word = "success" if success else "no success" if took >= self._config.time_limit else "the source ended"
        self.get_logger().info(f"episode {episode}/{self._config.episodes}: {word} after {took:.1f} s{place}")
        return success

    def _watch(self, begin: int) -> Script:
        """Wait until the task succeeds, a human who was engaged is so no more, or time is up."""
        begun = moved = False
        while not self._signals.succeeded and self._since(begin) < self._config.time_limit:
            yield
            engaged = self._signals.engaged
            if begun and not engaged:
                return
            begun, moved = begun or engaged, moved or self._signals.moving
            if not moved and self._since(begin) > self._config.silence:
                raise KataError("nothing moves the robot", where="episode_runner", fix="see what safety and the source say")

    def _since(self, stamp: int) -> float:
        return (self.get_clock().now().nanoseconds - stamp) * 1e-9


def main() -> None:
    """Run the node."""
    sys.exit(run(EpisodeRunnerNode))
