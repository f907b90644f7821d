# SPDX-License-Identifier: Apache-2.0
"""A person seen by a headset and two controllers only."""

from dataclasses import replace

import numpy as np
import pytest
from moving_human import swinging

from kata_model import HumanFrames, RobotModel
from kata_retarget import BodyRetargeter, RetargetConfig
from kata_retarget.upper import hinge_of

SECOND = 1_000_000_000
SEEN = ("head", "left_hand", "right_hand")


def head_and_hands(t: float, seen: tuple[str, ...] = SEEN) -> HumanFrames:
    whole = swinging(t)
    rows = [whole.names.index(name) for name in seen]
    return HumanFrames(
        round(t * SECOND), "vr", True, seen, whole.position[rows], whole.orientation_xyzw[rows], whole.confidence[rows]
    )


@pytest.fixture(scope="module", params=[True, False], ids=["floating", "fixed"])
def retargeter(request: pytest.FixtureRequest, g1: RobotModel) -> BodyRetargeter:
    return BodyRetargeter(g1, RetargetConfig(floating_base=request.param))


def test_the_upper_body_is_much_as_if_the_whole_person_were_seen(g1: RobotModel, retargeter: BodyRetargeter) -> None:
    retargeter.reset()
    made_up = [retargeter.step(head_and_hands(i / 30)) for i in range(60)]
    retargeter.reset()
    seen = [retargeter.step(replace(swinging(i / 30), stamp=round(i * SECOND / 30))) for i in range(60)]
    hands = ("left_wrist_yaw_link", "right_wrist_yaw_link")
    apart = [
        np.linalg.norm(a.translation - b.translation)
        for one, other in zip(made_up, seen, strict=True)
        for a, b in zip(g1.frame_poses(one.position, hands), g1.frame_poses(other.position, hands), strict=True)
    ]
    assert np.mean(apart) < 0.08
    position = np.array([result.position for result in made_up])
    assert (position >= g1.lower).all() and (position <= g1.upper).all()
    acceleration = np.diff(position, n=2, axis=0) * 30.0**2
    assert np.abs(acceleration).max() <= RetargetConfig().max_acceleration * (1.0 + 1e-6)


def test_a_hand_is_lost_only_if_it_was_there(retargeter: BodyRetargeter) -> None:
    retargeter.reset()
    assert retargeter.step(head_and_hands(0.0, ("head", "right_hand"))).reasons == ()
    retargeter.step(head_and_hands(0.1))
    last = retargeter.step(head_and_hands(0.2, ("head", "right_hand")))
    assert last.reasons == ("lost_left_hand",) and last.position is not None


def test_without_a_head_there_is_nothing_to_follow(retargeter: BodyRetargeter) -> None:
    retargeter.reset()
    retargeter.step(head_and_hands(0.0))
    blind = replace(head_and_hands(0.1), confidence=np.array([0.0, 1.0, 1.0]))
    assert retargeter.step(blind).reasons == ("lost_body",)


def test_a_squat_bends_the_knees(g1: RobotModel) -> None:
    body = BodyRetargeter(g1)
    knees = g1.layout.indices(["left_knee_joint", "right_knee_joint"])
    found = []
    for i in range(60):
        sample = head_and_hands(i / 30)
        found.append(body.step(replace(sample, position=sample.position - np.array([0.0, 0.0, 0.3 * min(i / 30, 1.0)]))).position)
    assert (found[-1][knees] - found[0][knees] > 0.5).all()


@pytest.mark.parametrize("end", [[0.3, 0.1, -0.2], [0.0, 0.0, -2.0], [0.0, 0.0, 0.0], [0.01, 0.0, 0.0]])
def test_a_hinge_is_at_the_end_of_the_first_bone_on_the_side_of_its_pole(end: list[float]) -> None:
    pole = np.array([-0.4, 0.5, -1.0])
    hinge = hinge_of(np.zeros(3), np.array(end), (0.28, 0.26), pole)
    assert np.linalg.norm(hinge) == pytest.approx(0.28)
    if np.linalg.norm(end) > 0.1:
        across = hinge - (hinge @ np.array(end)) / (np.array(end) @ np.array(end)) * np.array(end)
        assert across @ pole >= 0.0
    reach = np.linalg.norm(end)
    if 0.05 < reach < 0.5:
        assert np.linalg.norm(np.array(end) - hinge) == pytest.approx(0.26)
