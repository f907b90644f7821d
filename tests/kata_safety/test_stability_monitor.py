# SPDX-License-Identifier: Apache-2.0
"""How a robot on its feet stands, from its model; and what is wrong with a floating base."""

from dataclasses import replace

import numpy as np
import pytest

from kata_model import JointState, Reason, RobotModel
from kata_model.base_motion import BaseMotion
from kata_safety import UNKNOWN_BASE, BaseState, StabilityMonitor
from kata_safety.stops.stability import base_faults, tilt_of


@pytest.fixture(scope="module")
def standing(g1: RobotModel) -> StabilityMonitor:
    return StabilityMonitor(g1)


@pytest.fixture
def joints(g1: RobotModel) -> JointState:
    zero = np.zeros(len(g1.layout))
    return JointState(0, g1.rest, zero, zero)


def upright(height: float = 0.793, speed=(0.0, 0.0, 0.0), xyzw=(0.0, 0.0, 0.0, 1.0)) -> BaseMotion:
    return BaseMotion(0, np.array([0.0, 0.0, height]), np.array(xyzw), np.array(speed), np.zeros(3))


def test_a_robot_at_rest_stands_between_its_soles(standing: StabilityMonitor, joints: JointState) -> None:
    base = standing.look(joints, upright())
    assert base.tilt == pytest.approx(0.0)
    assert 0.03 < base.margin < 0.12, "the soles reach 6 cm back, 14 cm forward and 16 cm to the sides"


def test_the_height_of_the_world_does_not_matter(standing: StabilityMonitor, joints: JointState) -> None:
    assert standing.look(joints, upright(2.0)).margin == pytest.approx(standing.look(joints, upright()).margin)


def test_a_moving_centre_of_mass_leaves_the_support_at_the_speed_of_the_pendulum(standing, joints) -> None:
    still, height = standing.look(joints, upright()).margin, 0.69
    back = standing.look(joints, upright(speed=(-0.1, 0.0, 0.0))).margin
    assert still - back == pytest.approx(0.1 * np.sqrt(height / 9.81), abs=3e-3)
    assert standing.look(joints, upright(speed=(-1.0, 0.0, 0.0))).margin < -0.1


def test_what_is_not_finite_is_unknown_and_stops(standing: StabilityMonitor, joints: JointState) -> None:
    for bad in (upright(np.nan), upright(xyzw=(0.0, 0.0, 0.0, 0.0))):
        assert standing.look(joints, bad) is UNKNOWN_BASE
    assert standing.look(replace(joints, velocity=np.full(29, np.inf)), upright()) is UNKNOWN_BASE
    assert base_faults(UNKNOWN_BASE, 0.6, 0.05) == (Reason.LOST_BASE,)


def test_the_inertial_sensor_tells_the_tilt_whatever_joints_lie_between(standing, joints, g1: RobotModel) -> None:
    tipped = np.array([0.0, np.sin(0.15), 0.0, np.cos(0.15)])
    assert standing.sensed_tilt(joints, tipped, "imu_in_pelvis") == pytest.approx(0.3)
    bent = np.array(joints.position)
    bent[g1.layout.names.index("waist_pitch_joint")] = 0.3
    assert standing.sensed_tilt(replace(joints, position=bent), tipped, "imu_in_torso") == pytest.approx(0.0, abs=1e-6)
    assert standing.sensed_tilt(joints, tipped, "tail") is None
    assert tilt_of([0.0, np.sin(0.15), 0.0, np.cos(0.15)], [1.0, 0.0, 0.0]) == pytest.approx(np.pi / 2 + 0.3)


@pytest.mark.parametrize(
    ("base", "faults"),
    [
        (None, ()),
        (BaseState(0.1, 0.05), ()),
        (BaseState(0.1, -0.04), ()),
        (BaseState(0.1, -0.06), (Reason.FALLING,)),
        (BaseState(0.1, -np.inf), (Reason.FALLING,)),
        (BaseState(0.7, 0.05), (Reason.BASE_TILT,)),
        (BaseState(0.7, -0.3), (Reason.FALLING, Reason.BASE_TILT)),
        (BaseState(np.nan, 0.05), (Reason.LOST_BASE,)),
        (BaseState(0.1, np.nan), (Reason.LOST_BASE,)),
    ],
)
def test_faults_of_a_base(base: BaseState | None, faults: tuple[str, ...]) -> None:
    assert base_faults(base, 0.6, 0.05) == faults
