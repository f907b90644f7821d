# SPDX-License-Identifier: Apache-2.0
"""Encoders that lie with a fresh stamp: the command never jumps, the joint is named, the robot stops."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from kata_model import JointCommand, JointFlag, JointState, Reason, RobotModel, Status, Verdict
from kata_safety import Received, SafetyConfig, SafetyFilter, SafetyInputs, Shapes

TICK = 4_000_000
JOINT = "right_elbow_joint"


class Scene:
    """A robot that does at once what a stiff command says; what is measured of it goes through a lie."""

    def __init__(self, robot: RobotModel) -> None:
        self.robot, self.now, self.joint = robot, 10**9, robot.layout.names.index(JOINT)
        self.filter = SafetyFilter(robot, SafetyConfig(), shapes=Shapes())
        self.position, self.verdicts, self.senses = np.array(robot.rest), [], SafetyInputs()
        self.lie: Callable[[np.ndarray], np.ndarray] = lambda position: position

    def tick(self, goal: np.ndarray) -> Verdict:
        self.now += TICK
        zero = np.zeros(len(self.position))
        state = JointState(self.now, self.lie(np.array(self.position)), zero, zero)
        target = Received(JointCommand.at(self.now, goal, self.robot.stiffness, self.robot.damping), self.now)
        verdict = self.filter.step(state, target, self.now, self.senses)
        self.verdicts.append(verdict)
        if verdict.command is not None and verdict.command.stiffness.any():
            self.position = verdict.command.position
        return verdict

    def steps(self) -> np.ndarray:
        """Return how fast stiff commands went from tick to tick, over the joints' limits, shape (k,)."""
        sent = [v.command for v in self.verdicts if v.command is not None]
        pairs = [(a, b) for a, b in itertools.pairwise(sent) if a.stiffness.any() and b.stiffness.any()]
        most = np.minimum(self.robot.max_velocity, SafetyConfig().max_velocity)
        return np.array([(np.abs(b.position - a.position) / 0.004 / most).max() for a, b in pairs])

    def named(self, verdict: Verdict) -> list[str]:
        """Return the joints whose measurement a verdict doubts."""
        return [n for n, flags in zip(self.robot.layout.names, verdict.joint_flags, strict=True) if flags & JointFlag.FEEDBACK]


@pytest.fixture
def scene(g1: RobotModel) -> Scene:
    return Scene(g1)


def frozen(scene: Scene) -> Callable[[np.ndarray], np.ndarray]:
    kept = np.array(scene.position)
    return lambda position: np.where(np.arange(len(position)) == scene.joint, kept, position)


def flipped(scene: Scene) -> Callable[[np.ndarray], np.ndarray]:
    kept = np.array(scene.position)
    return lambda position: np.where(np.arange(len(position)) == scene.joint, 2.0 * kept - position, position)


def creeping(scene: Scene) -> Callable[[np.ndarray], np.ndarray]:
    start = scene.now
    return lambda position: position + np.where(np.arange(29) == scene.joint, 0.5e-9 * (scene.now - start), 0.0)


def jumping(scene: Scene) -> Callable[[np.ndarray], np.ndarray]:
    return lambda position: position + np.where(np.arange(29) == scene.joint, 0.8, 0.0)


@pytest.mark.parametrize("lie", [frozen, flipped, creeping, jumping])
def test_a_joint_that_is_measured_wrongly_stops_and_is_named(scene: Scene, lie) -> None:
    """Commanded and not moved, or moved and not commanded: the command crept 1 rad away, then stepped there at 250 rad/s."""
    goal = np.array(scene.robot.rest)
    for _ in range(20):
        scene.tick(goal)
    scene.lie = lie(scene)
    if lie in (frozen, flipped):
        goal[scene.joint] += 1.2
    for _ in range(1500):
        verdict = scene.tick(goal)
        if verdict.status is Status.STOPPED:
            break
    assert verdict.status is Status.STOPPED and verdict.reasons == (Reason.TRACKING_ERROR,)
    assert not verdict.command.stiffness.any() and scene.named(verdict) == [JOINT]
    assert scene.named(scene.tick(goal)) == [JOINT], "for as long as the stop lasts"
    assert scene.steps().max() <= 1.0 + 1e-9
    apart = np.abs(scene.position - scene.lie(np.array(scene.position))).max()
    assert apart < 0.35 or lie is jumping


def test_a_lag_names_its_joint_before_it_stops_the_robot(scene: Scene) -> None:
    goal = np.array(scene.robot.rest)
    scene.tick(goal)
    scene.lie = frozen(scene)
    goal[scene.joint] += 0.2
    for _ in range(300):
        verdict = scene.tick(goal)
    assert verdict.status is Status.LIMITED and Reason.ROBOT_LAGS in verdict.reasons
    assert scene.named(verdict) == [JOINT]


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300, -40.0])
def test_a_measurement_that_cannot_be_is_no_state_and_named(scene: Scene, value: float) -> None:
    goal = np.array(scene.robot.rest)
    scene.tick(goal)
    scene.lie = lambda position: np.where(np.arange(29) == scene.joint, value, position)
    verdict = scene.tick(goal)
    assert (verdict.status, verdict.reasons) == (Status.HOLDING, (Reason.NO_STATE,))
    assert scene.named(verdict) == [JOINT]
    for _ in range(60):
        verdict = scene.tick(goal)
    assert verdict.status is Status.STOPPED and Reason.LOST_STATE in verdict.reasons


@pytest.mark.parametrize("alarms", [(), (Reason.LOST_OPERATOR,)], ids=["followed", "held by a stop"])
@pytest.mark.parametrize("jump", [700_000_000, -500_000_000])
def test_a_clock_that_jumps_throws_no_joint_to_where_the_robot_is(scene: Scene, jump: int, alarms: tuple[str, ...]) -> None:
    """The command began anew at the measured position while the drives were stiff at another."""
    scene.senses = SafetyInputs(alarms)
    goal = np.array(scene.robot.rest)
    scene.lie = lambda position: position + np.where(np.arange(29) == scene.joint, 0.2, 0.0)
    for _ in range(5):
        scene.tick(goal)
    scene.lie = lambda position: position
    scene.now += jump
    verdicts = [scene.tick(goal) for _ in range(50)]
    ends = (Status.STOPPED,) if alarms else (Status.FOLLOWING, Status.LIMITED)
    assert Reason.CLOCK_JUMP in verdicts[0].reasons and verdicts[-1].status in ends
    assert any(v.command is not None and not v.command.stiffness.any() for v in verdicts), "limp in between"
    assert scene.steps().max() <= 1.0 + 1e-9


def test_a_velocity_that_cannot_be_braked_is_not_taken_up(g1: RobotModel) -> None:
    """After damping the command takes up the measured motion; by a false one it ran out of the joint's range (fuzz, seed 77)."""
    safety, now, joint, zero = (
        SafetyFilter(g1, SafetyConfig(), shapes=Shapes()),
        10**9,
        g1.layout.names.index(JOINT),
        np.zeros(29),
    )
    position, velocity = np.array(g1.rest), np.zeros(29)
    position[joint], velocity[joint] = g1.upper[joint] - 0.05, 9.0
    for _ in range(100):
        now += TICK
        command = safety.step(JointState(now, position, velocity, zero), None, now).command
        position, velocity = command.position, zero
        assert command.position[joint] <= g1.upper[joint]
