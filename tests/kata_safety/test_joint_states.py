# SPDX-License-Identifier: Apache-2.0
"""Joint states of several publishers, put together by name, with an age for each joint."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kata_model import JointCommand, JointFlag, JointLayout, Reason, RobotModel, Status
from kata_model.joint_states import JointStates
from kata_safety import Received, SafetyConfig, SafetyFilter, Shapes

ARMS, LEGS = ("a", "b"), ("c", "d")
MS = 1_000_000


@pytest.fixture
def joints() -> JointStates:
    return JointStates(JointLayout((*ARMS, *LEGS)))


def test_what_two_drivers_say_is_one_state(joints: JointStates) -> None:
    assert joints.state is None and joints.missing == (*ARMS, *LEGS)
    assert joints.hear(("b", "a"), (2.0, 1.0), (0.2, 0.1), (), 10 * MS) == ""
    assert joints.missing == LEGS and np.isnan(joints.state.position).tolist() == [False, False, True, True]
    joints.hear(("d", "finger", "c"), (4.0, 9.0, 3.0), (0.4, 9.0, 0.3), (7.0, 9.0, 6.0), 12 * MS)
    state = joints.state
    assert joints.missing == () and state.stamp == 12 * MS
    assert state.position.tolist() == [1.0, 2.0, 3.0, 4.0] and state.velocity.tolist() == [0.1, 0.2, 0.3, 0.4]
    assert state.effort.tolist() == [0.0, 0.0, 6.0, 7.0]
    assert state.stamps.tolist() == [10 * MS, 10 * MS, 12 * MS, 12 * MS]


def test_a_hand_on_the_same_topic_changes_nothing(joints: JointStates) -> None:
    joints.hear((*ARMS, *LEGS), np.arange(4.0), np.zeros(4), (), 10 * MS)
    before = joints.state
    assert joints.hear(("finger", "thumb"), (1.0, 2.0), (), (), 11 * MS) == ""
    assert joints.state is before and before.stamps is None


@pytest.mark.parametrize("fields", [((1.0,), (), ()), ((1.0, 2.0), (1.0,), ()), ((1.0, 2.0), (), (1.0,))])
def test_a_malformed_message_is_left_out(joints: JointStates, fields) -> None:
    assert joints.hear(ARMS, *fields, 10 * MS) == Reason.WRONG_JOINTS
    assert joints.hear(("a", "a"), (1.0, 2.0), (), (), 10 * MS) == Reason.WRONG_JOINTS
    assert joints.state is None


@pytest.mark.parametrize("told", [(), (np.nan, np.nan)], ids=["empty", "NaN"])
def test_a_missing_velocity_is_made_of_positions(joints: JointStates, told) -> None:
    joints.hear(LEGS, (0.0, 0.0), (1.0, 1.0), (), 10 * MS)
    for k in range(3):
        joints.hear(ARMS, (0.01 * k, -0.02 * k), told, (), (10 + 5 * k) * MS)
    assert joints.state.velocity == pytest.approx([2.0, -4.0, 1.0, 1.0])
    assert joints.differentiated.tolist() == [True, True, False, False]
    joints.hear(ARMS, (0.02, -0.04), told, (), 20 * MS)
    assert joints.state.velocity[:2] == pytest.approx([2.0, -4.0]), "the same sample again"
    joints.hear(ARMS, (1.0, 1.0), told, (), 500 * MS)
    assert joints.state.velocity[:2].tolist() == [0.0, 0.0], "after a gap nobody knows"


@given(st.lists(st.tuples(st.permutations(range(4)), st.integers(1, 4)), min_size=1, max_size=12))
def test_the_newest_of_each_joint_counts_whoever_says_it(said) -> None:
    names, joints, expected = (*ARMS, *LEGS), JointStates(JointLayout((*ARMS, *LEGS))), {}
    for k, (order, length) in enumerate(said):
        spoken = [names[i] for i in order[:length]]
        values = [10.0 * k + i for i in order[:length]]
        joints.hear(spoken, values, np.zeros(length), (), (k + 1) * MS)
        expected |= dict(zip(spoken, values, strict=True))
    known = {n: x for n, x in zip(names, joints.state.position.tolist(), strict=True) if not np.isnan(x)}
    assert known == expected and set(joints.missing) == set(names) - set(expected)


@pytest.mark.parametrize("silent", ["never heard", "fell silent"])
def test_the_filter_follows_two_drivers_and_names_the_one_that_is_silent(g1: RobotModel, silent: str) -> None:
    """A message that lacked one joint stopped it; now a joint that nobody tells of does, and is named."""
    names, safety, joints = g1.layout.names, SafetyFilter(g1, SafetyConfig(), shapes=Shapes()), JointStates(g1.layout)
    parts, position = {"legs": slice(0, 12), "arms": slice(12, None)}, np.array(g1.rest)

    def tick(k: int, *speak: str):
        now = 10**9 + 4 * MS * k
        for part in speak:
            where = parts[part]
            joints.hear(names[where], position[where], (), (), now)
        joints.hear(("left_finger",), (0.3,), (), (), now)
        target = JointCommand.at(now, g1.rest, g1.stiffness, g1.damping)
        return safety.step(joints.state, Received(target, now), now)

    if silent == "fell silent":
        for k in range(20):
            verdict = tick(k, "legs" if k % 2 else "arms") if k > 1 else tick(k, "legs", "arms")
        assert verdict.status in (Status.FOLLOWING, Status.LIMITED)
    for k in range(20, 40):
        verdict = tick(k, "legs")
    assert verdict.status is Status.HOLDING
    assert verdict.reasons == (Reason.NO_STATE if silent == "never heard" else Reason.STALE_STATE,)
    named = [name for name, flags in zip(names, verdict.joint_flags, strict=True) if flags & JointFlag.FEEDBACK]
    assert tuple(named) == names[parts["arms"]]
