# SPDX-License-Identifier: Apache-2.0
"""Nothing that goes on in the console delays, counts or refuses a stop: at the real socket, with slow stand-ins for services."""

import asyncio
import json
import struct
import threading
from contextlib import suppress
from types import SimpleNamespace

import pytest
from console_server import hello, raw, run
from websockets.exceptions import ConnectionClosed

from kata_teleop.console import GamepadFrame, encode_gamepad

pytestmark = pytest.mark.ros

DONE = SimpleNamespace(success=True, message="", path="")
STANDARD_B = (0.0, 1.0)
"""Buttons of a gamepad whose stop is pressed."""


class Slow:
    """A service that answers when it is let go; `asked` tells when somebody waits for it."""

    def __init__(self):
        self.asked, self._free, self._loop = threading.Event(), asyncio.Event(), None

    async def __call__(self):
        self._loop = asyncio.get_running_loop()
        self.asked.set()
        await self._free.wait()
        return DONE

    def let_go(self):
        self._loop.call_soon_threadsafe(self._free.set)


async def quick():
    return DONE


@pytest.fixture
def services(console):
    """Let the console's services be answered: stop and reset at once, others slowly."""
    slow = {name: Slow() for name in ("episode/save", "sim/reset_world")}
    console.graph.answers = {"safety/stop": quick, "safety/reset": quick, **slow}
    return slow


async def waits(slow):
    await asyncio.to_thread(slow.asked.wait, 10.0)


def answers(headset):
    return {answer["id"]: answer["ok"] for answer in headset.heard.get("answer", [])}


def test_a_stop_a_reset_and_pings_do_not_wait_for_a_save(console, services):
    async def press():
        async with console.headset() as headset:
            await headset.operate()
            await headset.say("episode", id=900, do="save", success=True)
            await waits(services["episode/save"])
            client = console.session.clients[headset.number]
            before = client.heard
            assert (await headset.ask("estop"))["ok"]
            assert console.session.pressed
            assert (await headset.ask("reset"))["ok"]
            assert not console.session.pressed
            pings = len(headset.heard["ping"])
            await headset.until("ping", lambda _: len(headset.heard["ping"]) > pings + 1)
            assert client.heard > before and 900 not in answers(headset), "the save still goes on"
            services["episode/save"].let_go()
            await headset.until("answer", lambda m: m["id"] == 900 and m["ok"])

    run(press())
    assert not console.graph.complaints


def test_a_stop_does_not_wait_for_a_policy_that_is_loaded(console, services):
    loading, go_on = threading.Event(), threading.Event()

    def load(file):
        loading.set()
        go_on.wait(30.0)
        return "it was only a test"

    console.session.policies.load = load

    async def press():
        async with console.headset() as headset:
            await headset.operate()
            await headset.say("policy", id=900, do="load", file="x.onnx")
            await asyncio.to_thread(loading.wait, 10.0)
            assert (await headset.ask("estop"))["ok"] and 900 not in answers(headset)
            go_on.set()
            await headset.until("answer", lambda m: m["id"] == 900 and not m["ok"])
        assert console.session.policy_state == "failed"

    try:
        run(press())
    finally:
        go_on.set()


def test_what_lets_go_does_not_wait_for_what_engages(console, services):
    console.session.drives = False
    engaging = console.graph.answers["vr/engage"] = Slow()

    async def press():
        async with console.headset() as headset:
            await headset.operate()
            await headset.say("engage", id=900, on=True)
            await waits(engaging)
            console.graph.answers["vr/engage"] = quick
            assert (await headset.ask("engage", on=False))["ok"] and 900 not in answers(headset)
            engaging.let_go()
            await headset.until("answer", lambda m: m["id"] == 900)

    run(press())


@pytest.mark.parametrize(
    ("text", "number"), [('{"type": "scale", "value": 1}', 45), ('{"type": "scale", "value": 1}', 3000), ("{", 60)]
)
def test_a_flood_keeps_no_stop_out(console, services, text, number):
    """45 messages of a dragged slider, then the press; many more; and a flood over which the connection is ended."""

    async def press():
        async with raw(console) as peer:
            await peer.send(hello(code=console.code()))
            await peer.recv()
            with suppress(ConnectionClosed):
                for _ in range(number):
                    await peer.send(text)
                await peer.send(json.dumps({"type": "estop", "id": 1}))
                while not ((said := await peer.recv())[0] == "{" and json.loads(said)["type"] == "answer"):
                    pass
            return peer.close_code

    assert run(press()) == (1008 if text == "{" else None)
    assert console.session.pressed and ("estop", "") in console.graph.actions


def test_presses_are_answered_however_many_there_are(console, services):
    """A page repeats its press until it is confirmed: no number of them is too many, and none of them floods the safety node."""
    asked = []

    async def stop():
        asked.append(1)
        return DONE

    console.graph.answers["safety/stop"] = stop

    async def press():
        async with console.headset() as viewer:
            for k in range(1000):
                await viewer.say("estop", id=k)
            await viewer.until("answer", lambda m: m["id"] == 999 and m["ok"])
            assert viewer.socket.close_code is None
            assert not [error for error in viewer.heard.get("error", []) if error["code"] == "too_fast"]

    run(press())
    assert console.session.presses == 1000 and len(asked) < 200
    assert len(console.logged("estop")) < 30, "the log is not flooded either"


@pytest.mark.parametrize(
    "text",
    [
        '{"type": "estop"}',
        '{"type": "estop", "id": 1e999}',
        '{"type": "estop", "id": NaN}',
        '{"type": "estop", "id": "\\ud800"}',
        '{"type": "estop", "id": ' + "9" * 400 + "}",
        '{"type": "estop", "more": ' + "[" * 50 + "]" * 50 + "}",
    ],
)
def test_a_stop_counts_however_it_is_written(console, services, text):
    async def press():
        async with console.headset() as viewer:
            await viewer.socket.send(text)
            assert (await viewer.ask("estop"))["ok"]
            return viewer.socket.close_code

    assert run(press()) is None
    assert console.session.presses == 2 and not console.graph.complaints


@pytest.mark.parametrize("why", ["viewer", "no clock", "too many", "replayed"])
def test_a_gamepads_stop_counts_whatever_else_is_wrong_with_its_frame(console, services, why):
    """Frames are refused of viewers, before the clock is known, beyond the allowance and out of order; their stop is not."""

    def pad(sequence, buttons=(0.0, 0.0)):
        return encode_gamepad(GamepadFrame(sequence, 0, 0, (0.0,) * 4, buttons))

    async def press():
        async with console.headset() as headset:
            if why in ("replayed", "too many"):
                await headset.operate()
            for k in range(1000 if why == "too many" else 3):
                await headset.socket.send(pad(k + 1))
            await headset.socket.send(pad(1 if why == "replayed" else 2000, STANDARD_B))
            await headset.socket.send(pad(2 if why == "replayed" else 2001, STANDARD_B))
            await headset.ask("camera", on=False)

    run(press())
    assert console.session.presses == 1, "pressed, and once while it is held"


def test_a_reset_does_not_undo_a_press_that_came_after_it(console, services):
    slow = console.graph.answers["safety/reset"] = Slow()

    async def press():
        async with console.headset() as headset:
            await headset.operate()
            await headset.say("reset", id=900)
            await waits(slow)
            assert (await headset.ask("estop"))["ok"]
            slow.let_go()
            return await headset.until("answer", lambda m: m["id"] == 900)

    assert run(press())["ok"], "the first reset was done; the press stands"
    assert console.session.pressed and console.graph.presses[-1]


def test_a_new_world_does_not_undo_a_press_that_came_meanwhile(console, services):
    async def press():
        async with console.headset() as headset, console.headset() as viewer:
            await headset.operate()
            await headset.say("world", id=900, do="reset")
            await waits(services["sim/reset_world"])
            assert (await viewer.ask("estop"))["ok"]
            services["sim/reset_world"].let_go()
            return await headset.until("answer", lambda m: m["id"] == 900)

    assert not run(press())["ok"]
    assert console.session.pressed and False not in console.graph.presses


def test_whoever_comes_again_does_not_wait_for_the_end_of_a_dead_socket(console, services):
    async def press():
        async with console.headset() as first:

            async def hangs(*_):
                await dead.wait()

            console.session.clients[first.number].socket.close = hangs
            again = await type(first)(console.url, token=first.token).open()
            assert (await again.ask("estop"))["ok"]
            await again.close()
            first.socket.transport.abort()
            console.server._loop.call_soon_threadsafe(dead.set)

    dead = asyncio.Event()
    run(press())


def test_sockets_that_say_nothing_keep_nobody_from_coming_in_to_stop(console, services):
    async def press():
        async with console.headset() as first:
            token = first.token
        silent = [await raw(console) for _ in range(20)]
        again = await type(first)(console.url, token=token).open()
        assert (await again.ask("estop"))["ok"]
        await again.close()
        for peer in silent:
            await peer.close()

    run(press())


def test_a_request_has_a_time_limit_and_a_lane_an_end(console, services, monkeypatch):
    from kata_nodes.console import request_handlers

    monkeypatch.setitem(request_handlers._LIMITS, "episode", 0.05)

    async def ask():
        async with console.headset() as headset:
            await headset.operate()
            late = await headset.ask("episode", do="save", success=True)
            monkeypatch.setitem(request_handlers._LIMITS, "episode", 60.0)
            for k in range(10):
                await headset.say("episode", id=900 + k, do="save", success=True)
            busy = await headset.until("answer", lambda m: m["id"] == 908)
            services["episode/save"].let_go()
            await headset.until("answer", lambda m: m["id"] == 907)
            return late["text"], busy["text"]

    assert run(ask()) == ("Not done within 0.05 s.", "Still busy with earlier requests.")
    assert not console.server._handlers._errands._lanes


def test_a_request_that_fails_is_answered_and_told(console, services):
    async def fail():
        raise RuntimeError("nobody foresaw this")

    console.graph.answers["episode/mark"] = fail

    async def ask():
        async with console.headset() as headset:
            await headset.operate()
            return await headset.ask("episode", do="mark")

    assert not run(ask())["ok"]
    assert "nobody foresaw this" in console.graph.complaints[0]


def test_frames_of_a_stop_are_the_standard_layouts():
    frame = encode_gamepad(GamepadFrame(1, 0, 0, (), STANDARD_B))
    assert struct.unpack("<2f", frame[-8:]) == STANDARD_B
