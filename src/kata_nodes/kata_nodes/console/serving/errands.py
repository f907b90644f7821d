# SPDX-License-Identifier: Apache-2.0
"""Requests that take time: in turn on each lane, lanes beside each other, each with a time limit; nobody waits for them."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from typing import Any

from kata_nodes.console.answer import Answer

__all__ = ["Errands"]

_MOST_WAITING = 8
"""Requests of one lane that may wait."""


class Errands:
    """Runs them in the event loop of the server.

    Args:
        begin: Starts a task and keeps it.
    """

    def __init__(self, begin: Callable[[Coroutine[Any, Any, None]], object]) -> None:
        """Have nothing to do."""
        self._begin = begin
        self._lanes: dict[Hashable, asyncio.Lock] = {}
        self._waiting: Counter[Hashable] = Counter()

    def send(
        self, lane: Hashable, work: Callable[[], Awaitable[Answer]], limit: float, tell: Callable[[Answer | str], None]
    ) -> None:
        """Begin a request, after those of its lane.

        Args:
            lane: What it waits behind.
            work: Does it; TypeError, ValueError, KeyError and ArithmeticError mean that the request is malformed.
            limit: Longest time that it may take [s].
            tell: Called once with the answer, or with why the request is malformed.
        """
        if self._waiting[lane] >= _MOST_WAITING:
            tell(Answer(False, "Still busy with earlier requests."))
            return
        self._waiting[lane] += 1
        self._begin(self._run(lane, work, limit, tell))

    async def _run(
        self, lane: Hashable, work: Callable[[], Awaitable[Answer]], limit: float, tell: Callable[[Answer | str], None]
    ) -> None:
        answer: Answer | str = Answer(False, "It failed; the console's log says why.")
        try:
            async with self._lanes.setdefault(lane, asyncio.Lock()), asyncio.timeout(limit):
                answer = await work()
        except TimeoutError:
            answer = Answer(False, f"Not done within {limit:g} s.")
        except (TypeError, ValueError, KeyError, ArithmeticError) as error:
            answer = str(error)
        finally:
            self._waiting[lane] -= 1
            if not self._waiting[lane]:
                del self._lanes[lane], self._waiting[lane]
            tell(answer)
