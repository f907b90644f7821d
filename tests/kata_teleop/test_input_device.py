# SPDX-License-Identifier: Apache-2.0
"""Linux input events, fed through a real pipe as the kernel would: whole, cut in two, lost, gone."""

import os
import random
import struct

import pytest

from kata_model.errors import ConfigError
from kata_teleop.engage import GamepadConfig, GamepadReader
from kata_teleop.engage.input_device import AxisRange, InputDevice, InputEvents, find_device, is_gamepad, is_keyboard

KEY, ABS, SYN = 1, 3, 0
STICK = {code: AxisRange(-32768, 32767) for code in (0, 1, 3, 4)} | {code: AxisRange(0, 255) for code in (2, 5)}


def event(kind, code, value):
    return struct.pack("@llHHi", 1, 2, kind, code, value)


@pytest.fixture
def pipe(tmp_path):
    """Return a device file that is a pipe, and the end to write to."""
    path = tmp_path / "event0"
    os.mkfifo(path)
    device = InputDevice(path)
    writer = os.open(path, os.O_WRONLY)
    yield device, writer
    device.close()


def test_a_gamepad_through_a_pipe(pipe):
    device, writer = pipe
    events = InputEvents(STICK)
    assert device.read() == b"", "nothing yet"
    sent = (
        event(KEY, 311, 1)
        + event(ABS, 1, -32768)
        + event(ABS, 0, 32767)
        + event(ABS, 5, 255)
        + event(ABS, 17, -1)
        + event(SYN, 0, 0)
    )
    os.write(writer, sent[:30])
    events.feed(device.read())
    assert events.buttons[5] == 1.0 and events.axes == (0.0, 0.0, 0.0, 0.0), "half an event waits"
    os.write(writer, sent[30:])
    events.feed(device.read())
    assert events.axes == pytest.approx((1.0, -1.0, 0.0, 0.0), abs=1e-4)
    assert events.buttons[7] == 1.0 and events.buttons[12] == 1.0
    os.close(writer)
    assert device.read() is None, "gone"


def test_a_keyboard_is_a_gamepad():
    events = InputEvents({})
    events.feed(event(KEY, 57, 1) + event(KEY, 17, 1) + event(KEY, 17, 2) + event(KEY, 30, 1) + event(KEY, 103, 1))
    assert events.axes == (-1.0, -1.0, 0.0, -1.0) and events.buttons[5] == 1.0
    reader = GamepadReader(GamepadConfig())
    for k in range(6):
        intent = reader.step(events.axes, events.buttons, k * 20_000_000)
    assert intent.hands.hands["right_hand"].clutch
    assert (intent.hands.hands["right_hand"].pose[:3] > 0.0).all(), "W is forward, A is left, up is up"
    events.feed(event(KEY, 32, 1))
    assert events.axes[0] == 0.0, "left and right at once are neither"


@pytest.mark.parametrize("what", [event(SYN, 3, 0), None])
def test_lost_events_let_go_of_everything(what):
    events = InputEvents(STICK)
    events.feed(event(KEY, 311, 1) + event(ABS, 1, -32768) + event(ABS, 16, 1))
    events.feed(what) if what else events.release()
    assert events.axes == (0.0,) * 4 and events.buttons == (0.0,) * 17


def test_any_bytes_stay_within_range():
    dice, events = random.Random(1), InputEvents(STICK)
    for _ in range(500):
        events.feed(dice.randbytes(dice.randrange(100)))
        assert all(-1.0 <= value <= 1.0 for value in events.axes) and all(0.0 <= value <= 1.0 for value in events.buttons)


def test_what_a_device_is():
    assert is_gamepad(frozenset({304, 305})) and not is_gamepad(frozenset({30}))
    assert is_keyboard(frozenset(range(1, 120))) and not is_keyboard(frozenset({304, 57}))


def test_no_device_is_one_line(tmp_path):
    with pytest.raises(ConfigError, match="no gamepad found"):
        find_device("gamepad", tmp_path)
    (tmp_path / "event0").write_bytes(b"")
    with pytest.raises(ConfigError, match="no keyboard found"):
        find_device("keyboard", tmp_path)
    with pytest.raises(ConfigError, match="cannot be opened"):
        InputDevice(tmp_path / "event9")
