# SPDX-License-Identifier: Apache-2.0
"""The numeric kernels: Jacobians against finite differences, solvers against scipy."""

import numpy as np
import pinocchio as pin
import pytest
from scipy.optimize import lsq_linear, minimize
from scipy.spatial.transform import Rotation

from kata_model import RobotModel
from kata_model.collision import capsule_arrays, load_capsules
from kata_model.kinematics.tree import Pose, Tree, angular_columns, forward, make_tree, new_pose, point_columns, point_of
from kata_retarget.solver.inequality import add_one_sided, new_one_sided, solve_one_sided
from kata_retarget.solver.quadratic import solve_box
from kata_retarget.solver.repulsion import add_repulsion, new_nearness, pair_gap, place_capsules
from kata_retarget.solver.rotation import exponential, logarithm, matrix_of, multiply, quaternion_of

STEP = 1e-6


@pytest.fixture(scope="module")
def tree(g1: RobotModel) -> Tree:
    return make_tree(g1.pinocchio)


def posture(g1: RobotModel, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(g1.lower, g1.upper)


def moved(tree: Tree, position: np.ndarray, step: np.ndarray) -> Pose:
    """Return poses after a step of all degrees of freedom from a turned and shifted base."""
    pose, turn = new_pose(tree), np.empty((3, 3))
    pose.position[0] = np.array([0.3, -0.2, 0.9]) + step[:3]
    exponential(step[3:6], turn)
    multiply(turn, Rotation.from_rotvec([0.3, -0.5, 0.8]).as_matrix(), pose.rotation[0])
    forward(tree, position + step[6:], pose)
    return pose


def test_forward_kinematics_agree_with_pinocchio(g1: RobotModel, tree: Tree) -> None:
    position, pose, data = posture(g1, 1), new_pose(tree), g1.pinocchio.createData()
    pose.rotation[0] = np.eye(3)
    forward(tree, position, pose)
    pin.forwardKinematics(g1.pinocchio, data, position)
    for i in range(1, g1.pinocchio.njoints):
        np.testing.assert_allclose(pose.position[i], data.oMi[i].translation, atol=1e-12)
        np.testing.assert_allclose(pose.rotation[i], data.oMi[i].rotation, atol=1e-12)


@pytest.mark.parametrize("body", [6, 15, 22])
def test_point_jacobian_agrees_with_finite_differences(g1: RobotModel, tree: Tree, body: int) -> None:
    position, offset = posture(g1, body), np.array([0.05, -0.02, 0.1])
    d = 6 + len(position)
    index, columns, jacobian, point = np.zeros(d, dtype=np.int64), np.zeros((d, 3)), np.zeros((3, d)), np.zeros(3)
    pose = moved(tree, position, np.zeros(d))
    point_of(pose, body, offset, point)
    count = point_columns(tree, pose, body, point, index, columns)
    jacobian[:, index[:count]] = columns[:count].T
    for k in range(d):
        ends = []
        for sign in (1.0, -1.0):
            end = np.zeros(3)
            point_of(moved(tree, position, sign * STEP * np.eye(d)[k]), body, offset, end)
            ends.append(end)
        np.testing.assert_allclose((ends[0] - ends[1]) / (2 * STEP), jacobian[:, k], atol=1e-7)
    assert (np.diff(index[:count]) < 0).all()


def test_angular_jacobian_agrees_with_finite_differences(g1: RobotModel, tree: Tree) -> None:
    body, position = 21, posture(g1, 3)
    d = 6 + len(position)
    index, columns, jacobian = np.zeros(d, dtype=np.int64), np.zeros((d, 3)), np.zeros((3, d))
    pose = moved(tree, position, np.zeros(d))
    count = angular_columns(tree, pose, body, index, columns)
    jacobian[:, index[:count]] = columns[:count].T
    for k in range(d):
        turned = moved(tree, position, STEP * np.eye(d)[k]).rotation[body] @ pose.rotation[body].T
        vector = np.zeros(3)
        logarithm(turned, vector)
        np.testing.assert_allclose(vector / STEP, jacobian[:, k], atol=1e-5)


def test_gap_rows_agree_with_finite_differences(g1: RobotModel, tree: Tree) -> None:
    capsules = capsule_arrays(g1, load_capsules(g1))
    near, position = new_nearness(len(capsules.body)), np.array(g1.rest)
    d = 6 + len(position)
    rows = new_one_sided(d)
    pose = moved(tree, position, np.zeros(d))
    place_capsules(capsules, pose, near)
    add_repulsion(tree, capsules, pose, 0.05, 1.0, near, rows)
    assert rows.used[0] > 3

    def gaps(step: np.ndarray) -> np.ndarray:
        place_capsules(capsules, moved(tree, position, step), near)
        return np.array([pair_gap(capsules, near, p) for p in range(len(capsules.pair))])

    at_rest = gaps(np.zeros(d))
    for r in range(min(5, rows.used[0])):
        pair = int(np.argmin(np.abs(at_rest - (0.05 - rows.shortfall[r]))))
        numeric = np.array([(gaps(STEP * e)[pair] - gaps(-STEP * e)[pair]) / (2 * STEP) for e in np.eye(d)])
        np.testing.assert_allclose(numeric, rows.row[r], atol=1e-6)


@pytest.mark.parametrize("angle", [0.0, 1e-10, 1e-4, 1.0, 3.0, np.pi - 1e-7])
def test_exponential_and_logarithm_are_inverse(angle: float) -> None:
    vector, matrix, back, q, again = (
        angle * np.array([0.6, -0.64, 0.48]),
        np.empty((3, 3)),
        np.empty(3),
        np.empty(4),
        np.empty((3, 3)),
    )
    exponential(vector, matrix)
    np.testing.assert_allclose(matrix, Rotation.from_rotvec(vector).as_matrix(), atol=1e-12)
    logarithm(matrix, back)
    np.testing.assert_allclose(back, vector, atol=1e-7)
    quaternion_of(matrix, q)
    matrix_of(-2.0 * q, again)
    np.testing.assert_allclose(again, matrix, atol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_box_solver_agrees_with_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    A, b = rng.normal(size=(30, 12)), rng.normal(size=30)
    low, high = -rng.uniform(0.0, 0.3, 12), rng.uniform(0.0, 0.3, 12)
    low[3] = high[3] = 0.1
    x = np.zeros(12)
    solve_box(A.T @ A, A.T @ b, low, high, x)
    high[3] += 1e-12
    np.testing.assert_allclose(x, lsq_linear(A, b, (low, high), tol=1e-14).x, atol=1e-6)


@pytest.mark.parametrize("seed", range(10))
def test_one_sided_rows_agree_with_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    d = 8
    A, b, R, s = rng.normal(size=(20, d)), rng.normal(size=20), rng.normal(size=(5, d)), rng.normal(size=5)
    rows = new_one_sided(d)
    for row, shortfall in zip(R, s, strict=True):
        rows.row[add_one_sided(rows, shortfall, 50.0)] = row
    x, low, high = np.zeros(d), np.full(d, -0.5), np.full(d, 0.5)
    solve_one_sided(A.T @ A, A.T @ b, rows, low, high, x)

    def cost(x: np.ndarray) -> float:
        return float(0.5 * np.sum((A @ x - b) ** 2) + 0.5 * 50.0 * np.sum(np.maximum(0.0, s - R @ x) ** 2))

    best = minimize(cost, x, bounds=[(-0.5, 0.5)] * d, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-10})
    assert cost(x) <= best.fun + 1e-6
