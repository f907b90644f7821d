#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Take the pictures of docs/operator.md: console on laptop and phone, and the view in the headset, of the simulated G1 at work.

Needs Chromium and the built pages (make web), as the browser tests do.
"""

import argparse
import asyncio
import itertools
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/integration"))

from browser import Page, why_no_browser
from emulated_headset import EmulatedHeadset, controller
from pages import Room
from worn_headset import FOLLOWED, WornHeadset

PICTURES = Path(__file__).resolve().parents[1] / "docs/pictures"
QUALITY = 82
_DRAWN = "!document.querySelector('.loading') || document.querySelector('.loading').hidden"
_TRIES = 6


async def _lead(url: str, code: str, ended: threading.Event) -> None:
    """Be a person in a headset who records and leads the right hand round in a circle, and grips anew whenever it was lost."""
    async with EmulatedHeadset(url, code, name="Ann's Quest 3") as headset:
        await headset.operate()
        await headset.ask("reset")
        await headset.ask("episode", do="start", task="reach for the ball")
        for k in itertools.count():
            turn = 0.5 * k / 60
            grip = headset.last("engage")["state"] != "lost" and k > 30
            await headset.show(controller(0.2, 1.0 + 0.07 * (1 - np.cos(turn)), -0.3 - 0.05 * np.sin(turn), squeeze=grip))
            await asyncio.sleep(1 / 60)
            if k % 60 == 0 and headset.last("verdict")["status"] == "stopped":
                await headset.ask("reset")
            if ended.is_set():
                break
        await headset.ask("episode", do="save", success=True)


@contextmanager
def led_by_a_headset(room: Room) -> Iterator[None]:
    """Let a person in a headset lead the robot meanwhile: a page that draws finely without a GPU is too slow to."""
    url, code = room.link.split("/#code=")
    ended = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        led = threads.submit(asyncio.run, _lead(url, code, ended))
        try:
            yield
        finally:
            ended.set()
            led.result(20.0)


def console(room: Room, name: str, size: tuple[int, int], path: Path) -> None:
    """Take the console of somebody beside the robot."""
    page = room.console(name, size, "?fine")
    page.until(_DRAWN, 120.0)
    for _ in range(_TRIES):
        room.ros.until(lambda: room.verdict.status in FOLLOWED, 5.0)
        time.sleep(2.0)
        page.evaluate("scrollTo(0, 0)")
        shoot(page, path)
        if room.verdict.status in FOLLOWED:
            break
    page.do("close")


def view_in_the_headset(room: Room, path: Path) -> None:
    """Enter VR and take what the person sees before gripping: one that draws so finely without a GPU cannot lead."""
    page = room.browser.open("headset", room.link.replace("/#", "/vr.html?fine#"), (960, 600), headset=True)
    page.until("kata.known.link.name === 'online'")
    for _ in range(_TRIES):
        page.click("#take")
        if room.ros.until(lambda: bool(page.evaluate("kata.known.seat?.you === 'operator'")), 1.0):
            break
    page.evaluate("(() => { headset.fovy = 0.85; headset.quaternion.set(-0.06, 0, 0, 0.998); })()")  # a part, well seen
    for side, x in (("left", -0.22), ("right", 0.22)):
        page.evaluate(f"headset.controllers.{side}.position.set({x}, 1.3, -0.5)")
    WornHeadset(room, page).enter()
    page.until("kata.panel.picture !== null", 30.0)
    time.sleep(4.0)
    shoot(page, path)
    page.do("close")


def shoot(page: Page, path: Path) -> None:
    """Write what a page shows."""
    page.do("shot", path=str(path.resolve()), quality=QUALITY)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB", flush=True)


def main() -> int:
    """Start the robot, take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=PICTURES, help="folder (default: docs/pictures)")
    parser.add_argument("--only", choices=("console", "headset"), help="take these alone")
    args = parser.parse_args()
    if fault := why_no_browser():
        sys.exit(fault)
    with tempfile.TemporaryDirectory() as folder:
        room = Room(Path(folder))
        try:
            if args.only != "headset":
                with led_by_a_headset(room):
                    console(room, "laptop", (1280, 800), args.out / "console_laptop.jpg")
                    console(room, "phone", (390, 844), args.out / "console_phone.jpg")
            if args.only != "console":
                view_in_the_headset(room, args.out / "vr.jpg")
        finally:
            room.close()
    return 0


if __name__ == "__main__":
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    raise SystemExit(main())
