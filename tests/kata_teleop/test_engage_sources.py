# SPDX-License-Identifier: Apache-2.0
"""Gamepad, single joints and leader arm under the engage contract."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kata_model import KataError
from kata_teleop.engage import EngageConfig, GamepadConfig, GamepadReader, LeaderArm, Phase, TeleopSession, parse_joint_map

MS = 1_000_000
CONFIG = EngageConfig(arm_time=0.0, max_mismatch=0.3)
MAP = parse_joint_map(["m1 right_shoulder_pitch_joint", "m2 right_elbow_joint -1 0.5"])


def pad(left=(0.0, 0.0), right=(0.0, 0.0), *held):
    buttons = [0.0] * 17
    for index in held:
        buttons[index] = 1.0
    return (*left, *right), buttons


def test_a_stick_moves_nothing_without_the_enabling_button():
    reader = GamepadReader(GamepadConfig())
    for k in range(10):
        intent = reader.step(*pad((1.0, -1.0)), k * 20 * MS)
    assert not any(hand.clutch for hand in intent.hands.hands.values())
    assert np.allclose(intent.hands.hands["right_hand"].pose[:3], 0.0)


def test_sticks_lead_the_enabled_hand():
    reader = GamepadReader(GamepadConfig(hand_speed=0.5))
    for k in range(51):
        intent = reader.step(*pad((1.0, -1.0), (0.0, -1.0), 5), k * 20 * MS)
    right, left = intent.hands.hands["right_hand"], intent.hands.hands["left_hand"]
    assert right.clutch and not left.clutch
    assert right.pose[:3] == pytest.approx([0.5, -0.5, 0.5]), "up is forward, right is right, the right stick lifts"
    assert np.allclose(left.pose[:3], 0.0)


def test_modes_change_by_a_fresh_press():
    reader = GamepadReader(GamepadConfig())
    modes = []
    for k, held in enumerate([(), (8,), (8,), (), (8,), (), (8,)]):
        modes.append(reader.step(*pad((0, 0), (0, 0), *held), k * 20 * MS).mode)
    assert modes == ["hand", "base", "base", "base", "joint", "joint", "hand"]


@pytest.mark.parametrize("axes", [(), (float("nan"),) * 4, (9.0, 9.0, 9.0, 9.0)])
def test_odd_axes_never_exceed_the_limits(axes):
    reader = GamepadReader(GamepadConfig())
    for k in range(5):
        intent = reader.step(axes, pad((0, 0), (0, 0), 5)[1], k * 20 * MS)
    assert np.abs(intent.hands.hands["right_hand"].pose[:3]).max() <= 0.25 * 0.08 + 1e-12


def test_a_joint_is_moved_alone_and_from_where_the_robot_is(g1, state_at):
    session = TeleopSession("gamepad", g1, CONFIG, GamepadConfig(joint_speed=0.5))
    steps = [(), (8,), (), (8,), (), (12,), ()] + [(5,)] * 51
    targets = [
        session.gamepad(*pad((0.0, -1.0), (0.0, 0.0), *held), k * 20 * MS, state_at(), k * 20 * MS).target
        for k, held in enumerate(steps, 1)
    ]
    moved = g1.layout.indices(g1.description.hands["right_hand"].joints)[1]
    assert targets[-51].position == pytest.approx(g1.rest)
    difference = targets[-1].position - g1.rest
    assert np.flatnonzero(np.abs(difference) > 1e-9).tolist() == [moved]
    assert session.phase is Phase.ENGAGED


def test_letting_go_stops_the_base(g1, state_at):
    session = TeleopSession("gamepad", g1, CONFIG, GamepadConfig())
    steps = [(), (8,), (), (5,), (5,), (), ()]
    twists = [
        session.gamepad(*pad((0.0, -1.0), (0.0, 0.0), *held), k * 20 * MS, state_at(), k * 20 * MS).twist
        for k, held in enumerate(steps, 1)
    ]
    assert twists[4].forward == pytest.approx(0.4)
    assert twists[5].forward == 0.0, "said once"
    assert twists[6] is None


def leader(g1, **changes):
    return LeaderArm(g1, MAP, EngageConfig(**{"arm_time": 0.0, "max_mismatch": 0.3, "mode": "hold", **changes}))


def at_rest(g1, shoulder=0.0, elbow=0.0):
    rest = dict(zip(g1.layout.names, g1.rest, strict=True))
    return {"m1": rest["right_shoulder_pitch_joint"] + shoulder, "m2": 0.5 - rest["right_elbow_joint"] + elbow}


def test_a_leader_is_followed_by_its_way_since_engaging(g1, state_at):
    arm = leader(g1)
    first = arm.step(at_rest(g1, 0.2), 20 * MS, True, state_at(), 20 * MS)
    assert first.position == pytest.approx(g1.rest), "a small mismatch stays, nothing jumps"
    for k in range(2, 12):
        target = arm.step(at_rest(g1, 0.2 + 0.01 * k, 0.01 * k), k * 20 * MS, True, state_at(), k * 20 * MS)
    way = target.position - g1.rest
    index = g1.layout.indices(["right_shoulder_pitch_joint", "right_elbow_joint"])
    assert way[index] == pytest.approx([0.11, -0.11])


@pytest.mark.parametrize(
    ("off", "cause", "word"),
    [(0.5, "mismatch", "m1 is +0.50 rad"), (2 * np.pi + 0.1, "turned", "+1 turns"), (-4 * np.pi, "turned", "-2 turns")],
)
def test_a_leader_that_is_elsewhere_is_refused(g1, state_at, off, cause, word):
    arm = leader(g1)
    assert arm.step(at_rest(g1, off), 20 * MS, True, state_at(), 20 * MS) is None
    assert arm.status().cause == cause and word in arm.complaint


@pytest.mark.parametrize("bad", [{"m1": 0.0}, {"m1": float("nan"), "m2": 0.0}, {}])
def test_a_leader_that_misses_a_joint_is_lost(g1, state_at, bad):
    arm = leader(g1)
    arm.step(at_rest(g1), 20 * MS, True, state_at(), 20 * MS)
    assert arm.step(bad, 40 * MS, True, state_at(), 40 * MS) is None
    assert arm.status().phase is Phase.LOST


@given(st.lists(st.tuples(st.floats(-8.0, 8.0), st.booleans(), st.integers(1, 200)), min_size=2, max_size=40))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_leader_makes_a_target_jump(g1, state_at, samples):
    arm, now, before, position = leader(g1), 10**9, None, g1.rest
    for shoulder, wanted, gap in samples:
        now += gap * MS
        target = arm.step(at_rest(g1, shoulder), now, wanted, state_at(position=position), now)
        if target is not None:
            step = np.abs(target.position - position).max()
            assert step <= CONFIG.max_turn * min(gap * 1e-3, 0.1) + 1e-9 and np.isfinite(target.position).all()
            position = target.position
        before = target
    assert before is None or (before.position >= g1.lower).all()


@pytest.mark.parametrize(
    "entries", [["a"], ["a b c d e"], ["a b 0"], ["a b nan"], ["a b", "a c"], ["a b", "c b"], ["a nowhere"], []]
)
def test_a_bad_joint_map_is_one_line(g1, entries):
    with pytest.raises(KataError):
        LeaderArm(g1, parse_joint_map(entries), CONFIG)
