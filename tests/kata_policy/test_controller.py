# SPDX-License-Identifier: Apache-2.0
"""A policy at the wheel moves its joints, holds the others, and waits for what it must see."""

import numpy as np
import pytest
from policy_doubles import BALL, FAR, GOAL, JOINTS, STEP, Backward, Follower, Wary, state

from kata_model import load_robot
from kata_policy.monitor import UNMONITORED, Certainty
from kata_policy.running.controller import PolicyController
from kata_policy.running.observation_inputs import ObservationInputs


@pytest.fixture(scope="module")
def g1():
    return load_robot("g1")


@pytest.fixture
def controller(g1):
    return PolicyController(g1, Follower())


def engage(controller, g1, stamp, offset=0.0):
    return controller.engage(state(g1, stamp, offset), stamp * STEP)


def step(controller, g1, stamp, objects, offset=0.0):
    measured, now = state(g1, stamp, offset), stamp * STEP
    question = controller.ask(measured, objects, now)
    if question is not None:
        controller.answer(question, controller._policy.act(question.observation), now)
    return controller.target(measured, now)


def test_nothing_is_wanted_before_engaging_nor_after(controller, g1):
    assert step(controller, g1, 1, GOAL) is None
    engage(controller, g1, 1)
    assert step(controller, g1, 2, GOAL) is not None
    controller.disengage()
    assert step(controller, g1, 3, GOAL) is None


def test_engaging_needs_a_robot(controller):
    assert "joint state" in controller.engage(None, 0)
    assert not controller.engaged


def test_its_joints_move_and_the_others_stay_where_they_were_at_engage(controller, g1):
    engage(controller, g1, 1, offset=0.05)
    target = step(controller, g1, 2, GOAL, offset=0.2)
    moved = g1.layout.indices(JOINTS)
    assert target.stamp == 2 * STEP
    assert target.position[moved] == pytest.approx([0.1, 0.0], abs=1e-6)
    assert np.delete(target.position - g1.rest, moved) == pytest.approx(0.05)


def test_it_waits_for_the_goal(controller, g1):
    engage(controller, g1, 1)
    assert step(controller, g1, 2, ObservationInputs()) is None


def test_a_new_engage_forgets_old_chunks(controller, g1):
    engage(controller, g1, 1)
    step(controller, g1, 2, FAR)
    engage(controller, g1, 3)
    elbow = g1.layout.names.index(JOINTS[0])
    assert step(controller, g1, 4, GOAL).position[elbow] == pytest.approx(0.1, abs=1e-6)


def test_a_goal_far_away_makes_it_unsure_and_its_old_plans_are_dropped(g1):
    controller, elbow = PolicyController(g1, Wary()), g1.layout.names.index(JOINTS[0])
    engage(controller, g1, 1)
    found = []
    for stamp, goal in enumerate([GOAL, FAR, FAR, FAR, GOAL, GOAL, GOAL], start=2):
        target = step(controller, g1, stamp, goal)
        found.append((controller.judgement.certainty, float(target.position[elbow])))
    sure, unsure = Certainty.SURE, Certainty.UNSURE
    assert [certainty for certainty, _ in found] == [sure, sure, unsure, unsure, unsure, sure, sure]
    assert found[-1][1] == pytest.approx(0.1, abs=1e-6), "what it wanted while unsure lingers in the motion"
    controller.disengage()
    assert controller.judgement == UNMONITORED


def test_an_answer_that_comes_late_is_carried_out_where_time_has_come_to(controller, g1):
    engage(controller, g1, 0)
    question = controller.ask(state(g1, 0), GOAL, 0)
    assert controller.target(state(g1, 1), STEP) is None, "it moves before it was answered"
    assert controller.late == 0, "nothing is late before the first answer"
    chunk = np.arange(4.0)[:, None] * np.ones(2)
    controller.answer(question, chunk, 2 * STEP)
    elbow = g1.layout.names.index(JOINTS[0])
    assert [controller.target(state(g1, s), s * STEP).position[elbow] for s in (2, 3)] == [2.0, 3.0]
    assert controller.target(state(g1, 4), 4 * STEP) is None
    assert controller.late == 1, "a step without a plan is not counted"


def test_an_answer_from_before_the_last_engage_is_not_heard(controller, g1):
    engage(controller, g1, 0)
    question = controller.ask(state(g1, 0), GOAL, 0)
    engage(controller, g1, 1)
    controller.answer(question, np.ones((4, 2)), STEP)
    assert controller.target(state(g1, 1), STEP) is None


def test_it_stops_as_soon_as_it_is_blind_whatever_it_had_planned(controller, g1):
    engage(controller, g1, 0)
    assert step(controller, g1, 0, GOAL) is not None
    assert step(controller, g1, 1, ObservationInputs()) is None
    assert controller.late == 0
    assert step(controller, g1, 2, GOAL) is not None


def test_a_policy_that_looks_back_sees_its_past_and_its_pictures(g1):
    policy = Backward()
    controller = PolicyController(g1, policy)
    engage(controller, g1, 0)
    for stamp in range(3):
        looked = ObservationInputs({"goal": BALL + stamp}, picture=lambda camera, s=stamp: np.full(camera.shape, s, np.uint8))
        assert step(controller, g1, stamp, looked) is not None
    assert policy.seen["object_position/goal"][:, 0] == pytest.approx(BALL[0] + np.arange(3))
    assert policy.seen["camera.head"][:, 0, 0, 0].tolist() == [0, 1, 2]
    assert step(controller, g1, 3, ObservationInputs({"goal": BALL})) is None, "it acts without a picture"
    assert (
        step(controller, g1, 4, ObservationInputs({"goal": BALL}, picture=lambda camera: np.zeros((2, 2, 3), np.uint8))) is None
    )
    assert (
        step(controller, g1, 5, ObservationInputs({"goal": BALL}, picture=lambda camera: np.full(camera.shape, 9, np.uint8)))
        is not None
    )
    assert policy.seen["camera.head"][:, 0, 0, 0].tolist() == [9, 9, 9], "what was seen before a gap is no past"


def test_each_engagement_and_each_seed_draws_other_noise(g1):
    drawn = []
    for seed in (0, 1000):
        policy = Follower()
        policy.reset = drawn.append
        controller = PolicyController(g1, policy, seed=seed)
        for _ in range(2):
            controller.engage(state(g1, 0), 0)
    assert len(set(drawn)) == 4
