# SPDX-License-Identifier: Apache-2.0
"""Asks other machines for their time, so that a bag can tell how far their stamps are off."""

import json
from time import time_ns

from rclpy.node import Node

from kata_data.recording import ClockOffset, Exchange
from kata_msgs.srv import ClockEcho
from kata_nodes.convert import from_time
from kata_nodes.services import Question, Services

__all__ = ["ClockWatch"]


class ClockWatch:
    """Keeps the offset of each machine that runs a `clock_echo`."""

    def __init__(self, node: Node, services: tuple[str, ...]) -> None:
        """Make a client for each service name."""
        self._services = Services(node, dict.fromkeys(services, ClockEcho))
        self._questions: dict[str, Question] = {}
        self._offsets = {name: ClockOffset() for name in services}
        self._hosts: dict[str, str] = {}

    def ask(self) -> None:
        """Ask everybody who is there."""
        for name in self._offsets:
            if name in self._questions:
                self._questions[name].end()  # a repeat would hide when the question was put
            self._put(name)

    def _put(self, name: str) -> None:
        asked = time_ns()

        def take() -> None:
            heard, answer = time_ns(), question.answer
            exchange = Exchange(asked, from_time(answer.received), from_time(answer.answered), heard)
            self._offsets[name].note(exchange)
            self._hosts[name] = answer.host

        question = self._questions[name] = self._services.ask(name, ClockEcho.Request(), take)
        question.look()

    @property
    def text(self) -> str:
        """By host, offset of its clock against ours and the bound of its error [s], as JSON; empty without any."""
        known = {
            self._hosts[name]: {"offset": round(clock.offset, 9), "uncertainty": round(clock.uncertainty, 9)}
            for name, clock in self._offsets.items()
            if clock.best
        }
        return json.dumps(known, sort_keys=True) if known else ""
