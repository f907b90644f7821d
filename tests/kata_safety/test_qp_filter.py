# SPDX-License-Identifier: Apache-2.0
"""The QP filter: inverse dynamics, separations and their gradients, certificates, and what each constraint is good for."""

import os
import subprocess
import sys
from dataclasses import replace

import daqp
import numpy as np
import pinocchio as pin
import pytest
from commanded_motion import CommandedMotion
from hypothesis import given, settings
from hypothesis import strategies as st

from kata_model import JointFlag, Reason, RobotModel
from kata_model.kinematics.tree import forward
from kata_safety import QPFilter, SafetyConfig, Shapes, load_shapes
from kata_safety.qp.braking import Allowed, follow_to_rest, new_braking_path
from kata_safety.qp.dynamics_model import make_dynamics_model, new_scratch
from kata_safety.qp.efforts import inverse_dynamics
from kata_safety.qp.inertia import inertia_matrix
from kata_safety.qp.qp_assembly import FEASIBLE, assemble, new_program
from kata_safety.qp.quadratic_program import solve
from kata_safety.qp.segments import closest
from kata_safety.qp.separation import place, separation, separation_row, separations
from kata_safety.qp.shapes import Capsule, Gap, Half

PERIOD = 0.004


@pytest.fixture(scope="session")
def shapes(g1: RobotModel) -> Shapes:
    return load_shapes(g1)


@pytest.fixture(scope="session")
def bounded(g1: RobotModel, shapes: Shapes) -> Shapes:
    """Return shapes with a workspace: a wall on the robot's right and a ball before it."""
    hand = len(shapes.capsules)
    frame = g1.pinocchio.frames[g1.frame_id("right_palm")]
    ball = np.array([0.45, -0.2, 0.2])
    capsules = (
        *shapes.capsules,
        Capsule(int(frame.parentJoint), frame.placement.translation, frame.placement.translation, 0.05),
        Capsule(0, ball, ball, 0.1),
    )
    return Shapes(capsules, (*shapes.gaps, Gap(hand, hand + 1, 0.0, True)), (Half(hand, np.array([0.0, -1.0, 0.0]), 0.4),))


_PLANTS: dict[int, tuple] = {}
"""Arrays by the identity of their shapes, which are kept, since making them takes long."""


def apart(robot: RobotModel, shapes: Shapes, position: np.ndarray) -> np.ndarray:
    if id(shapes) not in _PLANTS:
        model = make_dynamics_model(robot, shapes)
        _PLANTS[id(shapes)] = (shapes, model, new_scratch(model), np.zeros(len(model.first)))
    _, model, scratch, out = _PLANTS[id(shapes)]
    forward(model.tree, position, scratch.pose)
    place(model, scratch)
    separations(model, scratch, out)
    return out.copy()


def test_inverse_dynamics_are_pinocchios(g1: RobotModel, shapes: Shapes) -> None:
    model, rng, data = make_dynamics_model(g1, shapes), np.random.default_rng(0), g1.pinocchio.createData()
    scratch = new_scratch(model)
    for _ in range(10):
        q, v, a = rng.uniform(g1.lower, g1.upper), rng.normal(0, 3, 29), rng.normal(0, 20, 29)
        forward(model.tree, q, scratch.pose)
        inverse_dynamics(model, scratch, v, a)
        assert scratch.effort - model.armature * a == pytest.approx(pin.rnea(g1.pinocchio, data, q, v, a), abs=1e-9)


def test_the_inertia_matrix_is_pinocchios(g1: RobotModel, shapes: Shapes) -> None:
    model, rng, data = make_dynamics_model(g1, shapes), np.random.default_rng(0), g1.pinocchio.createData()
    scratch, found = new_scratch(model), np.zeros((29, 29))
    for _ in range(5):
        q = rng.uniform(g1.lower, g1.upper)
        forward(model.tree, q, scratch.pose)
        inertia_matrix(model, scratch, found)
        upper = np.triu(pin.crba(g1.pinocchio, data, q))
        assert found - np.diag(model.armature) == pytest.approx(upper + np.triu(upper, 1).T, abs=1e-9)


@settings(max_examples=100)
@given(st.lists(st.floats(-1.0, 1.0), min_size=12, max_size=12))
def test_closest_points_are_closest(numbers: list[float]) -> None:
    ends, pair = np.array(numbers).reshape(2, 2, 3), np.zeros((2, 3))
    found = closest(ends, 0, 1, pair)
    grid = np.linspace(0, 1, 41)
    a = ends[0, 0] + grid[:, None] * (ends[0, 1] - ends[0, 0])
    b = ends[1, 0] + grid[:, None] * (ends[1, 1] - ends[1, 0])
    assert found <= np.linalg.norm(a[:, None] - b[None], axis=2).min() + 1e-9
    assert found == pytest.approx(np.linalg.norm(pair[0] - pair[1]))


def test_gradients_of_separations(g1: RobotModel, bounded: Shapes) -> None:
    model, rng = make_dynamics_model(g1, bounded), np.random.default_rng(1)
    scratch, row = new_scratch(model), np.zeros(29)
    position = g1.rest + rng.normal(0, 0.2, 29)
    for m in (*range(0, model.gaps, 97), model.gaps - 1, model.gaps):
        forward(model.tree, position, scratch.pose)
        place(model, scratch)
        separation(model, scratch, m)
        separation_row(model, scratch, m, row)
        numeric = np.zeros(29)
        for j in range(29):
            step = np.zeros(29)
            step[j] = 1e-6
            numeric[j] = (apart(g1, bounded, position + step)[m] - apart(g1, bounded, position - step)[m]) / 2e-6
        assert row == pytest.approx(numeric, abs=1e-6)


def test_no_motion_changes_a_separation_by_more_than_its_reach(g1: RobotModel, bounded: Shapes) -> None:
    model, rng = make_dynamics_model(g1, bounded), np.random.default_rng(2)
    for _ in range(30):
        a = rng.uniform(g1.lower, g1.upper)
        b = np.clip(a + rng.normal(0, 0.3, 29), g1.lower, g1.upper)
        change = np.abs(apart(g1, bounded, a) - apart(g1, bounded, b))
        assert (change <= model.reach @ np.abs(a - b) + 1e-9).all()


def test_the_certificate_bounds_the_path_between_its_ticks(g1: RobotModel, shapes: Shapes) -> None:
    model, rng = make_dynamics_model(g1, shapes), np.random.default_rng(3)
    scratch, path, change = new_scratch(model), new_braking_path(model), np.full(29, 0.3)
    for _ in range(5):
        position, velocity = rng.uniform(g1.lower, g1.upper), rng.normal(0, 2, 29)
        start = apart(g1, shapes, position)
        state, every = np.array([position, velocity, velocity]), np.arange(len(start))
        allowed = Allowed(start, np.zeros(len(start), dtype=bool), start, g1.max_effort)
        follow_to_rest(model, scratch, path, state, start, every, change, PERIOD, 0.05, allowed)
        least, q, v = start, position, velocity
        while np.abs(v).max() > 0:
            for share in np.linspace(0.2, 1.0, 5):
                least = np.minimum(least, apart(g1, shapes, q + share * PERIOD * v))
            q, v = q + PERIOD * v, v - np.clip(v, -change, change)
        assert (path.nearest <= np.maximum(least, 0.05) + 1e-9).all()


@pytest.mark.parametrize("seed", range(3))
def test_braking_stays_admissible_from_every_state_reached(g1: RobotModel, bounded: Shapes, seed: int) -> None:
    """Recursive feasibility: wherever a wild wish has led, braking alone keeps every limit."""
    rng, config = np.random.default_rng(seed), SafetyConfig()
    qp_filter = QPFilter(g1, bounded, config)
    limits = qp_filter.limits
    start = np.clip(g1.rest, limits.lower, limits.upper)
    motion = CommandedMotion(qp_filter, start)
    border = make_dynamics_model(g1, bounded).border
    margin = np.where(border, config.workspace_margin, config.collision_margin)
    assert (apart(g1, bounded, start) >= margin).all()
    for _ in range(15):
        wish = rng.uniform(-12, 12, 29) * (rng.random(29) < 0.6)
        for _ in range(int(rng.integers(1, 12))):
            step = motion.step(wish)
            assert (np.abs(step.effort) <= config.effort_scale * g1.max_effort + 1e-6).all()
        position, velocity = motion.position, motion.velocity
        while np.abs(velocity).max() > 0:
            velocity = velocity - np.clip(velocity, -limits.change, limits.change)
            position = position + PERIOD * velocity
            assert (apart(g1, bounded, position) >= margin - 1e-8).all()
            assert (position >= limits.lower - 1e-9).all()
            assert (position <= limits.upper + 1e-9).all()


def test_a_wish_that_breaks_nothing_is_granted(g1: RobotModel, shapes: Shapes) -> None:
    motion = CommandedMotion(QPFilter(g1, shapes, SafetyConfig()), g1.rest)
    wish = np.zeros(29)
    wish[g1.layout.names.index("right_elbow_joint")] = 0.1
    step = motion.step(wish)
    assert np.array_equal(step.velocity, wish)
    assert step.reasons == () and not step.flags.any()


def test_hands_stay_apart_and_the_verdict_says_why(g1: RobotModel, shapes: Shapes) -> None:
    motion, names = CommandedMotion(QPFilter(g1, shapes, SafetyConfig()), g1.rest), g1.layout.names
    wish, reasons, flags = np.zeros(29), set(), 0
    wish[names.index("left_shoulder_yaw_joint")], wish[names.index("right_shoulder_yaw_joint")] = -1.0, 1.0
    for _ in range(500):
        step = motion.step(wish)
        reasons |= set(step.reasons)
        flags |= int(np.bitwise_or.reduce(step.flags))
    assert Reason.SELF_COLLISION in reasons and flags & JointFlag.COLLISION
    assert apart(g1, shapes, motion.position).min() >= SafetyConfig().collision_margin - 1e-9


def test_a_robot_in_itself_is_led_apart(g1: RobotModel, shapes: Shapes) -> None:
    rng = np.random.default_rng(0)
    while True:
        inside = g1.rest + 0.8 * (rng.uniform(g1.lower, g1.upper) - g1.rest)
        if -0.02 < apart(g1, shapes, inside).min() < 0.0:
            break
    motion = CommandedMotion(QPFilter(g1, shapes, SafetyConfig()), inside)
    before, seen = apart(g1, shapes, inside).min(), set()
    for _ in range(400):
        seen |= set(motion.step(np.zeros(29)).reasons)
        now = apart(g1, shapes, motion.position).min()
        assert now >= before - 2e-6
        before = now
    assert Reason.OUTSIDE in seen
    assert before > 0.0


MUTANTS = ("position", "velocity", "acceleration", "effort", "self_collision", "workspace")


def worst(g1: RobotModel, robot: RobotModel, shapes: Shapes, real: Shapes, config: SafetyConfig) -> dict[str, float]:
    """Drive a motion wildly and return by how much each limit of the real robot was exceeded."""
    rng, motion = np.random.default_rng(7), CommandedMotion(QPFilter(robot, shapes, config), g1.rest)
    most = np.minimum(g1.max_velocity, SafetyConfig().max_velocity)
    found = dict.fromkeys(MUTANTS, -np.inf)
    border = make_dynamics_model(g1, real).border
    for _ in range(40):
        goal = np.where(rng.random(29) < 0.5, g1.lower - 0.5, g1.upper + 0.5)
        goal[:12] = g1.rest[:12]
        for _ in range(25):
            before = motion.velocity
            step = motion.step((goal - motion.position) / 0.02)
            separation_ = apart(g1, real, step.position)
            values = {
                "position": np.maximum(g1.lower - step.position, step.position - g1.upper).max(),
                "velocity": (np.abs(step.velocity) - most).max(),
                "acceleration": np.abs(step.velocity - before).max() / PERIOD - SafetyConfig().max_acceleration,
                "effort": (np.abs(step.effort) - g1.max_effort).max(),
                "self_collision": -separation_[~border].min(),
                "workspace": -separation_[border].min(),
            }
            found = {name: max(found[name], float(value)) for name, value in values.items()}
    return found


def test_with_all_constraints_nothing_is_exceeded(g1: RobotModel, bounded: Shapes) -> None:
    found = worst(g1, g1, bounded, bounded, SafetyConfig())
    assert all(value <= 1e-6 for value in found.values()), found


@pytest.mark.parametrize("mutant", MUTANTS)
def test_each_constraint_is_needed(g1: RobotModel, bounded: Shapes, mutant: str) -> None:
    """Switch one constraint off: its own violation appears, so that no test can pass without it."""
    robot, shapes, config = g1, bounded, SafetyConfig()
    if mutant == "position":
        robot = replace(g1, lower=g1.lower - 50, upper=g1.upper + 50)
    if mutant == "velocity":
        robot, config = replace(g1, max_velocity=np.full(29, 90.0)), SafetyConfig(max_velocity=90.0)
        shapes, robot = Shapes(), replace(robot, lower=g1.lower - 50, upper=g1.upper + 50)  # room to run up
    if mutant == "acceleration":
        config = SafetyConfig(max_acceleration=1000.0)
    if mutant == "effort":
        robot = replace(g1, max_effort=g1.max_effort * 100)
    if mutant == "self_collision":
        shapes = replace(bounded, gaps=tuple(g for g in bounded.gaps if g.border))
    if mutant == "workspace":
        shapes = replace(bounded, gaps=tuple(g for g in bounded.gaps if not g.border), halves=())
    assert worst(g1, robot, shapes, bounded, config)[mutant] > 1e-3


def test_a_survey_overlooks_nothing_that_motion_could_bring_near(g1: RobotModel, bounded: Shapes) -> None:
    rng, qp_filter = np.random.default_rng(5), QPFilter(g1, bounded, SafetyConfig())
    motion = CommandedMotion(qp_filter, g1.rest)
    model = make_dynamics_model(g1, bounded)
    for _ in range(20):
        motion.place(rng.uniform(g1.lower, g1.upper), rng.normal(0.0, 3.0, 29))
        position, velocity = motion.position, motion.velocity
        box = qp_filter.limits.box(position, velocity, np.zeros(29))
        motion.halt()
        seen = set(qp_filter.close)
        fastest = np.maximum(np.abs(box.low), np.abs(box.high))
        travel = PERIOD * fastest * (1.0 + 0.5 * fastest / qp_filter.limits.change)
        least = apart(g1, bounded, position) - model.reach @ travel
        near = np.where(model.border, SafetyConfig().workspace_margin, SafetyConfig().collision_margin)
        assert all(m in seen for m in np.flatnonzero(least <= near))
        assert len(seen) < len(least)


def test_rows_that_cannot_act_change_no_solution(g1: RobotModel, shapes: Shapes) -> None:
    rng, model = np.random.default_rng(6), make_dynamics_model(g1, shapes)
    scratch, program, n = new_scratch(model), new_program(model), 29
    inertia, box = np.zeros((n, n)), np.stack((np.full(n, -0.3), np.full(n, 0.3)))
    dropped = 0
    for _ in range(20):
        forward(model.tree, rng.uniform(g1.lower, g1.upper), scratch.pose)
        inertia_matrix(model, scratch, inertia)
        wanted, effort, gradient = rng.uniform(-0.3, 0.3, n), rng.normal(0.0, 20.0, n), rng.normal(0.0, 0.3, (2, n))
        ceiling, least = g1.max_effort, np.array([-0.05, 0.01])
        rows = assemble(program, box, wanted, inertia, effort, ceiling, PERIOD, gradient, least, 2)
        dropped += n + 3 - rows
        found = solve(program, np.eye(n), rows)
        middle, most = inertia @ wanted - PERIOD * effort, FEASIBLE * PERIOD * ceiling
        high = np.concatenate([box[1], middle + most, np.full(3, 1e30)])
        low = np.concatenate([box[0], middle - most, [-0.05, 0.0, 0.01]])
        sense = np.array([0] * (2 * n + 2) + [8], dtype=np.int32)
        every = np.concatenate([inertia, gradient, gradient[1:]])
        complete, _, code_of_all, _ = daqp.solve(np.eye(n), -wanted, every, high, low, sense)
        assert (found is not None) == (code_of_all > 0)
        assert found is None or found == pytest.approx(complete, abs=1e-6)
    assert dropped > 0


STEPS = """
import numpy as np
from kata_model import load_robot
from kata_safety import DesiredVelocity, QPFilter, SafetyConfig, load_shapes
robot = load_robot("g1")
qp_filter = QPFilter(robot, load_shapes(robot), SafetyConfig())
at = qp_filter.begin(robot.rest, 0.0 * robot.rest)
wish = np.random.default_rng(4).uniform(-6.0, 6.0, len(robot.layout))
for _ in range(12):
    at, _ = qp_filter.step(at, DesiredVelocity(wish))
print(" ".join(value.hex() for value in [*at.position, *at.velocity]))
"""


def test_without_the_compiler_the_filter_decides_the_same(g1: RobotModel, shapes: Shapes) -> None:
    found = []
    for pure in ("0", "1"):
        environment = {**os.environ, "KATA_PURE_NUMPY": pure}
        run = subprocess.run([sys.executable, "-c", STEPS], env=environment, capture_output=True, text=True, check=True)
        found.append([float.fromhex(word) for word in run.stdout.split()])
    assert len(found[0]) == 58
    assert found[0] == pytest.approx(found[1], abs=1e-9)
