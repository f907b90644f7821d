# SPDX-License-Identifier: Apache-2.0
"""Frames, pairing, seats and limits of the console: what is said is understood, what is not said is refused."""

import random
import struct

import numpy as np
import pinocchio as pin
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kata_model.clutch_offset import pose_of
from kata_teleop.console import (
    Allowance,
    ControlLease,
    ControllerFrame,
    Flag,
    GamepadFrame,
    HeadsetFrame,
    HeadsetReader,
    Pairing,
    Patience,
    RobotFrame,
    decode,
    encode_gamepad,
    encode_headset,
    encode_robot,
    from_webxr,
    reasons_in_words,
)

SECOND = 1_000_000_000
singles = st.floats(width=32)


def pose(x=0.0, y=0.0, z=0.0, turn=None):
    return np.array([x, y, z, *pin.Quaternion(np.eye(3) if turn is None else turn).coeffs()])


def headset(number=1, flags=Flag.HEAD | Flag.RIGHT_CONTROLLER, right=None, hand=None):
    still = ControllerFrame(pose(), 0, np.zeros(4))
    return HeadsetFrame(number, 10 * SECOND, flags, pose(0, 1.6, 0), still, right or still, None, hand)


@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.lists(singles, min_size=7, max_size=7),
    st.lists(singles, min_size=4, max_size=4),
    st.booleans(),
)
def test_headset_frames_survive_the_way(number, buttons, values, axes, with_hand):
    hand = np.tile(values, (25, 1)) if with_hand else None
    flags = Flag.HEAD | (Flag.RIGHT_HAND if with_hand else Flag(0))
    sent = headset(number, flags, ControllerFrame(np.array(values), buttons, np.array(axes)), hand)
    got, fault = decode(encode_headset(sent))
    assert not fault and (got.sequence, got.time, got.flags, got.right.buttons) == (number, 10 * SECOND, flags, buttons)
    np.testing.assert_array_equal(got.right.pose, np.array(values, dtype=np.float32))
    np.testing.assert_array_equal(got.right.axes, np.array(axes, dtype=np.float32))
    if with_hand:
        np.testing.assert_array_equal(got.right_hand, np.array(hand, dtype=np.float32))


def test_the_layout_is_the_documented_one():
    data = encode_headset(headset(7, right=ControllerFrame(pose(1, 2, 3), 5, np.array([0.1, 0.2, 0.3, 0.4]))))
    assert len(data) == 140 and data[:2] == b"\x01\x01"
    assert struct.unpack_from("<HId", data, 2) == (5, 7, 10_000.0)
    assert struct.unpack_from("<3f", data, 92) == (1, 2, 3) and struct.unpack_from("<I", data, 120) == (5,)
    robot = RobotFrame(9, SECOND, 3, 2, 5, pose(), np.zeros(29), np.full(29, np.nan), bytes(29))
    out = encode_robot(robot)
    assert len(out) == 48 + 9 * 29 and out[:4] == bytes([129, 1, 3, 2])
    assert struct.unpack_from("<IdHH", out, 4) == (9, 1000.0, 29, 5)
    pad = encode_gamepad(GamepadFrame(3, SECOND, 1, (0.5, -0.5), (1.0,)))
    assert len(pad) == 32 and decode(pad).frame == GamepadFrame(3, SECOND, 1, (0.5, -0.5), (1.0,))


def test_10000_mutants_raise_nothing():
    dice = random.Random(3)
    seeds = [encode_headset(headset()), encode_headset(headset(flags=Flag.RIGHT_HAND, hand=np.zeros((25, 7))))]
    seeds.append(encode_gamepad(GamepadFrame(1, SECOND, 0, (0.0,) * 4, (0.0,) * 17)))
    for _ in range(10_000):
        data = bytearray(dice.choice(seeds))
        for _ in range(dice.randrange(1, 20)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        frame, fault = decode(bytes(data[: dice.randrange(len(data) + 1)] if dice.random() < 0.4 else data))
        assert (frame is None) == bool(fault)


@pytest.mark.parametrize("time", [float("nan"), float("inf"), -1.0, 1e300])
def test_a_time_that_is_none_is_refused(time):
    data = bytearray(encode_headset(headset()))
    struct.pack_into("<d", data, 8, time)
    assert decode(bytes(data)).frame is None


def test_webxr_forward_left_up():
    assert from_webxr(pose(0, 0, -1))[:3] == pytest.approx([1, 0, 0])
    assert from_webxr(pose(-1, 0, 0))[:3] == pytest.approx([0, 1, 0])
    assert from_webxr(pose(0, 1, 0))[:3] == pytest.approx([0, 0, 1])
    turned = pose_of(from_webxr(pose(turn=pin.utils.rotate("y", 0.5)))).rotation
    assert turned == pytest.approx(pin.utils.rotate("z", 0.5)), "a turn about WebXR's up is one about ours"


def test_squeeze_and_trigger():
    read = HeadsetReader().read(headset(right=ControllerFrame(pose(0, 1, -0.5), 2, np.array([0.9, 1, 0, 0]))), 5)
    right, left = read.hands["right_hand"], read.hands["left_hand"]
    assert right.tracked and right.clutch and right.precise and not left.tracked
    assert right.pose[:3] == pytest.approx([0.5, 0, 1]) and read.stamp == 5


def test_a_pinch_is_a_clutch_with_hysteresis():
    reader = HeadsetReader()
    clutches = []
    for gap in (0.05, 0.03, 0.01, 0.03, 0.05, float("nan")):
        hand = np.tile(pose(), (25, 1))
        hand[9, 0] = gap
        frame = headset(flags=Flag.RIGHT_HAND, hand=hand)
        clutches.append(reader.read(frame, 0).hands["right_hand"].clutch)
    assert clutches == [False, False, True, True, False, False]


@pytest.mark.parametrize(("side", "sign"), [("right_hand", -1.0), ("left_hand", 1.0)])
def test_a_bare_hand_thumb_up_is_a_grip_that_points_forward(side, sign):
    # WebXR's wrist: y out of the hand's back, which of a right hand, thumb up, looks to the right (+x).
    turn = pin.utils.rotate("z", sign * np.pi / 2)
    hand = np.tile(pose(turn=turn), (25, 1))
    flags = Flag.RIGHT_HAND if side == "right_hand" else Flag.LEFT_HAND
    still = ControllerFrame(pose(), 0, np.zeros(4))
    hands = (None, hand) if side == "right_hand" else (hand, None)
    frame = HeadsetFrame(1, 0, flags, pose(), still, still, *hands)
    assert pose_of(HeadsetReader().read(frame, 0).hands[side].pose).rotation == pytest.approx(np.eye(3), abs=1e-9)


def test_a_code_is_good_once_and_for_a_time():
    pairing = Pairing(10.0, 100.0, iter("ABCDEFGH").__next__)
    code = pairing.new_code(0)
    token, paired = pairing.redeem(code, "x", SECOND)
    assert pairing.redeem(code, "y", SECOND) is None
    assert pairing.recognise(token, 2 * SECOND) is paired
    assert pairing.recognise(token, 102 * SECOND) is None
    assert pairing.redeem(pairing.new_code(0), "z", 11 * SECOND) is None


def test_guessing_locks_for_half_a_minute():
    pairing = Pairing(1000.0, 1000.0)
    for k in range(5):
        assert pairing.redeem("WRONG", "x", k * SECOND) is None
    assert pairing.locked(5 * SECOND) and not pairing.locked(35 * SECOND)


def test_a_seat_is_taken_handed_over_and_kept_for_a_while():
    seat = ControlLease(3.0)
    assert not seat.take(1) and seat.take(2)
    assert seat.hand_over(2, 3, frozenset({3})) and seat.hand_over(1, 9, frozenset({3}))
    assert not seat.hand_over(1, 3, frozenset({3})) and seat.holder == 3
    seat.vanish(3, 0)
    assert not seat.present and not seat.expire(2 * SECOND)
    seat.appear(3)
    assert seat.present and not seat.expire(9 * SECOND)
    seat.vanish(3, 10 * SECOND)
    assert seat.expire(13 * SECOND) and seat.holder is None


@given(st.lists(st.integers(0, SECOND), max_size=200))
def test_an_allowance_is_never_exceeded(gaps):
    bucket, now, taken = Allowance(10.0, 5.0), 0, 0
    for gap in gaps:
        now += gap
        taken += bucket.take(now)
    assert taken <= 5 + 10 * now * 1e-9 + 1


def test_patience_ends_after_lasting_refusals_alone():
    patience = Patience(3.0)
    assert not any(patience.ends(k * 2 * SECOND) for k in range(10)), "with pauses"
    assert [patience.ends(100 * SECOND + k * SECOND // 2) for k in range(8)].index(True) == 6


def test_every_reason_has_words():
    from kata_model import Reason

    names = [value for name, value in vars(Reason).items() if name.isupper()]
    assert all(text and text[0].isupper() and text[-1] in ".?" for text in reasons_in_words(names))
