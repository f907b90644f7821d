# SPDX-License-Identifier: Apache-2.0
"""The guard of a robot on its feet: what it keeps, what each constraint is good for, and how it comes back from outside."""

from dataclasses import replace

import numpy as np
import pytest

from kata_model import JointState, Reason, RobotModel, Status
from kata_model.base_motion import BaseMotion
from kata_safety import BaseState, SafetyConfig, SafetyFilter, Senses, Shapes, Wish
from kata_safety.balance import BalanceConfig, FloatingBody, Footing, PlantedGuard, PlantedSoles, load_postures
from kata_safety.balance.contact_efforts import ContactEfforts
from kata_safety.stops.stability import GRAVITY, support_margin

STILL = np.zeros(29)
CONFIG = BalanceConfig(max_lean=0.04)
MUTANTS = ("balance", "closure", "tilt", "effort")


class Loose(PlantedGuard):
    """A guard that lets the legs move against each other."""

    _closes = False


def guard_of(robot: RobotModel, config: BalanceConfig, kind: type[PlantedGuard] = PlantedGuard) -> PlantedGuard:
    body = FloatingBody(robot)
    guard = kind(body, PlantedSoles(body), Shapes(), SafetyConfig(), config)
    guard.place(np.array(load_postures(robot).standing), STILL)
    return guard


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


def worst(guard: PlantedGuard, robot: RobotModel) -> dict[str, float]:
    """Drive a guard towards these postures, without leading the legs, and return by how much each limit was exceeded."""
    most, found = robot.max_effort[guard._body.legs], dict.fromkeys(MUTANTS, -np.inf)
    for goal in goals(robot):
        for _ in range(40):
            step = guard.step(Wish((goal - guard.position) / 0.05))
            at = guard.at
            com, speed, up = guard._soles.com(step.position, step.velocity)
            capture = com[:2] + speed[:2] * np.sqrt(com[2] / GRAVITY)
            values = {
                "balance": CONFIG.support_margin - 0.007 - support_margin(capture, guard._soles.corners),
                "closure": np.abs(at.gap).max() - 0.02,
                "tilt": np.arccos(min(up, 1.0)) - CONFIG.max_lean,
                "effort": (np.abs(step.effort[guard._body.legs]) - most).max(),
            }
            found = {name: max(found[name], float(value)) for name, value in values.items()}
    return found


def test_with_all_constraints_nothing_is_exceeded(g1: RobotModel) -> None:
    found = worst(guard_of(g1, CONFIG), g1)
    assert all(value <= 1e-6 for value in found.values()), found


@pytest.mark.parametrize("mutant", MUTANTS)
def test_each_constraint_is_needed(g1: RobotModel, mutant: str) -> None:
    """Switch one constraint off: its own violation appears, so that no test can pass without it."""
    robot, config, kind = g1, CONFIG, PlantedGuard
    if mutant == "balance":
        config = replace(CONFIG, support_margin=-10.0)
    if mutant == "tilt":
        config = replace(CONFIG, max_lean=3.0)
    if mutant == "closure":
        kind = Loose
    if mutant == "effort":
        robot = replace(g1, max_effort=g1.max_effort * 100)
    assert worst(guard_of(robot, config, kind), g1)[mutant] > 1e-3


def test_braking_stays_admissible_from_every_state_reached(g1: RobotModel) -> None:
    guard = guard_of(g1, CONFIG)
    for goal in goals(g1)[:2]:
        for count in (5, 20):
            for _ in range(count):
                guard.step(Wish((goal - guard.position) / 0.05))
            for _ in range(70):
                step = guard.halt()
                com, speed, up = guard._soles.com(step.position, step.velocity)
                capture = com[:2] + speed[:2] * np.sqrt(com[2] / GRAVITY)
                assert support_margin(capture, guard._soles.corners) >= CONFIG.support_margin - 0.007
                assert np.arccos(min(up, 1.0)) <= CONFIG.max_lean + 1e-6 and Reason.OUTSIDE not in step.reasons
            assert not step.velocity.any()


def test_outside_it_is_led_back_in_and_says_so(g1: RobotModel) -> None:
    footing = Footing(g1, SafetyConfig())
    leaning = np.array(load_postures(g1).standing)
    for name in ("left_hip_pitch_joint", "right_hip_pitch_joint"):
        leaning[g1.layout.names.index(name)] += 0.45
    footing.guard.place(leaning, STILL)
    room = lambda: support_margin(footing.guard.at.com[:2], footing.guard._soles.corners)  # noqa: E731
    start = before = room()
    assert start < CONFIG.support_margin
    seen = set()
    for _ in range(250):
        wish = np.clip(4.0 * (leaning - footing.guard.position), -1.0, 1.0)
        seen |= set(footing.guard.step(Wish(footing.lead(wish, leaning, 1.0))).reasons)
        assert room() >= before - 1e-4
        before = room()
    assert {Reason.OUTSIDE} <= seen and before > CONFIG.support_margin


@pytest.mark.parametrize(
    ("distance", "speed", "held"), [(0.4, 0.0, False), (0.02, 0.0, True), (0.1, -5.0, True), (0.1, 1.0, False)]
)
def test_a_leg_that_lost_the_floor_is_not_let_onto_the_end_of_its_knee(
    g1: RobotModel, distance: float, speed: float, held: bool
) -> None:
    footing, knee = Footing(g1, SafetyConfig()), g1.layout.names.index("right_knee_joint")
    standing = np.array(load_postures(g1).standing)
    footing.guard.place(standing, STILL)
    position, velocity = standing.copy(), STILL.copy()
    position[knee], velocity[knee] = g1.lower[knee] + distance, speed
    base = BaseMotion(10**9, np.array([0.0, 0.0, 0.77]), np.array([0.0, 0.0, 0.0, 1.0]), np.zeros(3), np.zeros(3))
    step = footing.guard.halt()
    effort = footing.effort(step, JointState(10**9, position, velocity, STILL), base)[knee]
    drive = g1.stiffness[knee] * (step.position[knee] - position[knee]) - g1.damping[knee] * speed
    assert drive > 15.0, "the drive pulls the knee back in"
    assert (effort + drive > 0.5 * drive) == held, "what the balance takes off it"


def test_nothing_is_commanded_before_it_is_known_how_it_stands(g1: RobotModel) -> None:
    limits, standing = SafetyConfig(), load_postures(g1).standing
    safety = SafetyFilter(g1, limits, feet=Footing(g1, limits))
    joints = JointState(10**9, standing, STILL, STILL)
    verdict = safety.step(joints, None, 10**9)
    assert verdict.command is None and Reason.NO_BASE in verdict.reasons
    base = BaseMotion(10**9, np.array([0.0, 0.0, 0.77]), np.array([0.0, 0.0, 0.0, 1.0]), np.zeros(3), np.zeros(3))
    verdict = safety.step(joints, None, 10**9 + 4_000_000, Senses((), BaseState(0.0, 0.08), base))
    assert verdict.status is Status.STANDBY and verdict.command is not None


def test_contact_efforts_are_those_of_the_equations_of_motion(g1: RobotModel) -> None:
    """The floor's wrenches explain the base, and legs on the floor give quite other efforts than hanging ones."""
    body = FloatingBody(g1)
    soles, standing = PlantedSoles(body), np.array(load_postures(g1).squat)
    soles.begin(standing)
    found = ContactEfforts(body).at(soles.look(standing), standing, STILL)
    weight = found.wrench_offset.reshape(2, 6)
    assert weight[:, 2].sum() == pytest.approx(9.81 * body.mass, rel=1e-6)
    assert weight[:, :2] == pytest.approx(0.0, abs=15.0)
    knee = g1.layout.names.index("left_knee_joint")
    assert abs(found.offset[knee]) > 15.0 > abs(g1.gravity_effort(standing)[knee])
    upper = body.upper
    assert found.offset[upper] == pytest.approx(g1.gravity_effort(standing)[upper], abs=6.0)
