# SPDX-License-Identifier: Apache-2.0
"""Attacks on the console: refused, logged, and the robot undisturbed. The real server, the real sockets, no robot."""

import asyncio
import json
import os
import random
import socket
import ssl
import time
from contextlib import suppress

import numpy as np
import pytest
from console_server import Console, closed_with, hello, raw, run
from emulated_headset import SEEN, EmulatedHeadset, controller, headset_frame
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from kata_nodes.console.serving import admission, server
from kata_nodes.console.serving.certificate import certificate
from kata_teleop.console import Allowance, Patience, encode_headset

pytestmark = pytest.mark.ros


async def drive(headset, frames=30, **changes):
    for k in range(frames):
        await headset.show(controller(0.2, 1.0, -0.3 - 0.001 * k, squeeze=k > 5), **changes)
        await asyncio.sleep(1 / 60)


def test_who_is_not_paired_is_refused(console):
    async def attack():
        codes = []
        for message in (hello(), hello(code="AAAAAAAA"), hello(token="x"), '{"type": "estop"}', "[]", b"\x01\x01"):
            async with raw(console) as peer:
                codes.append(await closed_with(peer, message))
                # one wrong code too many would lock this test out as well
                console.session.pairing._failures.clear()
        return codes

    assert run(attack()) == [4002, 4002, 4002, 4004, 4004, 4004]
    assert len(console.logged("refused_pairing")) == 6
    assert not console.graph.frames and not console.session.pressed


def test_codes_are_good_once_and_guessing_locks(console):
    async def attack():
        code, codes = console.code(), []
        async with raw(console) as first:
            await first.send(hello(code=code))
            assert json.loads(await first.recv())["type"] == "welcome"
            for _ in range(6):
                async with raw(console) as second:
                    codes.append(await closed_with(second, hello(code=code)))
        return codes

    assert run(attack()) == [4002] * 5 + [4003]


def test_who_has_a_token_comes_in_while_others_guess(console):
    async def attack():
        async with console.headset() as headset:
            for _ in range(6):
                async with raw(console) as second:
                    await closed_with(second, hello(code="AAAAAAAA"))
            again = await EmulatedHeadset(console.url, token=headset.token).open()
            await again.close()

    run(attack())


def test_another_protocol_is_refused(console):
    async def attack():
        async with raw(console) as peer:
            return await closed_with(peer, hello(code=console.code(), protocol=2))

    assert run(attack()) == 4004


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1", "https://localhost:8080"])
def test_pages_of_another_origin_may_not_connect(console, origin):
    async def attack():
        with pytest.raises(InvalidStatus) as refused:
            async with raw(console, origin):
                pass
        return refused.value.response.status_code

    assert run(attack()) == 403
    assert console.logged("refused_request")


def test_a_second_operator_and_a_viewer_move_nothing(console):
    async def attack():
        async with console.headset() as first, console.headset() as second:
            await first.operate()
            answer = await second.ask("role", want="operator")
            await first.until("request", lambda m: m["client"] == second.number)
            await second.synced()
            await drive(second)
            refused = [await second.ask(kind, **fields) for kind, fields in OPERATORS_ONLY]
            await asyncio.sleep(0.1)
            return answer, second.heard["error"], refused

    answer, errors, refused = run(attack())
    assert not answer["ok"] and {error["code"] for error in errors} == {"not_operator"}
    assert not any(one["ok"] for one in refused)
    assert not any(frames.engaged for frames in console.graph.frames)
    assert "Only the operator's frames count. Take the seat first." in console.logged("refused_frame")


OPERATORS_ONLY = [
    ("engage", {"on": True}),
    ("reset", {}),
    ("scale", {"value": 3}),
    ("episode", {"do": "start", "task": "x"}),
    ("policy", {"do": "list"}),
    ("world", {"do": "reset"}),
    ("code", {}),
    ("hand_over", {"to": 1}),
]


def test_anyone_who_is_paired_may_stop(console):
    async def attack():
        async with console.headset() as viewer:
            await viewer.ask("estop")

    run(attack())
    assert console.session.pressed and ("estop", "") in console.graph.actions


def test_an_operator_drives_hands_over_and_comes_back(console):
    async def attack():
        async with console.headset() as first, console.headset() as second:
            await first.operate()
            await drive(first)
            assert first.last("engage")["state"] == "engaged" or await first.until("engage", lambda m: m["state"] == "engaged")
            assert (await first.ask("hand_over", to=second.number))["ok"]
            await second.until("seat", lambda m: m["you"] == "operator")
            await second.socket.close()
            again = await EmulatedHeadset(console.url, token=second.token).open()
            await again.until("seat", lambda m: m["you"] == "operator")
            await again.close()

    run(attack())
    assert any(frames.engaged for frames in console.graph.frames)
    assert not console.graph.frames[-1].engaged


def test_a_dead_socket_is_lost_at_once(console):
    async def attack():
        headset = await console.headset().open()
        await headset.operate()
        await drive(headset)
        assert console.graph.frames[-1].engaged
        headset.socket.transport.abort()
        before = time.monotonic()
        while console.graph.frames[-1].engaged:
            await asyncio.sleep(0.002)
        return time.monotonic() - before

    run(attack())
    assert console.session.teleop.status().cause == "socket"


@pytest.mark.parametrize("what", ["hidden", "session", "replayed", "late"])
def test_what_is_not_seen_or_not_new_engages_nothing_any_more(console, what):
    async def attack():
        async with console.headset() as headset:
            await headset.operate()
            await drive(headset)
            assert console.graph.frames[-1].engaged
            if what == "hidden":
                await headset.say("visible", on=False)
                await drive(headset, 3)
            elif what == "session":
                await drive(headset, 3, flags=SEEN & ~64)
            elif what == "replayed":
                old = encode_headset(headset_frame(3, controller(0.9, 1.0, -0.9, squeeze=True)))
                for _ in range(30):
                    await headset.socket.send(old)
                    await asyncio.sleep(0.01)
            else:
                begin = time.perf_counter_ns()
                for k in range(60):  # a network that falls ever further behind
                    await headset.show(controller(0.2, 1.0, -0.3, squeeze=True), stamp=begin + k * 1_000_000)
                    await asyncio.sleep(0.01)
            return await headset.until("engage", lambda m: m["state"] == "lost")

    lost = run(attack())
    assert lost["cause"] == {"hidden": "hidden", "session": "hidden", "replayed": "silent", "late": "late"}[what]
    assert not console.graph.frames[-1].engaged
    places = {tuple(frames.position[2].round(3)) for frames in console.graph.frames}
    assert all(abs(x - 0.3) < 0.1 for x, _, _ in places), "no replayed or late frame led the hand"


def test_oversized_messages_end_the_connection(console):
    async def attack():
        codes = []
        for message in (b"\x01" * 5000, "x" * 5000):
            headset = await console.headset().open()
            with suppress(ConnectionClosed):
                await headset.socket.send(message)
            await headset.socket.wait_closed()
            codes.append(headset.socket.close_code)
        return codes

    assert run(attack()) == [1009, 1009]


def test_malformed_messages_are_answered_then_end_the_connection(console):
    async def attack():
        headset = await console.headset().open()
        await headset.socket.send("{" * 3000)
        told = await headset.until("error")
        with suppress(ConnectionClosed):
            for _ in range(30):
                await headset.socket.send("{" * 3000)
        await headset.socket.wait_closed()
        return headset.socket.close_code, told["code"]

    assert run(attack()) == (1008, "malformed")


def test_floods_are_dropped_then_end_the_connection(console):
    async def attack():
        headset = await console.headset().open()
        await headset.operate()
        console.session.clients[headset.number].patience = Patience(0.5)
        end = time.monotonic() + 20.0
        try:
            while time.monotonic() < end:
                await headset.say("scale", value=1.0)
                await asyncio.sleep(0.002)
        except ConnectionClosed:
            pass
        return headset.socket.close_code

    assert run(attack()) == 1008


def test_fuzzed_messages_neither_move_nor_kill(console, caplog):
    """An operator's frames and requests, mutated: bits, lengths, NaN, types; KATA_FUZZ_MESSAGES=10000 takes 45 s."""
    seed, messages = (
        int(os.environ.get(name, usual)) for name, usual in (("KATA_FUZZ_SEED", "7"), ("KATA_FUZZ_MESSAGES", "1000"))
    )
    dice = random.Random(seed)

    async def attack():
        headset, sent = None, 0
        while sent < messages:
            if headset is None or headset.socket.close_code is not None:
                console.session.lease.holder = None
                headset = await console.headset().open()
                await headset.operate()
                lift_limits(console.session.clients[headset.number])
            with suppress(ConnectionClosed):
                await headset.socket.send(mutant(dice, sent))
            sent += 1
            if sent % 50 == 0:
                await asyncio.sleep(0.001)
        await headset.close()

    run(attack())
    assert not console.graph.complaints and "failed" not in caplog.text, f"seed {seed}"
    console.session.lease.holder = None

    async def still_well():
        async with console.headset() as headset:
            await headset.operate()
            await drive(headset)
            return console.graph.frames[-1].engaged

    assert not console.session.pressed
    steps = np.diff([frames.position[2] for frames in console.graph.frames], axis=0)
    assert np.isfinite(steps).all() and np.linalg.norm(steps, axis=1).max(initial=0.0) <= 0.15 + 1e-9, f"seed {seed}"
    assert run(still_well())


def lift_limits(client):
    """Let a client send what would end its connection, or nothing beyond the limits would ever be tried."""
    client.messages = client.malformed = Allowance(1e9, 1e9)
    client.frames = dict.fromkeys(client.frames, Allowance(1e9, 1e9))


WELL_FORMED = {
    "role": {"want": "operator"},
    "engage": {"on": False},
    "scale": {"value": 1.0},
    "episode": {"do": "save", "success": True, "task": "x", "labels": ["x"], "label": "x", "reason": "x"},
    "policy": {"do": "load", "file": "x.onnx"},
    "world": {"do": "reset"},
    "camera": {"on": True, "rate": 30.0},
    "seen": {"seq": 1},
    "pong": {"n": 1, "t": 1.0},
    "visible": {"on": True},
    "hand_over": {"to": 99},
    "code": {"more": 1},
    "reset": {"more": 1},
    "what?": {"more": 1},
}
HOSTILE = [
    *("1e999", "-1e999", "NaN", "9" * 400, "-" + "9" * 30, "1e308", "null", "true", "[]", "{}"),
    *('"\\ud800"', '{"\\udfff": 1}', '"\\u0000"', '"1e999"', '"' + "9" * 400 + '"', "[" * 40 + "]" * 40, "[" * 1500 + "]" * 1500),
]


def test_hostile_values_are_answered_or_end_the_connection_with_a_reason(console, caplog):
    """Each field of each request, and of the first message, replaced by what JSON allows and nobody can use: no exception."""
    texts = []
    for kind, fields in WELL_FORMED.items():
        for name in (*fields, "id", "type", "more"):
            texts += [json.dumps({"type": kind, **fields, name: "@"}).replace('"@"', value) for value in HOSTILE]

    async def attack():
        async with console.headset() as headset:
            await headset.operate()
            lift_limits(console.session.clients[headset.number])
            for number, text in enumerate(texts):
                await headset.socket.send(text)
                if number % 40 == 0:  # the answers want to be read
                    assert (await headset.ask("scale", value=1.0))["ok"]
            assert (await headset.ask("scale", value=1.0))["ok"]
        codes = set()
        for value in HOSTILE:
            for field in ("name", "kind", "code", "token", "protocol", "more"):
                text = json.dumps({**json.loads(hello(code=console.code())), field: "@"}).replace('"@"', value)
                console.session.pairing._failures.clear()
                async with raw(console) as peer:
                    await peer.send(text)
                    with suppress(ConnectionClosed):
                        assert json.loads(await peer.recv())["type"] == "welcome"
                        await peer.close()
                    codes.add(peer.close_code)
        return codes

    assert run(attack()) <= {1000, 4002, 4004}
    assert not console.graph.complaints and "failed" not in caplog.text


REQUESTS = ["role", "engage", "scale", "episode", "policy", "world", "camera", "seen", "pong", "visible", "hand_over", "code"]
VALUES = [None, True, -1, 1e308, "x" * 50, [], {}, [[[]]], 2**70, "load", "start", "../../etc/passwd", "\x00", float("nan")]
VALUES += [float("inf"), 10**400, "\ud800"]


def mutant(dice, number):
    """Return one hostile message; never one that presses the e-stop, which is allowed."""
    if dice.random() < 0.4:
        fields = {
            name: dice.choice(VALUES) for name in dice.sample(["on", "want", "do", "file", "value", "t", "n", "id", "to"], 4)
        }
        text = json.dumps({"type": dice.choice([*REQUESTS, *map(str, VALUES[:4])]), **fields})
        return text[: dice.randrange(len(text) + 1)] if dice.random() < 0.3 else text
    data = bytearray(encode_headset(headset_frame(number + 1, controller(0.2, 1.0, -0.3, squeeze=True))))
    for _ in range(dice.randrange(1, 30)):
        data[dice.randrange(len(data))] = dice.randrange(256)
    if dice.random() < 0.3:
        data = data[: dice.randrange(len(data))]
    elif dice.random() < 0.1:
        data += dice.randbytes(dice.randrange(1, 3000))
    return bytes(data)


@pytest.fixture
def hasty(monkeypatch):
    """Let servers made from here on wait 0.5 s for a handshake."""
    monkeypatch.setattr(server, "_HANDSHAKE", 0.5)


def test_slow_loris_is_cut_off_and_others_are_served(hasty, console):
    """Sockets that dribble their request are closed in time, and meanwhile a real client connects."""
    idle = [socket.create_connection(("127.0.0.1", console.port)) for _ in range(40)]
    for peer in idle:
        peer.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-a: ")

    async def real():
        async with console.headset() as headset:
            return headset.number

    assert run(real()) == 1
    end = time.monotonic() + 15.0
    for peer in idle:
        peer.settimeout(max(0.1, end - time.monotonic()))
        try:
            while peer.recv(100):
                pass
        except ConnectionResetError:
            pass
        peer.close()
    assert time.monotonic() < end


def test_who_pairs_and_says_no_hello_is_sent_away(console, monkeypatch):
    monkeypatch.setattr(admission, "_HELLO", 0.5)

    async def attack():
        async with raw(console) as peer:
            return await closed_with(peer)

    assert run(attack()) == 4001


def test_beyond_loopback_it_is_tls_alone(ros_domain, tmp_path):
    own = certificate(tmp_path / "state", ["127.0.0.1", "localhost"])
    assert (tmp_path / "state/key.pem").stat().st_mode & 0o077 == 0
    assert certificate(tmp_path / "state", ["127.0.0.1"]).fingerprint == own.fingerprint, "kept"
    console = Console(own.context())
    try:

        async def attack():
            trust = ssl.create_default_context(cafile=own.certificate)
            headset = await console.headset().open(ssl=trust)
            await headset.close()
            old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            old.check_hostname, old.verify_mode, old.maximum_version = False, ssl.CERT_NONE, ssl.TLSVersion.TLSv1_1
            with pytest.raises((ssl.SSLError, OSError)):
                await connect(console.url.replace("http", "ws") + "/ws", ssl=old, origin=console.url)

        run(attack())
        with socket.create_connection(("127.0.0.1", console.port)) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            plain.settimeout(10.0)
            with suppress(ConnectionResetError):
                assert b"200 OK" not in plain.recv(1000)
    finally:
        console.close()


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET /../../../../etc/passwd HTTP/1.1", b"404"),
        (b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1", b"404"),
        (b"GET /robot/packages/example-robot-data/../../../../etc/passwd HTTP/1.1", b"404"),
        (b"GET /.hidden HTTP/1.1", b"404"),
        (b"POST / HTTP/1.1", b"405"),
        (b"GET /robot.json HTTP/1.1", b"200"),
        (b"GET /robot/robot.urdf HTTP/1.1", b"200"),
    ],
)
def test_paths_lead_nowhere_else(console, request_line, status):
    with socket.create_connection(("127.0.0.1", console.port)) as peer:
        peer.sendall(request_line + f"\r\nHost: 127.0.0.1:{console.port}\r\n\r\n".encode())
        peer.settimeout(10.0)
        assert peer.recv(20).split()[1] == status


def test_a_name_that_is_not_ours_is_refused(console):
    with socket.create_connection(("127.0.0.1", console.port)) as peer:
        peer.sendall(b"GET / HTTP/1.1\r\nHost: rebound.example\r\n\r\n")
        peer.settimeout(10.0)
        assert peer.recv(20).split()[1] == b"403"
