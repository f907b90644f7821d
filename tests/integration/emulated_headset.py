# SPDX-License-Identifier: Apache-2.0
"""A program that stands in for a headset's page: pairs, answers pings, sends frames, hears what the server says."""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from kata_teleop.console import ControllerFrame, Flag, GamepadFrame, HeadsetFrame, encode_gamepad, encode_headset

__all__ = ["EmulatedHeadset", "controller", "headset_frame"]

SQUEEZE = 1 << 1
SEEN = Flag.HEAD | Flag.LEFT_CONTROLLER | Flag.RIGHT_CONTROLLER | Flag.VISIBLE | Flag.SESSION
_HEAD = np.array([0.0, 1.6, 0.0, 0.0, 0.0, 0.0, 1.0])


def controller(x: float, y: float, z: float, *, squeeze: bool = False, trigger: float = 0.0) -> ControllerFrame:
    """Return a controller that points forward at a place of WebXR's space [m]."""
    pose = np.array([x, y, z, 0.0, 0.0, 0.0, 1.0])
    return ControllerFrame(pose, SQUEEZE * squeeze, np.array([trigger, float(squeeze), 0.0, 0.0]))


def headset_frame(number: int, right: ControllerFrame, stamp: int | None = None, flags: Flag = SEEN) -> HeadsetFrame:
    """Return a frame of now [ns, `time.perf_counter_ns`], the left controller at rest."""
    time_of = time.perf_counter_ns() if stamp is None else stamp
    return HeadsetFrame(number, time_of, flags, _HEAD, controller(-0.2, 1.0, -0.3), right)


class EmulatedHeadset:
    """One paired client; use `open` and `close`, or as an async context."""

    def __init__(self, url: str, code: str = "", *, token: str = "", origin: str = "", name: str = "headset") -> None:
        """Say where and how to pair; the URL is that of the page, e.g. ``http://127.0.0.1:8080``."""
        self._url, self._code, self.token, self._name = url.rstrip("/"), code, token, name
        self._origin = origin or self._url
        self.heard: dict[str, list[dict[str, Any]]] = {}
        """JSON messages by type."""
        self.pictures: list[tuple[float, int]] = []
        """When each picture came [s, monotonic], and its length."""
        self.robot_frames = 0
        self.socket: ClientConnection
        self._listening: asyncio.Task[None] | None = None
        self._leaving = False
        self._number = 0
        self._id = 0

    async def open(self, ssl: Any = None) -> "EmulatedHeadset":
        """Connect and pair."""
        address = self._url.replace("http", "ws", 1) + "/ws"
        self.socket = await connect(address, origin=self._origin, ssl=ssl, ping_interval=None, compression=None)
        key = {"token": self.token} if self.token else {"code": self._code}
        await self.socket.send(json.dumps({"type": "hello", "protocol": 1, "name": self._name, "kind": "program", **key}))
        self._listening = asyncio.create_task(self._listen())
        welcome = await self.until("welcome")
        self.token, self.number = welcome["token"], welcome["client"]
        return self

    async def close(self) -> None:
        """Leave."""
        self._leaving = True
        await self.socket.close()
        if self._listening is not None:
            self._listening.cancel()

    async def __aenter__(self) -> "EmulatedHeadset":
        """Connect and pair."""
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        """Leave."""
        await self.close()

    def last(self, kind: str) -> dict[str, Any]:
        """Return the last message of a type; an empty one before the first."""
        return self.heard.get(kind, [{}])[-1]

    async def until(self, kind: str, good: Callable[[dict[str, Any]], bool] = lambda _: True, seconds: float = 10.0) -> Any:
        """Wait for a message of a type that is good, the last one included, and return it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.heard.get(kind) and good(self.heard[kind][-1]):
                return self.heard[kind][-1]
            if self._listening is not None and self._listening.done():
                break
            await asyncio.sleep(0.005)
        raise AssertionError(f"no {kind} as expected; last: {self.last(kind)}; close code {self.socket.close_code}")

    async def ask(self, kind: str, patience: float = 10.0, **fields: Any) -> dict[str, Any]:
        """Send a request and return its answer, waiting for a time [s]."""
        self._id += 1
        number = self._id
        await self.say(kind, id=number, **fields)
        return await self.until("answer", lambda m: m["id"] == number, patience)

    async def say(self, kind: str, **fields: Any) -> None:
        """Send a JSON message."""
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def synced(self) -> None:
        """Wait until the server knows this clock."""
        await self.until("link")

    async def operate(self) -> None:
        """Take the seat, with a known clock."""
        assert (await self.ask("role", want="operator"))["ok"]
        await self.synced()

    async def show(self, right: ControllerFrame, *, flags: Flag = SEEN, stamp: int | None = None) -> int:
        """Send a frame; return its time [ns]."""
        self._number += 1
        frame = headset_frame(self._number, right, stamp, flags)
        await self.socket.send(encode_headset(frame))
        return frame.time

    async def pad(self, axes: tuple[float, ...], buttons: tuple[float, ...]) -> None:
        """Send a gamepad's state."""
        self._number += 1
        await self.socket.send(encode_gamepad(GamepadFrame(self._number, time.perf_counter_ns(), 1, axes, buttons)))

    async def _listen(self) -> None:
        with suppress(ConnectionClosed):
            async for message in self.socket:
                if not self._leaving:  # an answer would wait for the end, which waits until what still comes is read
                    await self._take(message)

    async def _take(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            if message[0] == 130:
                self.pictures.append((time.monotonic(), len(message)))
                await self.say("seen", seq=int.from_bytes(message[4:8], "little"))
            else:
                self.robot_frames += 1
            return
        parsed = json.loads(message)
        if parsed["type"] == "ping":
            await self.say("pong", n=parsed["n"], t=time.perf_counter_ns() * 1e-6)
        self.heard.setdefault(parsed["type"], []).append(parsed)
