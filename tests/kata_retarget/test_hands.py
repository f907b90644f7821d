# SPDX-License-Identifier: Apache-2.0
"""Clutched hands: displacement is repeated, engaging moves nothing."""

from collections.abc import Callable

import numpy as np
import pinocchio as pin
import pytest

from kata_model import HumanFrames, JointState, RobotModel
from kata_retarget.hands import HandsConfig, HandsRetargeter

StateAt = Callable[..., JointState]


def hand(
    position: list[float], engaged: bool = True, rotation: np.ndarray | None = None, name: str = "right_hand"
) -> HumanFrames:
    turn = pin.Quaternion(np.eye(3) if rotation is None else rotation).coeffs()
    return HumanFrames(0, "test", engaged, (name,), np.array([position]), np.array([turn]), np.ones(1))


@pytest.fixture
def retargeter(g1: RobotModel) -> HandsRetargeter:
    return HandsRetargeter(g1, HandsConfig())


@pytest.mark.parametrize("start", [[0.0, 0.0, 0.0], [5.0, -3.0, 1.0]])
def test_engaging_moves_nothing(retargeter: HandsRetargeter, state_at: StateAt, g1: RobotModel, start: list[float]) -> None:
    assert retargeter.step(hand(start), state_at()).position == pytest.approx(g1.rest, abs=1e-9)


def test_the_palm_repeats_the_hand(retargeter: HandsRetargeter, state_at: StateAt, g1: RobotModel) -> None:
    before = g1.frame_poses(g1.rest, ("right_palm",))[0]
    way, turn = np.array([0.08, 0.05, 0.15]), pin.exp3(np.array([0.0, 0.0, 0.3]))
    for share in np.linspace(0.0, 1.0, 60):
        solved = retargeter.step(hand(list(1.0 + share * way), rotation=pin.exp3(share * pin.log3(turn))), state_at())
    after = g1.frame_poses(solved.position, ("right_palm",))[0]
    assert after.translation - before.translation == pytest.approx(way, abs=2e-3)
    assert np.linalg.norm(pin.log3(after.rotation @ before.rotation.T @ turn.T)) < 0.02


def test_the_other_arm_and_the_waist_stay(retargeter: HandsRetargeter, state_at: StateAt, g1: RobotModel) -> None:
    retargeter.step(hand([0.0, 0.0, 0.0]), state_at())
    solved = retargeter.step(hand([0.1, 0.0, 0.1]), state_at())
    others = [i for i, n in enumerate(g1.layout.names) if n not in g1.description.groups["right_arm"]]
    assert solved.position[others] == pytest.approx(g1.rest[others])


def test_releasing_and_gripping_elsewhere_moves_nothing(retargeter: HandsRetargeter, state_at: StateAt) -> None:
    retargeter.step(hand([0.0, 0.0, 0.0]), state_at())
    moved = retargeter.step(hand([0.05, 0.0, 0.1]), state_at()).position
    assert retargeter.step(hand([0.05, 0.0, 0.1], engaged=False), state_at()).position is None
    again = retargeter.step(hand([3.0, 3.0, 3.0]), state_at(position=moved)).position
    assert again == pytest.approx(moved, abs=1e-9)


def test_an_unreachable_hand_stays_within_joint_limits(retargeter: HandsRetargeter, state_at: StateAt, g1: RobotModel) -> None:
    retargeter.step(hand([0.0, 0.0, 0.0]), state_at())
    for far in np.linspace(0.0, 5.0, 40):
        solved = retargeter.step(hand([far, -far, far]), state_at()).position
        assert np.isfinite(solved).all() and (g1.lower <= solved).all() and (solved <= g1.upper).all()


@pytest.mark.parametrize("bad", [[np.nan, 0.0, 0.0], [np.inf, 0.0, 0.0]])
def test_a_hand_that_is_not_finite_is_lost(retargeter: HandsRetargeter, state_at: StateAt, bad: list[float]) -> None:
    solved = retargeter.step(hand(bad), state_at())
    assert solved.position is None and solved.reasons == ("no_hands",)


def test_only_a_hand_that_was_tracked_is_reported_as_lost(retargeter: HandsRetargeter, state_at: StateAt) -> None:
    assert retargeter.step(hand([0.0, 0.0, 0.0]), state_at()).reasons == ()
    retargeter.step(hand([0.0, 0.0, 0.0], name="left_hand"), state_at())
    assert retargeter.step(hand([0.0, 0.0, 0.0], name="left_hand"), state_at()).reasons == ("lost_right_hand",)
    retargeter.step(hand([0.0, 0.0, 0.0], engaged=False), state_at())
    assert retargeter.step(hand([0.0, 0.0, 0.0], name="left_hand"), state_at()).reasons == ()
