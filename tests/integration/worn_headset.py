# SPDX-License-Identifier: Apache-2.0
"""A person in an emulated Quest 3: enters VR on the real page, grips, moves a hand, and does what the page advises."""

import time
from typing import Any

import numpy as np
from browser import Page
from pages import LATE, PageTimer, Room

from kata_model.arrays import FloatArray
from kata_msgs.msg import Verdict

__all__ = ["FOLLOWED", "STILL", "WornHeadset"]

FOLLOWED = (Verdict.FOLLOWING, Verdict.LIMITED)
STILL = (Verdict.STOPPED, Verdict.STOPPING)

_PATIENCE = 60.0
"""Longest that a person tries to be followed [s]."""


class WornHeadset:
    """The headset's page and the hand that moves in front of it.

    Attributes:
        timer: How late the machine and the page are meanwhile; each test brings one.
        lost: How often the hand was lost though nothing was to happen to it: only a machine whose timers were late may do that.
        home: Where the robot's hand is left after each test [m].
    """

    def __init__(self, room: Room, page: Page) -> None:
        """Take a page that is paired."""
        self._room, self.page = room, page
        self.timer, self.lost = PageTimer(page), 0
        self.home = np.zeros(3)

    def enter(self) -> None:
        """Enter VR with the room in view, the controllers where they rest."""
        self.page.until("!document.querySelector('#enter-ar').disabled")
        self.page.click("#enter-ar")
        self.page.until("kata.known.engage?.hands.right_hand?.tracked && kata.panel.text.length > 0")

    def recover(self) -> None:
        """Be in VR with all at hand, whatever a test that failed has left."""
        self.page.until("window.kata?.known.seat?.you === 'operator'")
        mended = (
            "headset.controllers.right.connected = true",
            "headset.updateVisibilityState('visible')",
            "instruments.cut(false)",
        )
        self.page.evaluate("; ".join(mended))
        if not self._holds("Boolean(kata.known.engage?.hands.right_hand?.tracked && kata.panel.text)", 2.0):
            self.enter()

    def grip(self, on: bool) -> None:
        """Squeeze the right controller, or let go."""
        self._button("right", "squeeze", on)

    def chord(self, *buttons: tuple[str, str], on: bool) -> None:
        """Press or let go of buttons, each the side and the name."""
        for side, name in buttons:
            self._button(side, name, on)

    def glide(self, way: FloatArray, seconds: float, *, wait: bool = True) -> None:
        """Move the right hand by a way of the robot's axes (forward, left, up) [m], smoothly; or begin to."""
        x, y, z = -way[1], way[2], -way[0]
        self.page.evaluate(f"{'' if wait else 'void '}glide('right', {x}, {y}, {z}, {seconds})")

    def lead(self, way: FloatArray, seconds: float) -> None:
        """Lead the robot's hand by a way; where the own hand is lost on it, go on with what is left."""
        goal, left = self._room.settled() + way, way
        while True:
            self.glide(left, seconds)
            if self.engaged:
                return
            self.engage()
            left = goal - self._room.settled()

    def go_home(self) -> None:
        """Lead the robot's hand to where it is left, and let go, so that the reach suffices for whatever comes next."""
        self.glide(self.home - self._room.palm(), 0.8)
        self._room.settled()
        self.grip(False)

    def engage(self) -> None:
        """Grip, and be followed; who is lost does what the page says, and grips anew."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            self.grip(False)
            self.ready()
            self.grip(True)
            if self._holds("['engaged', 'lost'].includes(kata.known.engage.state)", 5.0) and self.follows:
                return
            self.lost += 1
            assert self.timer.late > LATE, f"lost though no timer was late: {self._told()}"
        raise AssertionError(f"never engaged: {self._told()}")

    def ready(self) -> None:
        """Wait until nothing is lost any more, and release a stop."""
        self._holds("kata.known.engage?.state === 'disengaged'", 5.0)
        if self._room.verdict.status in STILL:
            self.release_stop()
        assert self._holds("kata.known.engage?.state === 'disengaged'", 5.0), f"never ready: {self._told()}"

    def release_stop(self) -> None:
        """Hold A and X until the stop is released."""
        self.chord(("left", "x-button"), ("right", "a-button"), on=True)
        self._room.ros.until(lambda: self._room.verdict.status not in STILL, 5.0)
        self.chord(("left", "x-button"), ("right", "a-button"), on=False)

    @property
    def follows(self) -> bool:
        """Whether the robot follows within a moment."""
        return self._room.ros.until(lambda: self._room.verdict.status in FOLLOWED, 1.0)

    @property
    def engaged(self) -> bool:
        """Whether it is still engaged, and so was ever since it was gripped: what is lost must be gripped anew."""
        return bool(self.page.evaluate("kata.known.engage.state === 'engaged'"))

    def interrupt(self, script: str) -> int:
        """Let something happen in the page; return when it did [ns], by the system's clock."""
        return round(1e6 * float(self.page.evaluate(f"(() => {{ const at = Date.now(); {script}; return at; }})()")))

    def _button(self, side: str, name: str, on: bool) -> None:
        self.page.evaluate(f"headset.controllers.{side}.updateButtonValue('{name}', {int(on)})")

    def _holds(self, script: str, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.page.evaluate(script):
                return True
            time.sleep(0.03)
        return False

    def _told(self) -> Any:
        return self.page.evaluate("({engage: kata.known.engage, verdict: kata.known.verdict, board: kata.panel.text})")


def distance_to_way(points: FloatArray, begin: FloatArray, end: FloatArray) -> float:
    """Return how far the farthest of points, shape (k, 3), is from the straight way between two others [m]."""
    along = end - begin
    share = np.clip((points - begin) @ along / (along @ along), 0.0, 1.0)
    return float(np.linalg.norm(points - begin - share[:, None] * along, axis=1).max())
