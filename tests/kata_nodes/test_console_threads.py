# SPDX-License-Identifier: Apache-2.0
"""The console's thread, its tasks and its process: what fails in one is said, ends what depends on it, and nothing else."""

import asyncio
import os
import select
import subprocess
import sys

import pytest
from console_server import run

pytestmark = pytest.mark.ros

HOST = """
import time
from kata_nodes.console.policy_host import _start
print(_start(["sleep", "600"]).pid, flush=True)
time.sleep(600.0)
"""


def fail(*_):
    raise RuntimeError("nobody foresaw this")


async def until(holds):
    async with asyncio.timeout(20.0):
        while not holds():
            await asyncio.sleep(0.01)


def test_a_beat_that_fails_is_kept_for_the_node_to_end_with(console, monkeypatch):
    monkeypatch.setattr(console.session, "beat", fail)
    run(until(lambda: console.server.failure))
    assert isinstance(console.server.failure, RuntimeError)


def test_whoever_cannot_be_told_anything_more_is_let_go_and_others_are_not(console, monkeypatch):
    async def attack():
        async with console.headset() as first, console.headset() as second:
            broken, whole = list(console.session.clients.values())
            monkeypatch.setattr(broken, "_next", fail)
            await until(lambda: first.socket.close_code is not None)
            assert first.socket.close_code == 1011
            await second.until("ping", lambda _: True)
            await until(lambda: console.graph.complaints)
            return whole in console.session.clients.values()

    assert run(attack())
    assert "nobody foresaw this" in console.graph.complaints[0]


def test_a_policy_that_ends_by_itself_is_told_to_everyone(console):
    async def attack():
        async with console.headset() as headset:
            console.session.policy_state = "running"
            console.session.policies._process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
            told = await headset.until("policy", lambda m: m["state"] == "failed")
            return told["text"]

    assert "node ended" in run(attack())


def test_a_policy_that_cannot_be_loaded_for_a_reason_that_nobody_foresaw_is_not_loading_for_ever(console, monkeypatch):
    monkeypatch.setattr(console.session.policies, "load", fail)

    async def attack():
        async with console.headset() as headset:
            await headset.operate()
            return await headset.ask("policy", do="load", file="x.onnx")

    assert not run(attack())["ok"]
    assert console.session.policy_state == "failed"


def test_a_policys_node_does_not_outlive_a_console_that_is_killed():
    console = subprocess.Popen([sys.executable, "-c", HOST], stdout=subprocess.PIPE, text=True)
    try:
        node = os.pidfd_open(int(console.stdout.readline()))
        console.kill()
        assert select.select([node], [], [], 20.0)[0], "it lives on"
        os.close(node)
    finally:
        console.kill()
        console.communicate()
