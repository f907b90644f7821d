# SPDX-License-Identifier: Apache-2.0
"""Asks other machines for their time, so that a bag can tell how far their stamps are off."""

import json
from collections.abc import Callable
from time import time_ns
from typing import Any

from rclpy.node import Node

from kata_core.recording import ClockOffset, Exchange
from kata_msgs.srv import ClockEcho
from kata_nodes.convert import from_time

__all__ = ["ClockWatch"]


class ClockWatch:
    """Keeps the offset of each machine that runs a `clock_echo`."""

    def __init__(self, node: Node, services: tuple[str, ...]) -> None:
        """Make a client for each service name."""
        self._clients = [node.create_client(ClockEcho, name) for name in services]
        self._offsets = {name: ClockOffset() for name in services}
        self._hosts: dict[str, str] = {}

    def ask(self) -> None:
        """Ask everybody who is there."""
        for client, name in zip(self._clients, self._offsets, strict=True):
            if client.service_is_ready():
                take = self._taker(name, time_ns())  # before the question is sent
                client.call_async(ClockEcho.Request()).add_done_callback(take)

    def _taker(self, name: str, asked: int) -> Callable[[Any], None]:
        def take(future: Any) -> None:
            heard, answer = time_ns(), future.result()
            exchange = Exchange(asked, from_time(answer.received), from_time(answer.answered), heard)
            self._offsets[name].note(exchange)
            self._hosts[name] = answer.host

        return take

    @property
    def text(self) -> str:
        """By host, offset of its clock against ours and the bound of its error [s], as JSON; empty without any."""
        known = {
            self._hosts[name]: {"offset": round(clock.offset, 9), "uncertainty": round(clock.uncertainty, 9)}
            for name, clock in self._offsets.items()
            if clock.best
        }
        return json.dumps(known, sort_keys=True) if known else ""
