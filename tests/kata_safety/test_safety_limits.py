# SPDX-License-Identifier: Apache-2.0
"""Position, velocity and acceleration limits: kept from every admissible state, for any goal."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kata_safety import JointLimits
from kata_safety.limits import braking_velocity

PERIOD, ACCELERATION, VELOCITY = 0.004, 80.0, 10.0
UNIT = ACCELERATION * PERIOD


def limits() -> JointLimits:
    return JointLimits(np.array([-1.0]), np.array([1.0]), np.array([VELOCITY]), ACCELERATION, PERIOD)


@pytest.mark.parametrize("ticks", [0.3, 1.0, 2.5, 7.0, 30.9])
def test_braking_velocity_uses_up_the_distance_exactly(ticks: float) -> None:
    velocity = ticks * UNIT
    travelled, v = 0.0, velocity
    while v > 0.0:
        travelled += v * PERIOD
        v = max(v - UNIT, 0.0)
    assert braking_velocity(np.array([travelled]), ACCELERATION, PERIOD)[0] == pytest.approx(velocity, rel=1e-9)


def test_no_room_means_no_velocity() -> None:
    assert braking_velocity(np.array([0.0, -0.1]), ACCELERATION, PERIOD) == pytest.approx([0.0, 0.0])


@settings(derandomize=True, max_examples=200)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=60), st.floats(-1.0, 1.0))
def test_every_limit_holds_for_any_goals(goals: list[float], start: float) -> None:
    box, position, velocity = limits(), np.array([start]), np.zeros(1)
    for goal in goals:
        step = box.step(position, velocity, np.array([goal]))
        assert abs(step.velocity[0]) <= VELOCITY + 1e-9
        assert abs(step.velocity[0] - velocity[0]) <= UNIT + 1e-9
        assert -1.0 - 1e-9 <= step.position[0] <= 1.0 + 1e-9
        position, velocity = step.position, step.velocity


@settings(derandomize=True, max_examples=200)
@given(st.floats(-1.0, 1.0), st.floats(-10.0, 10.0), st.floats(-3.0, 3.0))
def test_limiting_twice_is_limiting_once(start: float, speed: float, goal: float) -> None:
    box, position = limits(), np.array([start])
    room = braking_velocity(np.array([1.0 - start, start + 1.0]), ACCELERATION, PERIOD)
    velocity = np.clip([speed], -room[1], room[0])
    once = box.step(position, velocity, np.array([goal])).position
    assert box.step(position, velocity, once).position == pytest.approx(once, abs=1e-12)


def test_a_joint_outside_is_led_back_in() -> None:
    box, position, velocity = limits(), np.array([1.3]), np.zeros(1)
    for _ in range(200):
        step = box.step(position, velocity, np.array([2.0]))
        assert step.velocity[0] <= 0.0 + 1e-12
        position, velocity = step.position, step.velocity
    assert position[0] == pytest.approx(1.0, abs=1e-6)


def test_a_narrow_range_is_not_inverted_by_the_margin(g1) -> None:
    from kata_safety import SafetyConfig

    box = JointLimits.of(g1, SafetyConfig(position_margin=0.5))
    assert (box.lower < box.upper).all()
