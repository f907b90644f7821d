# SPDX-License-Identifier: Apache-2.0
"""Balance along a braking path, by kernels, against Pinocchio and plain numpy."""

import numpy as np
import pytest
from commanded_motion import CommandedMotion

from kata_model import RobotModel
from kata_safety import QPFilter, SafetyConfig, Shapes
from kata_safety.balance import BalanceConfig, BalanceConstraints, FloatingBody, SupportPolygon, load_postures
from kata_safety.balance.path_balance import ground_of, legs_on_path, seen_from_sole
from kata_safety.qp.dynamics_model import make_dynamics_model, new_scratch
from kata_safety.stops.stability import GRAVITY


def test_the_first_sole_sees_what_pinocchio_sees(g1: RobotModel) -> None:
    body, rng = FloatingBody(g1), np.random.default_rng(0)
    soles, model = SupportPolygon(body, g1.rest), make_dynamics_model(g1, Shapes())
    scratch, found, ground = new_scratch(model), np.zeros(7), ground_of(body, np.zeros((1, 2)), np.zeros(1))
    for _ in range(20):
        position, velocity = rng.uniform(g1.lower, g1.upper), rng.normal(0.0, 3.0, 29)
        seen_from_sole(model, scratch, ground, position, velocity, found)
        com, speed, up = soles.com(position, velocity)
        assert found == pytest.approx([*com, *speed, up], abs=1e-9)


@pytest.fixture(scope="module")
def motion(g1: RobotModel) -> CommandedMotion:
    body = FloatingBody(g1)
    constraints = BalanceConstraints(body, SafetyConfig(), BalanceConfig())
    motion = CommandedMotion(QPFilter(g1, Shapes(), SafetyConfig(), constraints), np.array(load_postures(g1).standing))
    for _ in range(15):
        motion.step(np.where(np.isin(np.arange(29), body.upper), 4.0, 0.0))
    return motion


def test_the_path_is_looked_at_where_it_is_said_to_be(motion: CommandedMotion) -> None:
    constraints, buffers = motion.qp_filter.more, motion.qp_filter.buffers
    path, ground = buffers.path, constraints.ground
    ticks, course = int(path.length[0]), path.course.copy()
    assert ticks > 8
    least = np.full(len(ground.start) + 1, np.inf)
    for tick in np.rint(np.linspace(0, ticks - 1, 8)).astype(int):
        com, speed, up = constraints.soles(motion.at.stance).com(*course[tick])
        capture = com[:2] + speed[:2] * np.sqrt(com[2] / GRAVITY)
        least = np.minimum(least, [*(ground.edges @ capture - ground.start), up])
    assert constraints.begin(motion.at, buffers, motion.qp_filter.handle).path_room() == pytest.approx(least, abs=1e-9)


def test_efforts_of_legs_are_those_of_each_tick(motion: CommandedMotion) -> None:
    path = motion.qp_filter.buffers.path
    rng, ticks = np.random.default_rng(2), int(path.length[0])
    slope, offset, before, found = rng.normal(size=(12, 29)), rng.normal(size=12), rng.normal(size=29), np.zeros(12)
    legs_on_path(motion.qp_filter.handle, before, slope, offset, ticks, found)
    velocity = np.stack([before, *path.course[:ticks, 1]])
    each = np.diff(velocity, axis=0) / SafetyConfig().rate ** -1 @ slope.T + offset
    assert found == pytest.approx(np.abs(each).max(axis=0))
