# SPDX-License-Identifier: Apache-2.0
"""A person's e-stop: presses and releases it, and hears what the safety node says to it."""

import os
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple

import rclpy
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from std_msgs.msg import Bool, Empty
from std_srvs.srv import Trigger

from kata_model.verdict import Status
from kata_msgs.msg import Verdict as VerdictMsg
from kata_nodes import qos
from kata_nodes.enclave import enclave_arguments
from kata_nodes.services import Services
from kata_nodes.spin import executor

__all__ = ["Console", "Outcome"]

_WAIT = 0.02
"""Time between two looks, and between two presses of a stop that is not confirmed [s]."""


class Outcome(NamedTuple):
    """What became of a request.

    Attributes:
        done: Whether it was fulfilled.
        text: What to tell the person.
    """

    done: bool
    text: str


class Console:
    """Talks to the safety node alone, so it works when every other node is dead; use it as a context.

    Args:
        patience: Longest wait for an answer [s].
    """

    def __init__(self, patience: float) -> None:
        """Join the graph."""
        self._patience = patience
        rclpy.init(args=enclave_arguments("stop"), signal_handler_options=SignalHandlerOptions.NO)
        self._node = Node(f"stop_{os.getpid()}")
        self._loop = executor()
        self._loop.add_node(self._node)
        self._button = self._node.create_publisher(Bool, "safety/estop", qos.EVENT)
        self._heartbeat = self._node.create_publisher(Empty, "console/heartbeat", qos.STREAM)
        self._services = Services(self._node, {"safety/stop": Trigger, "safety/reset": Trigger})
        self._node.create_subscription(VerdictMsg, "verdict", self._on_verdict, qos.LATEST)
        self.verdict: Any = None
        """The last verdict heard, as a message; None before the first."""

    def _on_verdict(self, message: VerdictMsg) -> None:
        self.verdict = message

    def beat(self) -> None:
        """Tell that somebody is watching; from the first time on, silence stops the robot."""
        self._heartbeat.publish(Empty())

    def listen(self, seconds: float) -> None:
        """Hear for a while what is said."""
        self._loop.spin_once(timeout_sec=seconds)

    def stop(self) -> Outcome:
        """Press by topic and by service, until the safety node says that the robot stops, or patience ends."""
        self.verdict, question = None, self._services.ask("safety/stop", Trigger.Request())
        end = time.monotonic() + self._patience
        while not self._stopped and time.monotonic() < end:
            self._button.publish(Bool(data=True))
            question.look()
            self.listen(_WAIT)
        question.end()
        if self._stopped:
            return Outcome(True, self.words)
        said = f"the safety node says {self.words}" if self.verdict else "the safety node is silent"
        return Outcome(False, f"NOT CONFIRMED within {self._patience:g} s: {said}; use the hardware stop")

    @property
    def _stopped(self) -> bool:
        return self.verdict is not None and self.verdict.status in (Status.STOPPED, Status.STOPPING)

    def reset(self) -> Outcome:
        """Release the e-stop, then end the stop."""
        if not self._until(lambda: self._services.offered("safety/reset") and self._button.get_subscription_count() > 0):
            return Outcome(False, f"no safety node was found within {self._patience:g} s")
        self._button.publish(Bool(data=False))
        answer = self._ask_reset()
        end = time.monotonic() + 0.5  # the release and the request travel on different ways
        while answer is not None and not answer.success and "emergency_stop" in answer.message and time.monotonic() < end:
            answer = self._ask_reset()
        if answer is None:
            return Outcome(False, f"the safety node did not answer within {self._patience:g} s")
        return Outcome(answer.success, "the stop is over" if answer.success else f"refused: {answer.message}")

    def _ask_reset(self) -> Any:
        question = self._services.ask("safety/reset", Trigger.Request())
        self._until(lambda: question.look() is not None)
        question.end()
        return question.answer

    def _until(self, condition: Callable[[], bool]) -> bool:
        end = time.monotonic() + self._patience
        while not condition() and time.monotonic() < end:
            self.listen(_WAIT)
        return condition()

    @property
    def words(self) -> str:
        """What the last verdict says, in words."""
        if self.verdict is None:
            return "silent"
        return f"{Status(self.verdict.status).name.lower()}: {', '.join(self.verdict.reasons) or 'all well'}"

    def __enter__(self) -> "Console":
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Leave the graph."""
        self._loop.remove_node(self._node)
        self._node.destroy_node()
        rclpy.try_shutdown()
