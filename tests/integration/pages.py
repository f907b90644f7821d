# SPDX-License-Identifier: Apache-2.0
"""The simulated robot with its console and a browser, as a person beside it would use them."""

import os
import random
import re
import time
from pathlib import Path

import numpy as np
from browser import WEB, Browser, Page
from live_graph import Graph
from observer import Observer
from reference_timer import ReferenceTimer
from sensor_msgs.msg import JointState

from kata_model import load_robot
from kata_model.arrays import FloatArray
from kata_msgs.msg import JointCommand, Verdict
from kata_nodes.convert import from_time

__all__ = ["LATE", "PageTimer", "Room"]

CONNECTED = "document.querySelector('#link').textContent.startsWith('Connected')"
OPERATES = "document.querySelector('#seat').dataset.state === 'operator'"

LATE = 0.01
"""A machine whose timers are late by more may rightly lose a page for 80 ms [s]."""


class PageTimer:
    """Tells by how much timers were late while a test judged a page: the machine's and the page's own; use it as a context."""

    def __init__(self, page: Page) -> None:
        """Take the page; driver.mjs lets it note in ``window.late`` how late its timers are [ms]."""
        self._page, self._machine = page, ReferenceTimer()

    def __enter__(self) -> "PageTimer":
        """Begin."""
        self._page.evaluate("window.late = 0")
        self._machine.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        """End."""
        self._machine.__exit__(*error)

    @property
    def late(self) -> float:
        """Largest time that a timer came too late by now [s]."""
        return max(self._machine.worst, 1e-3 * float(self._page.evaluate("window.late")))


class Room:
    """A running graph, who watches it, and a browser."""

    def __init__(self, folder: Path) -> None:
        """Start all of it, and wait until the console has printed its link."""
        self._domain = os.environ.get("ROS_DOMAIN_ID", "0")
        os.environ["ROS_DOMAIN_ID"] = str(random.SystemRandom().randint(1, 100))
        self.bags = folder / "bags"
        self.began = time.monotonic()
        self.policies = folder / "policies"
        self.policies.mkdir()
        own = (f"out:={self.bags}", f"policies:={self.policies}", f"pages:={WEB / 'dist'}")
        settings = ("source:=vr", "recorder:=true", "camera_rate:=5", "port:=0", *own)
        self.graph = Graph(folder / "launch.log", "teleop", *settings)
        self.ros = Observer({"joint_states": JointState, "verdict": Verdict, "command": JointCommand})
        self.browser = Browser()
        self.robot = load_robot("g1")
        assert self.ros.until(lambda: "/#code=" in self.graph.output, 120.0), self.graph.output
        assert self.ros.until(lambda: self.ros.last("joint_states") is not None, 60.0), self.graph.output
        self._codes: list[str] = []

    def close(self) -> None:
        """End all of it."""
        self.browser.close()
        self.graph.stop()
        self.ros.close()
        os.environ["ROS_DOMAIN_ID"] = self._domain

    @property
    def link(self) -> str:
        """The newest link with a pairing code that was not used here."""
        new = lambda: [link for link in re.findall(r"open (http\S+/#code=\w+)", self.graph.output) if link not in self._codes]  # noqa: E731
        assert self.ros.until(lambda: bool(new()), 20.0)
        self._codes.append(new()[-1])
        return self._codes[-1]

    def console(self, name: str, size: tuple[int, int] = (1000, 700), query: str = "") -> Page:
        """Open and pair a console by its link."""
        page = self.browser.open(name, self.link.replace("/#", f"/{query}#"), size)
        page.until(CONNECTED)
        return page

    def headset(self, name: str = "headset") -> Page:
        """Open and pair the page of an emulated Quest 3."""
        page = self.browser.open(name, self.link.replace("/#", "/vr.html#"), (320, 240), headset=True)
        page.until(CONNECTED)
        return page

    @property
    def verdict(self) -> Verdict:
        """The newest verdict."""
        return self.ros.last("verdict")

    def palm(self) -> FloatArray:
        """Return where the right palm is, shape (3,), [m], base frame."""
        return self.palm_of(self.ros.last("joint_states"))

    def palm_of(self, message: JointState) -> FloatArray:
        """Return where a joint state puts the right palm, shape (3,), [m], base frame."""
        position = dict(zip(message.name, message.position, strict=True))
        return self.robot.frame_poses(np.array([position[n] for n in self.robot.layout.names]), ("right_palm",))[0].translation

    def settled(self) -> FloatArray:
        """Return where the right palm has come to rest: a quarter of a second of the robot's time moves it no more."""
        before = self.ros.last("joint_states")
        for _ in range(60):
            then = from_time(before.header.stamp) + 250_000_000
            assert self.ros.until(lambda then=then: from_time(self.ros.last("joint_states").header.stamp) >= then, 60.0)
            now = self.ros.last("joint_states")
            if np.linalg.norm(self.palm_of(now) - self.palm_of(before)) < 5e-4:
                break
            before = now
        return self.palm_of(now)

    def until(self, status: int, reason: str = "", seconds: float = 10.0) -> None:
        """Wait for a verdict."""

        def there() -> bool:
            return self.verdict.status == status and (not reason or reason in self.verdict.reasons)

        assert self.ros.until(there, seconds), self.verdict
