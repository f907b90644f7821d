# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from kata_model import RobotError, load_robot
from kata_model.robot import MIRROR, find_symmetry, mirrored_name


@pytest.fixture(scope="module", params=["g1", "talos"])
def robot(request):
    return load_robot(request.param)


def test_a_mirrored_posture_puts_each_palm_where_the_other_ones_image_is(robot):
    symmetry, rng = find_symmetry(robot), np.random.default_rng(1)
    hands = tuple(spec.frame for spec in robot.description.hands.values())
    for posture in rng.uniform(robot.lower, robot.upper, (20, len(robot.layout))):
        here = dict(zip(hands, robot.frame_poses(posture, hands), strict=True))
        there = dict(zip(hands, robot.frame_poses(symmetry.mirror(posture), hands), strict=True))
        for hand in hands:
            image = MIRROR * here[hand].translation
            np.testing.assert_allclose(there[mirrored_name(hand)].translation, image, atol=0.005)


def test_mirroring_twice_is_nothing_and_the_rest_posture_is_its_own_image(robot):
    symmetry = find_symmetry(robot)
    posture = np.random.default_rng(2).uniform(robot.lower, robot.upper, (4, len(robot.layout)))
    np.testing.assert_array_equal(symmetry.mirror(symmetry.mirror(posture)), posture)
    np.testing.assert_allclose(symmetry.mirror(robot.rest), robot.rest, atol=1e-9)
    image = symmetry.mirror([robot.lower, robot.upper])
    np.testing.assert_allclose(np.sort(image, axis=0), [robot.lower, robot.upper], atol=1e-9)


def test_a_robot_with_one_arm_has_no_symmetry():
    with pytest.raises(RobotError, match="not symmetric"):
        find_symmetry(load_robot("toy"))


@pytest.mark.parametrize(
    ("name", "other"),
    [("left_palm", "right_palm"), ("arm_right_1_joint", "arm_left_1_joint"), ("l_elbow", "r_elbow"), ("waist_roll_joint",) * 2],
)
def test_names_of_the_other_side(name, other):
    assert mirrored_name(name) == other
