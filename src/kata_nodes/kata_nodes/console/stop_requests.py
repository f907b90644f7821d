# SPDX-License-Identifier: Apache-2.0
"""The emergency stop of all pages: pressed at once by whoever is paired, as often as they like, and answered once confirmed."""

import asyncio
from typing import Any

from std_srvs.srv import Trigger

from kata_nodes.console.answer import Answer
from kata_nodes.console.serving.client import Client
from kata_nodes.console.session import Session

__all__ = ["StopRequests"]

_PATIENCE = 1.0
"""Longest wait for the safety filter's word before the page is told that it has not come [s]."""

_PAUSE = 0.02
"""Time between two questions to the safety filter, however often somebody presses [s]."""


class StopRequests:
    """Nothing here counts, refuses or waits: a press goes out before anything else is looked at."""

    def __init__(self, session: Session) -> None:
        """Take the shared state."""
        self._session = session
        self._waiting: dict[Client, Any] = {}
        self._asking = False

    def press(self, client: Client, number: Any) -> None:
        """Press; `number` is what the page calls this press, and is sent back with the answer."""
        self._session.press(client.number, client.name)
        self._waiting[client] = number
        if not self._asking:
            self._asking = True
            self._session.begin(self._confirm())

    async def _confirm(self) -> None:
        """Ask the safety filter itself, until it has answered for the last press; pages repeat theirs meanwhile."""
        try:
            while self._waiting:
                asked, self._waiting = self._waiting, {}
                answer = await self._session.graph.ask("safety/stop", Trigger.Request(), _PATIENCE)
                said = Answer(True, "Stopped.") if answer else Answer(False, "Pressed; safety has not answered yet.")
                for client, number in asked.items():
                    client.answer(number, said)
                await asyncio.sleep(_PAUSE)
        finally:
            self._asking = False
