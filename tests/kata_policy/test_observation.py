# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pinocchio as pin

from kata_model import JointState, load_robot
from kata_policy.observation import Observer

TERMS = (
    *("joint_position", "joint_velocity", "frame_position/right_palm", "frame_position/left_palm"),
    *("object_position/ball", "object_from_frame/ball/right_palm", "object_rotation/ball"),
)
STEP = 1e-3


def test_jacobians_are_those_of_the_differences() -> None:
    g1, rng = load_robot("g1"), np.random.default_rng(0)
    joints = ("right_elbow_joint", "waist_yaw_joint", "left_shoulder_roll_joint")
    observer, seen = Observer(g1, TERMS, joints), {"ball": rng.normal(size=7)}
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


def test_objects_are_seen_with_their_turn() -> None:
    robot = load_robot("g1")
    observer = Observer(robot, ("object_position/box", "object_rotation/box"), ("right_elbow_joint",))
    still = np.zeros(len(robot.layout))
    turn = pin.Quaternion(0.4, -0.3, 0.8, 0.33).normalized()
    pose = np.array([0.3, 0.1, -0.2, *turn.coeffs()])
    seen = observer.observe(JointState(0, still, still, still), {"box": pose})
    assert seen is not None
    np.testing.assert_allclose(seen["object_position/box"], pose[:3], rtol=1e-6)
    np.testing.assert_allclose(seen["object_rotation/box"], turn.toRotationMatrix()[:, :2].T.ravel(), atol=1e-6)
    assert [spec.shape for spec in observer.terms] == [(3,), (6,)]
    lost = observer.observe(JointState(0, still, still, still), {"box": np.zeros(7)})
    assert lost is not None and np.isnan(lost["object_rotation/box"]).all()
