# SPDX-License-Identifier: Apache-2.0
"""The engage contract: nothing moves unasked, nothing jumps, whatever clutch and tracking do."""

import numpy as np
import pinocchio as pin
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kata_retarget import HandsConfig, HandsRetargeter
from kata_teleop.engage import (
    Cause,
    EngageConfig,
    EngageMachine,
    HandSample,
    HandSource,
    HandsSample,
    Heartbeat,
    LinkMonitor,
    Phase,
)

MS = 1_000_000
TICK = 16 * MS
HAND = "right_hand"
CONFIG = EngageConfig(arm_time=0.03)


def machine(**changes):
    return EngageMachine(EngageConfig(**{"arm_time": 0.03, **changes}))


def hand(x=0.3, y=-0.2, z=1.0, clutch=True, tracked=True, turn=None, precise=False):
    q = pin.Quaternion(np.eye(3) if turn is None else turn).coeffs()
    return HandSample(np.array([x, y, z, *q]), tracked, clutch, precise)


class Person:
    """Feeds a source one sample each tick."""

    def __init__(self, config=CONFIG):
        self.source, self.now = HandSource("test", (HAND,), config), 1_000 * MS

    def show(self, sample=None, fault="", refusal="", head=None):
        self.now += TICK
        seen = None if sample is None else HandsSample(self.now, {HAND: sample}, head)
        return self.source.step(seen, self.now, fault=fault, refusal=refusal)

    def engage(self, x=0.3):
        for _ in range(4):
            frames = self.show(hand(x))
        assert frames.engaged
        return frames


def led(frames):
    return frames.position[frames.names.index(HAND)]


def test_a_clutch_arms_before_it_engages():
    m = machine()
    assert m.step({HAND}, 0) is Phase.ARMING
    assert m.step({HAND}, 29 * MS) is Phase.ARMING
    assert m.step({HAND}, 30 * MS) is Phase.ENGAGED
    assert m.step(set(), 40 * MS) is Phase.DISENGAGED


def test_what_was_lost_must_be_let_go_and_pressed_anew():
    m = machine()
    m.step({HAND}, 0)
    m.step({HAND}, 50 * MS)
    assert m.step({HAND}, 60 * MS, fault=Cause.TRACKING) is Phase.LOST
    assert m.step({HAND}, 999 * MS) is Phase.LOST and m.cause == Cause.TRACKING
    assert m.step(set(), 1000 * MS) is Phase.DISENGAGED
    m.step({HAND}, 1010 * MS)
    assert m.step({HAND}, 1050 * MS) is Phase.ENGAGED


def test_a_clutch_pressed_during_a_refusal_engages_nothing_later():
    m = machine()
    assert m.step({HAND}, 0, refusal=Cause.STOPPED) is Phase.DISENGAGED and m.cause == Cause.STOPPED
    assert m.step({HAND}, 500 * MS) is Phase.DISENGAGED
    m.step(set(), 510 * MS)
    assert m.step({HAND}, 520 * MS) is Phase.ARMING


def test_a_refusal_ends_an_engagement_at_once():
    m = machine()
    m.step({HAND}, 0)
    m.step({HAND}, 50 * MS)
    assert m.step({HAND}, 60 * MS, refusal=Cause.NO_SEAT) is Phase.DISENGAGED and not m.active


@pytest.mark.parametrize("mismatch", [0.31, float("nan"), float("inf")])
def test_a_mismatch_arms_no_further(mismatch):
    m = machine(max_mismatch=0.3)
    m.step({HAND}, 0, mismatch={HAND: mismatch})
    assert m.step({HAND}, 900 * MS, mismatch={HAND: mismatch}) is Phase.ARMING and m.cause == Cause.MISMATCH
    assert m.step({HAND}, 910 * MS, mismatch={HAND: 0.1}) is Phase.ARMING
    assert m.step({HAND}, 950 * MS, mismatch={HAND: 0.1}) is Phase.ENGAGED


def test_toggle_engages_from_press_to_press():
    m = machine(mode="toggle")
    m.step({HAND}, 0)
    m.step(set(), 10 * MS)
    assert m.step(set(), 60 * MS) is Phase.ENGAGED
    m.step({HAND}, 70 * MS)
    assert m.phase is Phase.DISENGAGED
    assert m.step(set(), 200 * MS) is Phase.DISENGAGED


def test_toggle_forgets_its_latch_when_lost():
    m = machine(mode="toggle")
    for stamp in (0, 40):
        m.step({HAND}, stamp * MS)
    assert m.phase is Phase.ENGAGED
    assert m.step({HAND}, 50 * MS, fault=Cause.JUMP) is Phase.LOST
    assert m.step(set(), 60 * MS) is Phase.DISENGAGED
    assert m.step(set(), 500 * MS) is Phase.DISENGAGED


def test_displacement_is_repeated_and_scaled():
    person = Person(EngageConfig(arm_time=0.03, scale=0.5))
    before = led(person.engage())
    for x in np.linspace(0.3, 0.4, 20):
        frames = person.show(hand(x))
    assert led(frames) - before == pytest.approx([0.05, 0.0, 0.0], abs=1e-9)


def test_precision_and_scale_change_without_a_jump():
    person = Person()
    before = led(person.engage())
    assert led(person.show(hand(precise=True))) == pytest.approx(before)
    person.source.set_scale(2.0)
    assert led(person.show(hand())) == pytest.approx(before)
    person.source.set_scale(float("nan"))
    assert person.source.status().scale == 2.0


def test_forward_is_where_the_person_looks():
    person = Person()
    quarter = pin.utils.rotate("z", np.pi / 2)
    head = np.array([0.0, 0.0, 1.6, *pin.Quaternion(quarter).coeffs()])
    for _ in range(4):
        before = led(person.show(hand(turn=quarter), head=head))
    for y in np.linspace(-0.2, -0.1, 20):
        frames = person.show(hand(y=y, turn=quarter), head=head)
    assert led(frames) - before == pytest.approx([0.1, 0.0, 0.0], abs=1e-9)


@pytest.mark.parametrize(
    ("bad", "cause"),
    [
        (hand(tracked=False), Cause.TRACKING),
        (hand(x=np.nan), Cause.NOT_FINITE),
        (hand(x=1.0), Cause.JUMP),
        (hand(turn=pin.utils.rotate("z", 3.0)), Cause.JUMP),
        (HandSample(np.zeros(7), True, True), Cause.NOT_FINITE),
    ],
)
def test_a_bad_sample_loses_at_once_and_moves_nothing(bad, cause):
    person = Person()
    before = led(person.engage())
    frames = person.show(bad)
    assert not frames.engaged and person.source.status().cause == cause
    assert led(frames) == pytest.approx(before)


UNSEEN = (hand(tracked=False, clutch=False), None)
"""What a headset says of a controller or hand that it lost: its buttons are not known either."""


@pytest.mark.parametrize("unseen", UNSEEN)
@pytest.mark.parametrize("held_for", [1, 6], ids=["arming", "engaged"])
@pytest.mark.parametrize("mode", ["hold", "toggle"])
def test_a_hand_that_vanished_has_not_let_go(unseen, held_for, mode):
    source, now = HandSource("test", ("left_hand", HAND), EngageConfig(arm_time=0.03, mode=mode)), 10**9

    def show(sample, ticks):
        nonlocal now
        for _ in range(ticks):
            now += TICK
            frames = source.step(HandsSample(now, {} if sample is None else {HAND: sample}), now)
            assert not (frames.engaged and sample is unseen)
        return frames.engaged

    show(hand(), held_for)
    show(unseen, 30)
    assert source.phase is Phase.LOST and source.lost_since is not None, "a loss that lasts must be able to stop the robot"
    assert not show(hand(), 30), "what is seen again and still gripped moves nothing"
    assert source.phase is Phase.LOST and source.lost_since is None, "a person who is back has no need of a stop"
    show(unseen, 1)
    assert source.lost_since == now, "and may be lost again"
    show(hand(clutch=False), 2)
    assert source.phase is Phase.DISENGAGED
    assert show(hand(), 6)


@pytest.mark.parametrize("unseen", UNSEEN)
def test_a_hand_that_vanished_before_a_reset_must_grip_anew_while_the_other_may_lead(unseen):
    source, now = HandSource("test", ("left_hand", HAND), CONFIG), 10**9

    def show(ticks, **seen):
        nonlocal now
        for _ in range(ticks):
            now += TICK
            frames = source.step(HandsSample(now, {name: one for name, one in seen.items() if one is not None}), now)
        return frames.engaged

    show(6, right_hand=hand())
    show(6, right_hand=unseen)
    source.step(None, now, fault=Cause.SOCKET)
    source.release()
    assert show(6, right_hand=unseen, left_hand=hand()), "the other hand is free"
    show(2, right_hand=unseen, left_hand=hand(clutch=False))
    assert not show(6, right_hand=hand(), left_hand=hand(clutch=False))
    show(2, right_hand=hand(clutch=False))
    assert show(6, right_hand=hand())


@pytest.mark.parametrize(("mode", "phase"), [("hold", Phase.DISENGAGED), ("toggle", Phase.LOST)])
def test_a_hand_that_lets_go_may_be_elsewhere_at_once(mode, phase):
    source, now = HandSource("test", (HAND,), EngageConfig(arm_time=0.03, mode=mode)), 10**9
    for shown in (*[hand()] * 6, hand(x=1.0, clutch=False)):  # pressed once, a toggle still leads
        now += TICK
        frames = source.step(HandsSample(now, {HAND: shown}), now)
    assert not frames.engaged and source.phase is phase


def test_a_hand_that_is_not_gripped_may_vanish():
    source = HandSource("test", ("left_hand", HAND), CONFIG)
    for k in range(1, 6):
        frames = source.step(HandsSample(k * TICK, {HAND: hand(), "left_hand": hand(tracked=False, clutch=False)}), k * TICK)
    assert frames.engaged


moves = st.tuples(
    st.sampled_from(["on", "off", "lost", "gone", "hidden", "refused", "nothing", "jump", "precise"]),
    st.floats(-3.0, 3.0),
    st.integers(1, 300),
)


@given(st.lists(moves, min_size=1, max_size=60))
def test_nothing_steps_beyond_the_velocity_limit(steps):
    source, now, x, before = HandSource("test", (HAND,), CONFIG), 10**9, 0.3, None
    for what, value, gap in steps:
        now += gap * MS
        x = value if what == "jump" else x + 0.02 * value
        sample = hand(x, clutch=what not in ("off",), tracked=what != "lost", precise=what == "precise")
        seen = None if what == "nothing" else HandsSample(now, {} if what == "gone" else {HAND: sample})
        fault = {"hidden": Cause.HIDDEN, "nothing": Cause.SILENT}.get(what, "")
        frames = source.step(seen, now, fault=fault, refusal=Cause.STOPPED if what == "refused" else "")
        if before is not None:
            step, limit = float(np.linalg.norm(led(frames) - before)), CONFIG.max_speed * min(gap * 1e-3, 0.1)
            assert step <= limit + 1e-12
            assert frames.engaged or step == 0.0, "only an engaged source leads"
        before = led(frames).copy()


@given(st.lists(st.tuples(st.floats(-1.0, 1.0), st.floats(0.0, 0.1)), min_size=2, max_size=6))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_gripping_anew_does_not_move_the_palm(g1, state_at, grips):
    """Through the retargeting: at each new grip, wherever the hand then is, the joints stay where they were."""
    person, retargeter, joints = Person(), HandsRetargeter(g1, HandsConfig()), g1.rest
    for start, way in grips:
        person.show(hand(start, clutch=False))
        engaged = 0
        for share in (0.0, 0.0, 0.0, 0.0, 0.3, 0.6, 1.0):
            frames = person.show(hand(start + share * way))
            solved = retargeter.step(frames, state_at(position=joints)).position
            if solved is not None:
                engaged += 1
                assert engaged > 1 or solved == pytest.approx(joints, abs=1e-6)
                joints = solved
        assert engaged
        retargeter.step(person.show(hand(start, clutch=False)), state_at(position=joints))


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_ways_are_scaled_once_between_the_hand_and_the_palm(g1, state_at, scale):
    person = Person(EngageConfig(arm_time=0.03, scale=scale))
    retargeter, joints = HandsRetargeter(g1, HandsConfig()), g1.rest
    for share in (*[0.0] * 8, *np.linspace(0.0, 1.0, 40), *[1.0] * 20):
        solved = retargeter.step(person.show(hand(z=1.0 + 0.05 * share)), state_at(position=joints)).position
        joints = joints if solved is None else solved
    before, after = (g1.frame_poses(q, ("right_palm",))[0].translation for q in (g1.rest, joints))
    assert after - before == pytest.approx([0.0, 0.0, 0.05 * scale], abs=2e-3)


def test_a_link_admits_by_number_and_age():
    link = LinkMonitor(0.15, 0.15)
    assert link.fault(0) == Cause.SILENT
    assert link.admit(5, 0, 10 * MS) == ""
    assert link.admit(5, 0, 10 * MS) == "replayed"
    assert link.admit(4, 9 * MS, 10 * MS) == "replayed"
    assert link.admit(8, 10 * MS, 20 * MS) == "" and link.lost == 2
    assert link.admit(9, 20 * MS, 300 * MS) == Cause.LATE
    assert link.admit(10, 400 * MS, 301 * MS) == Cause.LATE, "from the future"
    assert link.fault(302 * MS) == Cause.LATE
    assert (link.received, link.late, link.replayed) == (2, 2, 2)


def test_a_link_tells_delay_and_jitter():
    link = LinkMonitor(0.15, 0.15)
    for k in range(1, 101):
        link.admit(k, k * TICK, k * TICK + (10 + k % 10) * MS)
    assert link.delay == pytest.approx(0.0145, abs=1e-3)
    assert link.jitter == pytest.approx(0.009, abs=1e-3)


def test_a_heartbeat_ends_when_a_loss_lasts_and_comes_back_after_the_stop():
    beat = Heartbeat(0.5)
    assert beat.beats(None, False, 0)
    assert beat.beats(0, False, 400 * MS)
    assert beat.beats(None, False, 450 * MS), "a short loss stops nothing"
    assert beat.beats(500 * MS, False, 900 * MS)
    assert not beat.beats(500 * MS, False, 1100 * MS)
    assert not beat.beats(None, False, 1200 * MS), "coming back does not undo a stop that is under way"
    assert beat.beats(None, True, 1300 * MS)
    assert beat.beats(None, False, 1400 * MS)
