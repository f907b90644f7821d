# SPDX-License-Identifier: Apache-2.0
"""Motions checked offline: each kind of violation is found where it was put, and only there."""

import numpy as np
import pytest

from kata_model import JointState, Reason, RobotModel
from kata_model.errors import DataError
from kata_model.joints import JointCommand
from kata_safety import JointLimits, Received, SafetyConfig, SafetyFilter
from kata_safety.check import KINDS, Motion, UsageMeter, find_violations, pass_motion, pass_recorded

RATE = 100.0
JOINT = "right_elbow_joint"


@pytest.fixture(scope="module")
def meter(g1: RobotModel) -> UsageMeter:
    return UsageMeter(g1, SafetyConfig())


def swing(robot: RobotModel, way: np.ndarray, joint: str = JOINT) -> Motion:
    """Return a motion in which one joint goes a way from its place at rest, shape (N,), [rad], at RATE."""
    position = np.tile(robot.rest, (len(way), 1))
    position[:, robot.layout.names.index(joint)] += way
    return Motion.clean(np.arange(len(way)) * round(1e9 / RATE), position)


def smooth(size: float, seconds: float) -> np.ndarray:
    return size * 0.5 * (1.0 - np.cos(2.0 * np.pi * np.arange(round(seconds * RATE)) / (seconds * RATE)))


def kinds(robot: RobotModel, meter: UsageMeter, motion: Motion) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for violation in find_violations(motion, meter.measure(motion), robot.layout.names):
        found.setdefault(violation.kind, set()).add(violation.joint)
    return found


def test_a_gentle_motion_is_clean_and_passes_the_filter_unchanged(g1: RobotModel, meter: UsageMeter) -> None:
    motion = swing(g1, smooth(0.5, 3.0))
    assert kinds(g1, meter, motion) == {}
    passage = pass_motion(SafetyFilter(g1, SafetyConfig()), g1, motion, 250.0, lambda: None)
    assert passage.statuses["following"] == len(passage.verdicts)
    assert passage.change().max() < np.radians(0.5)


def test_a_joint_beyond_its_range(g1: RobotModel, meter: UsageMeter) -> None:
    joint = g1.layout.names.index(JOINT)
    motion = swing(g1, smooth(float(g1.upper[joint] - g1.rest[joint]) + 0.1, 4.0))
    found = find_violations(motion, meter.measure(motion), g1.layout.names)
    position = [violation for violation in found if violation.kind == "position"]
    assert [violation.joint for violation in position] == [JOINT]
    assert position[0].worst == pytest.approx(2.0, abs=0.02)
    middle, half = (g1.upper[joint] + g1.lower[joint]) / 2, (g1.upper[joint] - g1.lower[joint]) / 2
    assert position[0].share == pytest.approx((g1.upper[joint] + 0.1 - middle) / half)
    assert position[0].begin < 2.0 < position[0].end
    command = pass_motion(SafetyFilter(g1, SafetyConfig()), g1, motion, 250.0, lambda: None)
    assert command.command[:, joint].max() < g1.upper[joint]
    assert command.change()[:, joint].max() > 0.1


def test_a_joint_that_is_too_fast(g1: RobotModel, meter: UsageMeter) -> None:
    joint = g1.layout.names.index(JOINT)
    way = np.clip(np.arange(100) / RATE - 0.5, 0.0, 0.04) * 1.1 * g1.max_velocity[joint]
    assert JOINT in kinds(g1, meter, swing(g1, way))["velocity"]
    assert "position" not in kinds(g1, meter, swing(g1, way))


def test_a_joint_that_shakes_breaks_the_acceleration_limit_alone(g1: RobotModel, meter: UsageMeter) -> None:
    limit = np.asarray(JointLimits.of(g1, SafetyConfig()).acceleration)[g1.layout.names.index(JOINT)]
    way = 0.35 * limit / RATE**2 * (np.arange(100) % 2)  # differences of second order: twice the step, each sample
    assert kinds(g1, meter, swing(g1, way)) == {}
    assert kinds(g1, meter, swing(g1, 2.0 * way)) == {"acceleration": {JOINT}}


def test_a_motor_that_is_too_weak(g1: RobotModel, meter: UsageMeter) -> None:
    motion = swing(g1, smooth(0.3, 0.2), "waist_pitch_joint")
    assert "waist_pitch_joint" in kinds(g1, meter, motion)["effort"]


def test_a_robot_that_hits_itself_names_the_joints_that_move_the_parts(g1: RobotModel, meter: UsageMeter) -> None:
    motion = swing(g1, smooth(0.9, 4.0), "right_shoulder_roll_joint")  # the arm into the trunk
    usage = meter.measure(motion)
    assert usage.apart.min() < 0.0
    found = kinds(g1, meter, motion)["collision"]
    assert "right_shoulder_roll_joint" in found
    assert not any(name.startswith("left_hip") for name in found)
    assert meter.overlap(float(usage.share["collision"].max())) == pytest.approx(-usage.apart.min())


def test_risk_is_the_largest_share(g1: RobotModel, meter: UsageMeter) -> None:
    usage = meter.measure(swing(g1, smooth(0.5, 1.0)))
    assert set(usage.share) == set(KINDS)
    assert (usage.risk >= usage.share["effort"]).all()
    assert all(np.isfinite(share).all() and (share >= 0.0).all() for share in usage.share.values())


def test_broken_samples_are_counted_and_left_out(g1: RobotModel) -> None:
    motion = swing(g1, smooth(0.5, 1.0))
    stamp, position = motion.stamp.copy(), motion.position.copy()
    position[10, 0], stamp[20], stamp[30] = np.nan, stamp[5], stamp[29]
    cleaned = Motion.clean(stamp, position)
    assert cleaned.faults == {Reason.NOT_FINITE: 1, Reason.OUT_OF_ORDER: 1, Reason.DUPLICATED: 1}
    assert len(cleaned) == 97
    with pytest.raises(DataError, match=r"walk\.npz: 2 samples"):
        Motion.clean(stamp[:2], position[:2], where="walk.npz")


def test_nothing_moves_over_a_gap(g1: RobotModel, meter: UsageMeter) -> None:
    motion = swing(g1, np.repeat([0.0, 0.8], 20))
    stamp = motion.stamp + np.repeat([0, 10**9], 20)
    assert kinds(g1, meter, Motion.clean(stamp, motion.position)) == {}
    assert kinds(g1, meter, motion) != {}


def test_recorded_targets_pass_beside_recorded_states(g1: RobotModel) -> None:
    zero, start = np.zeros(29), 10**9
    states = [JointState(start + i * 4_000_000, g1.rest, zero, zero) for i in range(250)]
    way = smooth(0.2, 1.0)
    targets = []
    for i in range(50):  # the source falls silent after half of the time
        position = g1.rest.copy()
        position[g1.layout.names.index(JOINT)] += way[i]
        stamp = start + i * 10_000_000
        targets.append(Received(JointCommand.at(stamp, position, g1.stiffness, g1.damping), stamp + 1_000_000))
    passage = pass_recorded(SafetyFilter(g1, SafetyConfig()), states, targets, 250.0, lambda: None)
    assert passage.reasons[Reason.NO_TARGET] == 1
    assert passage.reasons[Reason.STALE_TARGET] == pytest.approx(105, abs=3)
    assert np.isnan(passage.target[-1]).all() and not np.isnan(passage.target[50]).any()
