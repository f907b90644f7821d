# SPDX-License-Identifier: Apache-2.0
"""A node that moves a robot and whose every callback is guarded: whatever fails in one, the robot is damped from then on."""

from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from rclpy.service import Service
from rclpy.subscription import Subscription
from rclpy.timer import Timer

from kata_model.reason_words import explain
from kata_model.verdict import Reason, Verdict
from kata_nodes.safety.damper import Damper
from kata_safety import LastResort

__all__ = ["GuardedNode"]


class GuardedNode(Node):
    """Guards what is called back, also what other classes subscribe to through it; leaving it damps.

    Attributes:
        last_resort: The guard.
        damper: What damps, from when there is something to damp.
    """

    def __init__(self, name: str, **options: Any) -> None:
        """Start the guard, before anything is called back."""
        self.damper: Damper | None = None
        self.last_resort = LastResort((self._damp, self._say, self._count), self._report)
        super().__init__(name, **options)

    def create_subscription(self, kind: Any, topic: str, callback: Callable[..., Any], *rest: Any, **more: Any) -> Subscription:
        """Subscribe, guarded."""
        return super().create_subscription(kind, topic, self.last_resort.around(callback), *rest, **more)

    def create_timer(self, period: float, callback: Callable[[], None], *rest: Any, **options: Any) -> Timer:
        """Make a timer, guarded."""
        return super().create_timer(period, self.last_resort.around(callback), *rest, **options)

    def create_service(self, kind: Any, name: str, callback: Callable[..., Any], *rest: Any, **options: Any) -> Service:
        """Offer a service, guarded; one that fails answers with what it was given to fill in."""

        def answer(request: Any, response: Any) -> Any:
            return self.last_resort.attempt(callback, request, response) or response

        return super().create_service(kind, name, answer, *rest, **options)

    def destroy_node(self) -> None:
        """Damp what was commanded, and leave."""
        if self.damper is not None:
            self.last_resort.attempt(self.damper.leave, self.last_resort.fault)
        super().destroy_node()

    def damped(self, verdict: Verdict) -> None:
        """Take note of a tick that only damped, and of the verdict that was published."""

    def _damp(self) -> None:
        if self.damper is not None:
            self.damper.command()

    def _say(self) -> None:
        if self.damper is not None:
            self.damper.verdict()

    def _count(self) -> None:
        if self.damper is not None:
            self.damped(self.damper.said)

    def _report(self, text: str) -> None:
        self.get_logger().fatal(f"{text}: {explain((Reason.INTERNAL_FAULT,))}")
        self.get_logger().error(self.last_resort.trace)
