# SPDX-License-Identifier: Apache-2.0
import numpy as np

from kata_core import JointState, load_robot
from kata_core.observation import Observer

TERMS = (
    *("joint_position", "joint_velocity", "frame_position/right_palm", "frame_position/left_palm"),
    *("object_position/ball", "object_from_frame/ball/right_palm"),
)
STEP = 1e-3


def test_jacobians_are_those_of_the_differences() -> None:
    g1, rng = load_robot("g1"), np.random.default_rng(0)
    joints = ("right_elbow_joint", "waist_yaw_joint", "left_shoulder_roll_joint")
    observer, seen = Observer(g1, TERMS, joints), {"ball": rng.normal(size=3)}
    for _ in range(5):
        position, velocity = rng.uniform(g1.lower, g1.upper), rng.normal(size=len(g1.layout))
        found = observer.jacobian(JointState(0, position, velocity, velocity))
        assert list(found) == list(TERMS)
        for column, index in enumerate(g1.layout.indices(joints)):
            push = np.zeros(len(position))
            push[index] = STEP
            ahead, behind = (observer.observe(JointState(0, position + way * push, velocity, velocity), seen) for way in (1, -1))
            assert ahead is not None and behind is not None
            for term in TERMS:
                slope = (ahead[term].astype(float) - behind[term]) / (2 * STEP)
                np.testing.assert_allclose(found[term][..., column], slope, atol=5e-4)


def test_a_term_without_frames_needs_none() -> None:
    g1 = load_robot("g1")
    found = Observer(g1, ["joint_position"], ["right_elbow_joint"]).jacobian(JointState(0, g1.rest, g1.rest, g1.rest))
    np.testing.assert_array_equal(found["joint_position"], [[1.0]])
