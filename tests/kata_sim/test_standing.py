# SPDX-License-Identifier: Apache-2.0
"""The simulated G1 on its own feet, moved through the safety filter: it stands, recovers, holds, squats, or goes limp in time."""

import numpy as np
import pytest

from kata_model import Reason, RobotModel, Status
from kata_safety.balance import load_postures, standing_height
from kata_sim.on_feet import Motion, OnFeet, swinging

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(g1: RobotModel) -> OnFeet:
    return OnFeet(g1)


@pytest.fixture
def feet(built: OnFeet) -> OnFeet:
    built.restart()
    return built


@pytest.fixture(scope="module")
def swing(g1: RobotModel) -> Motion:
    return swinging(g1)


def test_it_stands_while_its_arms_follow(feet: OnFeet, swing: Motion) -> None:
    verdict = feet.run(10.0, swing)
    assert verdict.status in (Status.FOLLOWING, Status.LIMITED) and Reason.FALLING not in feet.reasons
    assert min(feet.heights) > 0.74 and min(feet.margins) > 0.02
    measured = feet.simulation.joint_state().position[feet.balance_controller.body.upper]
    assert measured == pytest.approx(verdict.command.position[feet.balance_controller.body.upper], abs=0.1)


def test_it_takes_pushes_from_all_sides(feet: OnFeet, swing: Motion) -> None:
    feet.run(0.5, swing)
    for push in ((7.0, 0.0), (-8.0, 0.0), (0.0, 15.0)):
        feet.simulation.push(np.array([*push, 0.0]))
        verdict = feet.run(2.0, swing)
        assert verdict.status in (Status.FOLLOWING, Status.LIMITED), (push, verdict.reasons)
        assert feet.heights[-1] > 0.74


def test_a_push_that_is_too_much_ends_limp_before_the_floor(feet: OnFeet, swing: Motion) -> None:
    feet.run(0.5, swing)
    feet.simulation.push(np.array([40.0, 0.0, 0.0]))
    for _ in range(100):
        verdict = feet.run(0.02, swing)
        if verdict.status is Status.STOPPED:
            break
    assert verdict.status is Status.STOPPED and Reason.FALLING in verdict.reasons
    assert not verdict.command.stiffness.any() and feet.heights[-1] > 0.5


def test_a_hold_keeps_the_balance(feet: OnFeet, swing: Motion) -> None:
    feet.run(1.2, swing)
    verdict = feet.run(0.5, swing, (Reason.LOST_OPERATOR,))
    still = verdict.command.position
    feet.simulation.push(np.array([6.0, 0.0, 0.0]))
    verdict = feet.run(2.5, swing, (Reason.LOST_OPERATOR,))
    assert verdict.status is Status.STOPPED and verdict.reasons[0] == Reason.LOST_OPERATOR
    assert np.array_equal(verdict.command.position, still) and verdict.command.stiffness.any()
    assert feet.heights[-1] > 0.74


def test_a_retreat_squats_in_balance_and_then_goes_limp(feet: OnFeet, swing: Motion) -> None:
    feet.run(1.0, swing)
    feet.filter.stop()
    lowest = 1.0
    for _ in range(70):
        verdict = feet.run(0.1, swing)
        if verdict.status is Status.STOPPED:
            break
        lowest = feet.heights[-1]
    assert verdict.status is Status.STOPPED and not verdict.command.stiffness.any()
    assert lowest < 0.67 and Reason.FALLING not in feet.reasons
    assert min(feet.margins) > 0.02


def test_it_follows_the_legs_of_a_squat(feet: OnFeet, g1: RobotModel) -> None:
    postures = load_postures(g1)
    low = postures.standing + 0.9 * (postures.squat - postures.standing)
    feet.run(3.5, lambda seconds: postures.standing + min(seconds / 2.5, 1.0) * (low - postures.standing))
    assert feet.heights[-1] == pytest.approx(standing_height(g1, low), abs=0.03)
    assert min(feet.margins) > 0.02
