# SPDX-License-Identifier: Apache-2.0
"""The headset's page in a real browser with an emulated Quest 3 moves the simulated robot, is lost, is stopped."""

import bisect
import itertools

import numpy as np
import pytest
from browser import why_no_browser
from pages import LATE, PageTimer, Room
from worn_headset import FOLLOWED, STILL, WornHeadset, distance_to_way

from kata_msgs.msg import Verdict
from kata_nodes.convert import from_time

pytestmark = [pytest.mark.ros, pytest.mark.slow]

PERIOD = 1 / 250
"""Of the safety filter [s]."""

HASTE = 0.15
"""Velocity of the hand on its path [m/s]."""

HELD = 0.2
"""Within this the robot holds [s], and by twice as much later as timers were: 80 ms after the last good sample are promised."""

STOPPED = 1.1
"""Within this it stops [s], and by twice as much later as timers were: 0.95 s after the last good sample are promised."""


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """Return the robot, its console and a browser; one for all tests, which follow each other as people would."""
    if why_no_browser():
        pytest.skip(why_no_browser())
    room = Room(tmp_path_factory.mktemp("vr"))
    yield room
    faults = room.browser.faults()
    room.close()
    assert not faults


@pytest.fixture(scope="module")
def headset(room):
    """Return a person who has paired, taken control and entered VR."""
    worn = WornHeadset(room, room.headset())
    worn.page.click("#take")
    worn.page.until("kata.known.seat.you === 'operator'")
    worn.enter()
    worn.home = room.settled()
    return worn


@pytest.fixture(autouse=True)
def _no_step_is_faster_than_the_joints(room, headset):
    """Hold each command of a test against the one before: whatever happened, no joint is told to jump."""
    headset.recover()
    room.ros.take("command"), room.ros.take("verdict")
    with PageTimer(headset.page) as headset.timer:
        yield
    commands, verdicts = room.ros.take("command"), room.ros.take("verdict")
    sent = [at for at, _ in verdicts]
    decided = [from_time(message.header.stamp) for _, message in verdicts]
    pairs = [(bisect.bisect_left(sent, at), np.array(message.position)) for at, message in commands]
    steps = [(decided[k] - decided[j], q - p) for (j, p), (k, q) in itertools.pairwise(pairs) if k < len(decided)]
    assert len(steps) > 100
    for elapsed, step in steps:
        assert np.all(np.abs(step) <= room.robot.max_velocity * max(elapsed * 1e-9, PERIOD) + 1e-9), step


def test_the_wrist_follows_a_hand_along_a_path(room, headset, report):
    headset.engage()
    corners, farthest, start = [], 0.0, room.settled()
    ways = np.array([[0.04, 0.0, 0.12], [0.0, -0.07, 0.0], [-0.04, 0.07, -0.12]])
    for way in ways:
        before = room.palm()
        room.ros.take("joint_states")
        headset.lead(way, 1.2)
        corners.append(room.settled())
        trace = np.array([room.palm_of(message) for _, message in room.ros.take("joint_states")[::10]])
        farthest = max(farthest, distance_to_way(trace, before, before + way))
    errors = np.linalg.norm(np.array(corners) - start - np.cumsum(ways, axis=0), axis=1)
    report(f"palm off by {np.round(100 * errors, 1)} cm at the corners of the hand's path, {100 * farthest:.1f} cm between")
    report(f"timers were {1e3 * headset.timer.late:.0f} ms late at most, the hand lost {headset.lost} times")
    latency = headset.page.evaluate("kata.known.latency")
    report(f"a frame of the page: {latency['delay_ms']:.1f} ms to the server, jitter {latency['jitter_ms']:.1f} ms")
    assert np.all(errors < 0.015)
    assert farthest < 0.015 + HASTE * headset.timer.late
    assert headset.page.evaluate("kata.panel.picture !== null"), "the robot's camera is on the board"
    headset.grip(False)
    before = room.settled()
    headset.glide(np.array([0.0, 0.2, 0.1]), 0.5)
    headset.engage()
    moved = np.linalg.norm(room.settled() - before)
    headset.go_home()
    assert moved < 0.01, "gripping elsewhere moves nothing"


@pytest.mark.parametrize(
    ("happens", "mended", "cause"),
    [
        ("headset.controllers.right.connected = false", "headset.controllers.right.connected = true", "tracking"),
        ("headset.updateVisibilityState('hidden')", "headset.updateVisibilityState('visible')", "hidden"),
        ("instruments.cut(true)", "instruments.cut(false)", "socket"),
        ("location.reload()", "", "socket"),
    ],
    ids=["tracking dropped", "taken off", "socket cut", "page reloaded"],
)
def test_what_is_lost_holds_then_stops_and_engages_anew_without_a_jump(room, headset, report, happens, mended, cause):
    headset.engage()
    headset.glide(np.array([0.03, 0.0, 0.08]), 1.5, wait=False)
    room.ros.until(lambda: False, 0.5)
    at = headset.interrupt(happens)
    held, stopped = when_it_stopped(room, at, leaves=not mended)
    late = headset.timer.late
    report(f"{happens}: followed for {1e3 * held:.0f} ms more, stopping after {stopped:.2f} s; timers {1e3 * late:.0f} ms late")
    assert "lost_operator" in room.verdict.reasons
    assert stopped or late > LATE, "it was lost before, though no timer was late"
    assert held < HELD + 2.0 * late
    assert stopped < STOPPED + 2.0 * late
    if mended:
        headset.page.evaluate(mended)
    else:
        headset.page.until("window.kata?.known.seat?.you === 'operator'")
        headset.enter()
    before = room.settled()
    headset.release_stop()
    assert not headset.follows, "nothing follows a grip that was held all the while"
    headset.grip(False)
    headset.glide(np.array([0.0, 0.1, -0.1]), 0.4)
    headset.engage()
    after = room.settled()
    assert np.linalg.norm(after - before) < 0.01, "engaging anew moves nothing"
    headset.glide(np.array([0.0, 0.0, 0.05]), 0.6)
    raised = room.settled() - after
    headset.go_home()
    assert raised == pytest.approx([0.0, 0.0, 0.05], abs=0.03)


def test_a_moments_loss_holds_and_stops_nothing(room, headset):
    headset.engage()
    gone = "headset.controllers.right.connected = {}"
    headset.interrupt(f"{gone.format('false')}; setTimeout(() => {{ {gone.format('true')}; }}, 200)")
    headset.page.until("kata.known.engage.state === 'lost'")
    stopped = room.ros.until(lambda: room.verdict.status in STILL, 1.5)
    assert not stopped or headset.timer.late > 0.1, "who is back within half a second stops nothing"
    assert headset.page.evaluate("kata.known.engage.state === 'lost' && kata.feedback.played.has('lost')")
    headset.engage()
    headset.go_home()


def when_it_stopped(room, at, *, leaves=False):
    """Wait for the stop; return how long the robot followed after a time [ns], and when it began to stop [s], 0 if before.

    A page that is told to leave goes on until the browser has time to let it: then the time is that of the last sample followed.
    """
    room.until(Verdict.STOPPED, seconds=10.0)
    if leaves:
        followed = (message for _, message in room.ros.peek("verdict") if message.status in FOLLOWED)
        at = max([at, *(from_time(message.source_stamp) for message in followed)])
    verdicts = [(sent - at, message.status) for sent, message in room.ros.peek("verdict") if sent > at]
    held = max((sent for sent, status in verdicts if status in FOLLOWED), default=0)
    return held * 1e-9, next((sent for sent, status in verdicts if status in STILL), 0) * 1e-9


@pytest.fixture(scope="module")
def laptop(room, headset):
    """Return the console of somebody who looks on, in a tab behind the headset's."""
    console = room.console("laptop", (900, 600))
    headset.page.do("front")
    return console


@pytest.mark.parametrize("by", ["the console", "the headset"])
def test_a_stop_ends_what_the_hand_leads(room, headset, laptop, report, by):
    headset.engage()
    headset.glide(np.array([0.02, 0.0, 0.06]), 1.2, wait=False)
    both = (("right", "a-button"), ("right", "b-button"))
    at = headset.interrupt("")
    if by == "the headset":
        headset.chord(*both, on=True)
    else:
        laptop.evaluate("document.querySelector('#estop').click()")  # a real click waits for a tab to be drawn
    held, stopped = when_it_stopped(room, at)
    report(f"stop by {by}: followed for {1e3 * held:.0f} ms more, stopping after {stopped:.2f} s")
    assert "emergency_stop" in room.verdict.reasons
    headset.chord(*both, on=False)
    headset.page.until("kata.panel.text.includes('Stopped') && kata.feedback.played.has('stopped')")
    laptop.until("document.querySelector('#estop').classList.contains('latched')")
    headset.grip(False)
    headset.grip(True)
    assert not headset.follows, "no grip moves a robot that is stopped"
    headset.grip(False)
    headset.release_stop()
    assert room.verdict.status not in STILL
    headset.engage()
    headset.go_home()
