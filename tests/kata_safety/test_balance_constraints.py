# SPDX-License-Identifier: Apache-2.0
"""The constraints of a robot on its feet: what it keeps, what each constraint is good for, and how it comes back from outside."""

from dataclasses import replace

import numpy as np
import pytest
from commanded_motion import CommandedMotion

from kata_model import JointState, Reason, RobotModel, Status
from kata_model.base_motion import BaseMotion
from kata_safety import BaseState, QPFilter, SafetyConfig, SafetyFilter, SafetyInputs, Shapes
from kata_safety.balance import (
    BalanceConfig,
    BalanceConstraints,
    BalanceController,
    FloatingBody,
    SupportedPosture,
    SupportPolygon,
    load_postures,
)
from kata_safety.balance.contact_efforts import ContactEfforts
from kata_safety.state import BalanceMemory
from kata_safety.stops.stability import GRAVITY, support_margin

STILL = np.zeros(29)
CONFIG = BalanceConfig(max_lean=0.04)
MUTANTS = ("balance", "closure", "tilt", "effort")


def motion_of(robot: RobotModel, config: BalanceConfig, *, closes: bool = True) -> CommandedMotion:
    """Return a motion that begins standing; closes tells whether the legs may not move against each other."""
    constraints = BalanceConstraints(FloatingBody(robot), SafetyConfig(), config, closes=closes)
    return CommandedMotion(QPFilter(robot, Shapes(), SafetyConfig(), constraints), np.array(load_postures(robot).standing))


def soles(motion: CommandedMotion) -> SupportPolygon:
    return motion.qp_filter.more.soles(motion.at.stance)


def posture(motion: CommandedMotion) -> SupportedPosture:
    return motion.qp_filter.more.posture(motion.at)


def goals(robot: RobotModel) -> list[np.ndarray]:
    """Return postures that lean over the toes and heels, bend deep and fast, and twist the legs against each other."""
    names, standing = robot.layout.names, load_postures(robot).standing
    both = lambda part: [names.index(f"{side}_{part}_joint") for side in ("left", "right")]  # noqa: E731
    found = []
    for part, angle in (("ankle_pitch", 0.5), ("ankle_pitch", -0.5), ("hip_pitch", -1.2), ("knee", 1.2), ("knee", -0.4)):
        goal = np.array(standing)
        goal[both(part)] += angle
        found.append(goal)
    twisted = np.array(standing)
    twisted[:6] += 0.3
    return [*found, twisted, load_postures(robot).squat]


def worst(motion: CommandedMotion, robot: RobotModel) -> dict[str, float]:
    """Drive a motion towards these postures, without leading the legs, and return by how much each limit was exceeded."""
    most, found = robot.max_effort[motion.qp_filter.more.body.legs], dict.fromkeys(MUTANTS, -np.inf)
    for goal in goals(robot):
        for _ in range(40):
            step = motion.step((goal - motion.position) / 0.05)
            at = posture(motion)
            com, speed, up = soles(motion).com(step.position, step.velocity)
            capture = com[:2] + speed[:2] * np.sqrt(com[2] / GRAVITY)
            values = {
                "balance": CONFIG.support_margin - 0.007 - support_margin(capture, soles(motion).corners),
                "closure": np.abs(at.gap).max() - 0.02,
                "tilt": np.arccos(min(up, 1.0)) - CONFIG.max_lean,
                "effort": (np.abs(step.effort[motion.qp_filter.more.body.legs]) - most).max(),
            }
            found = {name: max(found[name], float(value)) for name, value in values.items()}
    return found


def test_with_all_constraints_nothing_is_exceeded(g1: RobotModel) -> None:
    found = worst(motion_of(g1, CONFIG), g1)
    assert all(value <= 1e-6 for value in found.values()), found


@pytest.mark.parametrize("mutant", MUTANTS)
def test_each_constraint_is_needed(g1: RobotModel, mutant: str) -> None:
    """Switch one constraint off: its own violation appears, so that no test can pass without it."""
    robot, config = g1, CONFIG
    if mutant == "balance":
        config = replace(CONFIG, support_margin=-10.0)
    if mutant == "tilt":
        config = replace(CONFIG, max_lean=3.0)
    if mutant == "effort":
        robot = replace(g1, max_effort=g1.max_effort * 100)
    assert worst(motion_of(robot, config, closes=mutant != "closure"), g1)[mutant] > 1e-3


def test_braking_stays_admissible_from_every_state_reached(g1: RobotModel) -> None:
    motion = motion_of(g1, CONFIG)
    for goal in goals(g1)[:2]:
        for count in (5, 20):
            for _ in range(count):
                motion.step((goal - motion.position) / 0.05)
            for _ in range(70):
                step = motion.halt()
                com, speed, up = soles(motion).com(step.position, step.velocity)
                capture = com[:2] + speed[:2] * np.sqrt(com[2] / GRAVITY)
                assert support_margin(capture, soles(motion).corners) >= CONFIG.support_margin - 0.007
                assert np.arccos(min(up, 1.0)) <= CONFIG.max_lean + 1e-6 and Reason.OUTSIDE not in step.reasons
            assert not step.velocity.any()


def test_outside_it_is_led_back_in_and_says_so(g1: RobotModel) -> None:
    balance_controller = BalanceController(g1, SafetyConfig())
    leaning = np.array(load_postures(g1).standing)
    for name in ("left_hip_pitch_joint", "right_hip_pitch_joint"):
        leaning[g1.layout.names.index(name)] += 0.45
    motion = CommandedMotion(balance_controller.qp_filter, leaning)
    room = lambda: support_margin(posture(motion).com[:2], soles(motion).corners)  # noqa: E731
    start = before = room()
    assert start < CONFIG.support_margin
    seen = set()
    for _ in range(250):
        wish = np.clip(4.0 * (leaning - motion.position), -1.0, 1.0)
        seen |= set(motion.step(balance_controller.lead(motion.at, wish, leaning, 1.0)).reasons)
        assert room() >= before - 1e-4
        before = room()
    assert {Reason.OUTSIDE} <= seen and before > CONFIG.support_margin


@pytest.mark.parametrize(
    ("distance", "speed", "held"), [(0.4, 0.0, False), (0.02, 0.0, True), (0.1, -5.0, True), (0.1, 1.0, False)]
)
def test_a_leg_that_lost_the_floor_is_not_let_onto_the_end_of_its_knee(
    g1: RobotModel, distance: float, speed: float, held: bool
) -> None:
    balance_controller, knee = BalanceController(g1, SafetyConfig()), g1.layout.names.index("right_knee_joint")
    standing = np.array(load_postures(g1).standing)
    motion = CommandedMotion(balance_controller.qp_filter, standing)
    position, velocity = standing.copy(), STILL.copy()
    position[knee], velocity[knee] = g1.lower[knee] + distance, speed
    base = BaseMotion(10**9, np.array([0.0, 0.0, 0.77]), np.array([0.0, 0.0, 0.0, 1.0]), np.zeros(3), np.zeros(3))
    step = motion.halt()
    given, _ = balance_controller.effort(BalanceMemory(STILL), step, JointState(10**9, position, velocity, STILL), base)
    effort = given[knee]
    drive = g1.stiffness[knee] * (step.position[knee] - position[knee]) - g1.damping[knee] * speed
    assert drive > 15.0, "the drive pulls the knee back in"
    assert (effort + drive > 0.5 * drive) == held, "what the balance takes off it"


def test_nothing_is_commanded_before_it_is_known_how_it_stands(g1: RobotModel) -> None:
    limits, standing = SafetyConfig(), load_postures(g1).standing
    safety = SafetyFilter(g1, limits, balance=BalanceController(g1, limits))
    joints = JointState(10**9, standing, STILL, STILL)
    verdict = safety.step(joints, None, 10**9)
    assert verdict.command is None and Reason.NO_BASE in verdict.reasons
    base = BaseMotion(10**9, np.array([0.0, 0.0, 0.77]), np.array([0.0, 0.0, 0.0, 1.0]), np.zeros(3), np.zeros(3))
    verdict = safety.step(joints, None, 10**9 + 4_000_000, SafetyInputs((), BaseState(0.0, 0.08), base))
    assert verdict.status is Status.STANDBY and verdict.command is not None


def test_contact_efforts_are_those_of_the_equations_of_motion(g1: RobotModel) -> None:
    """The floor's wrenches explain the base, and legs on the floor give quite other efforts than hanging ones."""
    body = FloatingBody(g1)
    standing = np.array(load_postures(g1).squat)
    found = ContactEfforts(body).at(SupportPolygon(body, standing).look(standing), standing, STILL)
    weight = found.wrench_offset.reshape(2, 6)
    assert weight[:, 2].sum() == pytest.approx(9.81 * body.mass, rel=1e-6)
    assert weight[:, :2] == pytest.approx(0.0, abs=15.0)
    knee = g1.layout.names.index("left_knee_joint")
    assert abs(found.offset[knee]) > 15.0 > abs(g1.gravity_effort(standing)[knee])
    upper = body.upper
    assert found.offset[upper] == pytest.approx(g1.gravity_effort(standing)[upper], abs=6.0)
