# SPDX-License-Identifier: Apache-2.0
"""Balance: dynamics and planted soles against Pinocchio and finite differences, forces within their cones, legs in concert."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pinocchio as pin
import pytest

from kata_model import JointState, RobotModel
from kata_model.base_motion import BaseMotion
from kata_model.errors import RobotError
from kata_safety.balance import (
    Asked,
    BalanceConfig,
    ComController,
    FloatingBody,
    Posture,
    StandingController,
    SupportPolygon,
    load_postures,
    standing_height,
)
from kata_safety.stops.stability import support_margin

STILL = np.zeros(29)


@pytest.fixture(scope="module")
def body(g1: RobotModel) -> FloatingBody:
    return FloatingBody(g1)


@pytest.fixture(scope="module")
def standing(g1: RobotModel) -> np.ndarray:
    return load_postures(g1).standing


@pytest.fixture(scope="module")
def controller(body: FloatingBody) -> StandingController:
    return StandingController(body, BalanceConfig())


def base_at(g1: RobotModel, posture: np.ndarray, speed=(0.0, 0.0, 0.0)) -> BaseMotion:
    at = np.array([0.3, -0.2, standing_height(g1, posture)])
    return BaseMotion(0, at, np.array([0.0, 0.0, 0.0, 1.0]), np.array(speed), np.zeros(3))


def state(posture: np.ndarray, velocity: np.ndarray = STILL) -> JointState:
    return JointState(0, posture, velocity, STILL)


def test_efforts_and_floor_forces_obey_the_equations_of_motion(controller, body, g1, standing) -> None:
    rng = np.random.default_rng(0)
    joints, base = state(standing + rng.normal(0, 0.03, 29), rng.normal(0, 0.2, 29)), base_at(g1, standing, (0.05, 0.02, 0.0))
    given, now = controller.efforts(Posture(standing, STILL, STILL), joints, base), body.look(joints, base)
    left = now.inertia @ given.acceleration + now.load - now.jacobian[0].T @ given.wrench[0] - now.jacobian[1].T @ given.wrench[1]
    assert left[:6] == pytest.approx(np.zeros(6), abs=1e-6)
    assert left[6:] == pytest.approx(given.effort, abs=1e-6)
    alone = pin.rnea(body.model, body.model.createData(), body.configuration(joints.position, base), np.zeros(35), np.zeros(35))
    assert now.load[:3] == pytest.approx(alone[:3], abs=2.0), "the weight, and little else at these speeds"


def test_planted_soles_do_not_accelerate(controller, body, g1, standing) -> None:
    given = controller.efforts(Posture(standing, STILL, np.full(29, 2.0)), state(standing), base_at(g1, standing))
    now = body.look(state(standing), base_at(g1, standing))
    assert now.jacobian @ given.acceleration + now.drift == pytest.approx(np.zeros((2, 6)), abs=2e-2)


def test_standing_still_carries_the_weight_evenly_and_inside_the_soles(controller, body, g1, standing) -> None:
    wrench = controller.efforts(Posture(standing, STILL, STILL), state(standing), base_at(g1, standing)).wrench
    assert wrench[:, 2].sum() == pytest.approx(9.81 * body.mass, rel=1e-3)
    assert wrench[0, 2] == pytest.approx(wrench[1, 2], rel=1e-2)


@pytest.mark.parametrize("speed", [(0.6, 0.0, 0.0), (-0.6, 0.0, 0.0), (0.0, 0.6, 0.0), (0.3, -0.5, 0.2)])
def test_forces_stay_within_friction_and_soles_whatever_the_push(controller, body, g1, standing, speed) -> None:
    config = BalanceConfig()
    given = controller.efforts(Posture(standing, STILL, STILL), state(standing), base_at(g1, standing, speed))
    for wrench, foot in zip(given.wrench, body.feet, strict=True):
        fx, fy, fz, mx, my, _ = wrench
        assert fz >= -1e-6 and max(abs(fx), abs(fy)) <= config.friction / np.sqrt(2.0) * fz + 1e-6
        if fz > 1.0:
            assert support_margin([-my / fz, mx / fz], foot.corners) >= config.sole_margin - 1e-6
    assert (np.abs(given.effort[body.legs]) <= g1.max_effort[body.legs] + 1.0).all()
    assert np.abs(given.missing[:2]).max() > 0.1, "the push is more than the soles can take at once"


def test_a_lifted_sole_carries_nothing(body, g1, standing) -> None:
    controller = StandingController(body, BalanceConfig())
    lifted = np.array(standing)
    names = g1.layout.names
    lifted[names.index("left_knee_joint")] += 0.4
    lifted[names.index("left_hip_pitch_joint")] -= 0.2
    lifted[names.index("left_ankle_pitch_joint")] -= 0.2
    given = controller.efforts(Posture(standing, STILL, STILL), state(lifted), base_at(g1, standing))
    assert given.wrench[0] == pytest.approx(np.zeros(6), abs=1e-9) and given.wrench[1, 2] > 0.5 * 9.81 * body.mass


def test_rates_of_planted_soles_are_their_differences(body, standing) -> None:
    rng, soles, step = np.random.default_rng(1), SupportPolygon(body, standing), 1e-6
    velocity = rng.normal(0, 1, 29)
    now, after, before = (soles.look(standing + s * velocity) for s in (0.0, step, -step))
    assert now.com_rate @ velocity == pytest.approx((after.com - before.com) / (2 * step), abs=1e-7)
    assert now.up_rate @ velocity == pytest.approx((after.up - before.up) / (2 * step), abs=1e-7)
    assert -now.closure @ velocity == pytest.approx((after.gap - before.gap) / (2 * step), abs=1e-6)
    com, speed, upright = soles.com(standing, velocity)
    assert com == pytest.approx(now.com) and speed == pytest.approx(now.com_rate @ velocity)
    assert upright == pytest.approx(now.up[2])


def test_legs_follow_height_and_lean_and_keep_soles_and_balance(body, g1, standing) -> None:
    soles, config = SupportPolygon(body, standing), BalanceConfig()
    top = standing_height(g1, standing)
    stance, position = ComController(body, top, config), np.array(standing)
    for goal, height in ((load_postures(g1).squat, None), (g1.rest, top)):
        wanted_height, wanted = soles.wish(goal)
        for _ in range(1200):
            wish = np.clip(4.0 * (goal - position), -0.6, 0.6)
            position = position + 0.004 * stance.lead(soles, soles.look(position), wish, goal)
            assert np.abs(soles.look(position).gap).max() < 1e-3
        at = soles.look(position)
        assert at.height == pytest.approx(wanted_height if height is None else height, abs=1e-3)
        assert at.com[:2] == pytest.approx(soles.middle, abs=1e-3)
        assert soles.leaning(at) == pytest.approx(wanted, abs=1e-3)
        assert position[body.upper] == pytest.approx(goal[body.upper], abs=1e-3)


def test_without_postures_a_robot_stands_at_rest(g1: RobotModel, tmp_path: Path) -> None:
    bare = replace(g1, description=replace(g1.description, folder=tmp_path))
    assert load_postures(bare).standing is g1.rest
    assert standing_height(bare, g1.rest) == g1.description.base_height


@pytest.mark.parametrize(
    "text",
    [
        "standing: {.*_knee_joint: 9.0}\nsquat: {}\n",
        "standing: {}\n",
        "standing: {}\nsquat: {}\nmore: {}\n",
        "standing: [1\n",
        "- 1\n",
    ],
)
def test_bad_postures_are_one_line(g1: RobotModel, tmp_path: Path, text: str) -> None:
    (tmp_path / "balance.yaml").write_text(text)
    with pytest.raises(RobotError, match=r"balance\.yaml"):
        load_postures(replace(g1, description=replace(g1.description, folder=tmp_path)))


def test_what_is_asked_is_reached_where_the_soles_allow_it(body, g1, standing) -> None:
    controller = StandingController(body, BalanceConfig())
    now = body.look(state(standing), base_at(g1, standing))
    given = controller._forces.solve(now, Asked(np.array([0.2, 0.1, 0.3]), np.zeros(3), STILL, (True, True)))
    assert np.abs(given.missing).max() < 2e-2
