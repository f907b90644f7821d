# SPDX-License-Identifier: Apache-2.0
"""One connected client: what waits to be sent, its clock, its allowances."""

import asyncio
import json
from collections import deque
from time import monotonic_ns
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from kata_data.recording import ClockOffset, Exchange
from kata_nodes.console.answer import Answer
from kata_teleop.console import Allowance, HeadsetReader, Paired, Patience
from kata_teleop.engage import EngageConfig, LinkMonitor

__all__ = ["Client"]

_WAITING = 256  # JSON messages that may wait
_PATIENCE = 5.0  # longest time for one message to leave [s]
_PICTURES = 2  # pictures that may be on their way
_PINGS = 16  # unanswered pings that are remembered


class Client:
    """A paired client. What only its newest value counts of (robot, picture) is never queued."""

    def __init__(self, socket: ServerConnection, paired: Paired, kind: str, engage: EngageConfig) -> None:
        """Take over a socket whose owner has paired."""
        self.socket, self.number, self.name, self.kind = socket, paired.client, paired.name, kind
        self.clock = ClockOffset()
        self.reader = HeadsetReader()
        self.links = {kind: LinkMonitor(engage.max_age, engage.max_silence) for kind in ("headset", "gamepad")}
        self.frames = {kind: Allowance(150.0, 300.0) for kind in self.links}
        self.messages, self.malformed = Allowance(20.0, 40.0), Allowance(20.0 / 60.0, 20.0)
        self.told_too_fast = Allowance(1.0, 1.0)
        self.patience = Patience(3.0)
        self.refused = 0
        """Frames refused, for whatever reason."""
        self.visible = True
        self.stop_down = False
        """Whether its gamepad's stop button was down in its last frame."""
        self.heard = monotonic_ns()
        """When it last gave a sign of life [ns]."""
        self.camera_rate = 0.0
        self.camera_due = 0
        self._sent_pictures = self._seen_pictures = 0
        self._texts: deque[str] = deque()
        self._robot: bytes | None = None
        self._picture: bytes | None = None
        self._wake = asyncio.Event()
        self._pings: dict[int, int] = {}
        self._pinged = 0
        self.overflown = False

    def tell(self, kind: str, **fields: Any) -> None:
        """Send a JSON message, after those that wait."""
        if len(self._texts) >= _WAITING:
            self.overflown = True
            return
        self._texts.append(json.dumps({"type": kind, **fields}, allow_nan=False))
        self._wake.set()

    def answer(self, number: Any, answer: Answer) -> None:
        """Answer a request that bears a number; one without wants none."""
        if isinstance(number, int) and not isinstance(number, bool):
            self.tell("answer", id=number, ok=answer.ok, text=answer.text, **(answer.extra or {}))

    def show_robot(self, frame: bytes) -> None:
        """Send the robot's state; one that still waits is replaced."""
        self._robot = frame
        self._wake.set()

    def wants_picture(self, now: int) -> bool:
        """Return whether a picture is due: it was asked for, and earlier ones have been seen."""
        return self.camera_rate > 0.0 and now >= self.camera_due and self._sent_pictures - self._seen_pictures < _PICTURES

    def show_picture(self, sequence: int, frame: bytes, now: int) -> None:
        """Send a picture; one that still waits is replaced."""
        if self._picture is None:
            self._sent_pictures += 1
        self._picture = frame
        self._last_picture = sequence
        self.camera_due = max(self.camera_due, now - 500_000_000) + round(0.95e9 / self.camera_rate)
        self._wake.set()

    def saw_picture(self, sequence: int) -> None:
        """Note that the client has shown a picture."""
        if self._sent_pictures and sequence == self._last_picture:
            self._seen_pictures = self._sent_pictures
        else:
            self._seen_pictures = min(self._seen_pictures + 1, self._sent_pictures)

    def watch_camera(self, rate: float) -> None:
        """Begin or end (0) to receive pictures at a rate [Hz]."""
        self.camera_rate, self.camera_due = rate, 0
        self._seen_pictures = self._sent_pictures

    def ping(self) -> None:
        """Ask the client for its time, and for a sign of life."""
        self._pinged += 1
        self._pings[self._pinged] = monotonic_ns()
        while len(self._pings) > _PINGS:
            del self._pings[next(iter(self._pings))]
        self.tell("ping", n=self._pinged)

    def pong(self, number: int, time: int) -> bool:
        """Take the answer: the page's time [ns]; return whether it answers a ping."""
        asked = self._pings.pop(number, None)
        return asked is not None and self.clock.note(Exchange(asked, time, time, monotonic_ns()))

    def age(self, time: int, now: int) -> float | None:
        """Return how long ago a time of the page [ns] was [s]; None while its clock is unknown."""
        best = self.clock.best
        return None if best is None else 1e-9 * (now - time) + best.offset

    async def send_all(self) -> None:
        """Send what waits, until the connection ends or the client does not read."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                while self._texts or self._robot is not None or self._picture is not None:
                    async with asyncio.timeout(_PATIENCE):
                        await self.socket.send(self._next())
            except TimeoutError:
                self.overflown = True
            except ConnectionClosed:
                return
            if self.overflown:
                await self.socket.close(1008, "does not read")
                return

    def _next(self) -> str | bytes:
        if self._texts:
            return self._texts.popleft()
        if self._robot is not None:
            frame, self._robot = self._robot, None
            return frame
        picture, self._picture = self._picture, None
        return picture or b""
