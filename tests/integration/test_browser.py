# SPDX-License-Identifier: Apache-2.0
"""The console in a real browser, the real server, the simulated robot: pair, drive, record, stop."""

import time

import numpy as np
import pytest
from browser import why_no_browser
from circling_policy import write_circling_policy
from pages import LATE, OPERATES, PageTimer, Room

from kata_data.bags.bag_info import read_info
from kata_msgs.msg import Verdict

pytestmark = [pytest.mark.ros, pytest.mark.slow]


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """Return the robot, its console and a browser; one for all tests, which follow each other as people would."""
    if why_no_browser():
        pytest.skip(why_no_browser())
    room = Room(tmp_path_factory.mktemp("room"))
    yield room
    faults = room.browser.faults()
    room.close()
    assert not faults


@pytest.fixture(scope="module")
def laptop(room):
    """Return the console of the person beside the robot."""
    return room.console("laptop", (900, 600))


def drive(room, page, key, moved):
    """Hold a key until the palm has moved as wanted; where the machine stuttered and was lost, do what the page advises."""
    end = time.monotonic() + 60.0
    with PageTimer(page) as timer:
        while time.monotonic() < end:
            page.do("keyDown", key=key)
            done = room.ros.until(moved, 4.0)
            page.do("keyUp", key=key)
            if done:
                return
            assert timer.late > LATE, f"not moved, though no timer was late: {page.text('#verdict')}; {page.text('#hands')}"
            if page.evaluate("document.querySelector('#next-action').textContent") == "Release the stop":
                page.click("#next-action")
    raise AssertionError(f"{page.text('#verdict')}; {page.text('#hands')}")


def test_a_newcomer_saves_an_episode_by_the_page_alone(room, laptop, report):
    assert laptop.text("#next h2") == "Take control"
    laptop.click("#next-action")
    laptop.until(OPERATES)
    assert "Move the robot" in laptop.text("#next h2")
    before = room.settled()
    drive(room, laptop, "w", lambda: room.palm()[0] - before[0] > 0.04)
    rest = room.settled()
    laptop.until("document.querySelector('#next h2').textContent === 'Record your first episode'")
    laptop.do("fill", on="#task", text="wave at the visitor")
    laptop.do("press", key="Enter")
    laptop.until("document.querySelector('#episode').classList.contains('on-air')")
    drive(room, laptop, "r", lambda: room.palm()[2] - rest[2] > 0.03)
    laptop.do("fill", on="#mark-label", text="highest")
    laptop.click("#mark")
    laptop.until("document.querySelector('#episode .facts').textContent.includes('1 marks')")
    laptop.click("#save-success")
    laptop.until("document.querySelector('#grade') !== null", 30.0)
    report(f"from the launch to the first saved episode, by the page alone: {time.monotonic() - room.began:.0f} s")
    (bag,) = [path for path in room.bags.iterdir() if (path / "metadata.yaml").is_file()]
    facts = read_info(bag).custom
    assert (facts["task"], facts["task_success"], facts["marks"]) == ("wave at the visitor", "true", "1")
    laptop.until("/^[A-F]/.test(document.querySelector('#grade').textContent)", 60.0)


LOSE_PRESSES = """(() => { const send = WebSocket.prototype.send; let lost = 3;
    WebSocket.prototype.send = function (data) {
        if (typeof data === 'string' && data.includes('"estop"') && lost-- > 0) return;
        send.call(this, data); }; })()"""
"""Three presses of the page's never reach the server."""


@pytest.mark.parametrize("press", ["button", "Escape", "Space", "lost"])
def test_emergency_stop_latches_until_it_is_released(room, laptop, press):
    if not laptop.evaluate(OPERATES):
        laptop.click("#next-action")
        laptop.until(OPERATES)
    if press == "lost":
        laptop.evaluate(LOSE_PRESSES)
    if press in ("button", "lost"):
        laptop.click("#estop")
    else:
        laptop.do("press", key=press)
    room.until(Verdict.STOPPED, "emergency_stop", 20.0)
    laptop.until("document.querySelector('#estop').classList.contains('latched')")
    laptop.until("document.querySelector('#verdict').textContent.includes('Stopped')")  # told ten times a second
    laptop.until("document.querySelector('#next-action').textContent === 'Release the stop'")
    laptop.click("#next-action")
    assert room.ros.until(lambda: room.verdict.status not in (Verdict.STOPPED, Verdict.STOPPING), 20.0), room.verdict
    laptop.until("!document.querySelector('#estop').classList.contains('latched')")


def test_the_robots_camera_is_seen(laptop):
    laptop.until("!document.querySelector('#camera').hidden")
    spread = """(() => { const canvas = document.querySelector('#camera canvas');
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        const greens = data.filter((_, i) => i % 4 === 1).sort();
        return greens.at(-1) - greens[0]; })()"""
    assert laptop.evaluate(spread) > 60, "a picture, not a plain colour"
    laptop.until("/[0-9] m?s old/.test(document.querySelector('#camera figcaption').textContent)")


@pytest.fixture(scope="module")
def phone(room, laptop):
    """Return the console of somebody who came later, in a tab before the laptop's."""
    return room.console("phone", (390, 844))


def test_who_looks_on_moves_nothing_until_the_robot_is_handed_over(room, laptop, phone):
    take_control(laptop)
    assert phone.text("#next h2") == "You are watching"
    before = room.settled()
    phone.do("keyDown", key="w")
    room.ros.until(lambda: False, 1.0)
    phone.do("keyUp", key="w")
    assert np.linalg.norm(room.settled() - before) < 0.005
    phone.click("#next-action")
    laptop.until("document.querySelector('#next-action').textContent.startsWith('Hand over')")
    laptop.click("#next-action")
    phone.until(OPERATES)
    laptop.until(f"!({OPERATES})")
    laptop.do("keyDown", key="w")
    room.ros.until(lambda: False, 1.0)
    laptop.do("keyUp", key="w")
    assert np.linalg.norm(room.settled() - before) < 0.005, "who handed over moves nothing either"
    drive(room, phone, "s", lambda: before[0] - room.palm()[0] > 0.02)


def test_a_policy_is_started_taken_over_and_given_back(room, phone):
    write_circling_policy(room.policies / "circle.onnx", room.robot)
    take_control(phone)
    phone.evaluate("document.querySelector('#policy').open = true")
    phone.click("#policy .row button:last-child")
    phone.until("document.querySelector('#policy-file').value === 'circle.onnx'")
    phone.click("#policy-load")
    state = "document.querySelector('#policy-state').dataset.state === '{}'"
    phone.until(state.format("ready"), 60.0)
    contract = phone.text("#policy dl")
    assert "circle" in contract and "joint_position" in contract and "[object" not in contract
    phone.click("#policy-start")
    phone.until(state.format("running"))
    assert room.ros.until(lambda: room.verdict.status in (Verdict.FOLLOWING, Verdict.LIMITED), 10.0), room.verdict
    phone.click("#take-over")
    phone.until(state.format("taken_over"))
    rest = room.settled()
    drive(room, phone, "r", lambda: room.palm()[2] - rest[2] > 0.02)
    phone.click("#give-back")
    phone.until(state.format("running"))
    assert room.ros.until(lambda: room.verdict.status in (Verdict.FOLLOWING, Verdict.LIMITED), 10.0), room.verdict
    phone.do("press", key="Escape")
    room.until(Verdict.STOPPED, "emergency_stop", 20.0)


def take_control(page):
    """Be the operator of a robot that is not stopped."""
    if page.evaluate("document.querySelector('#next-action').textContent") == "Take control":
        page.click("#next-action")
    page.until(OPERATES)
    if page.evaluate("document.querySelector('#next-action').textContent") == "Release the stop":
        page.click("#next-action")
        page.until("document.querySelector('#next-action').textContent !== 'Release the stop'")
