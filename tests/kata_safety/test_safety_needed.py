# SPDX-License-Identifier: Apache-2.0
"""Each check of what comes in is needed: with it, its reason is given; switched off alone, the same input is followed."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from kata_model import JointCommand, JointState, Reason, RobotModel, Status, Verdict
from kata_safety import NOTHING, BaseState, Received, SafetyConfig, SafetyFilter, SafetyInputs, Shapes, StopTable

TICK = 4_000_000
FOLLOWED = (Status.FOLLOWING, Status.LIMITED)


@dataclass
class Scene:
    """What a filter is given next; a scene changes it.

    Attributes:
        now: Time [ns].
        position: Measured, shape (n,), [rad].
        goal: Target, shape (n,), [rad].
        age: Of the target [ns].
        state_age: Of the joint state [ns].
        senses: What else is known.
    """

    now: int
    position: np.ndarray
    goal: np.ndarray
    age: int = 0
    state_age: int = 0
    senses: SafetyInputs = field(default=NOTHING)


def run(robot: RobotModel, config: SafetyConfig, before: int, change: Callable[[Scene], None]) -> Verdict:
    """Follow calmly for some ticks, then change the scene, and return the verdict after that."""
    safety = SafetyFilter(robot, config, shapes=Shapes(), table=StopTable.load())
    scene, zero = Scene(10**9, np.array(robot.rest), robot.rest + 0.01), np.zeros(len(robot.rest))
    for tick in range(before + 1):
        scene.now += TICK
        if tick == before:
            change(scene)
        state = JointState(scene.now - scene.state_age, scene.position, zero, zero)
        target = JointCommand.at(scene.now - scene.age, scene.goal, robot.stiffness, robot.damping)
        verdict = safety.step(state, Received(target, scene.now), scene.now, scene.senses)
        if verdict.command is not None:
            scene.position = verdict.command.position
    return verdict


def change(**values: object) -> Callable[[Scene], None]:
    """Return a change of some of a scene's values; functions of the scene are called."""

    def apply(scene: Scene) -> None:
        for name, value in values.items():
            setattr(scene, name, value(scene) if callable(value) else value)

    return apply


ELBOW = np.eye(29)[18]
CASES = {
    Reason.STALE_TARGET: ({"max_target_age": 1.0}, 0, change(age=500_000_000)),
    Reason.FUTURE_TARGET: ({"max_future": 0.5}, 5, change(age=-400_000_000)),
    Reason.MISMATCH: ({"engage_refusal": 7.0}, 0, change(goal=lambda scene: scene.position + 1.7 * ELBOW)),
    Reason.WARMING_IN: ({"engage_tolerance": 7.0}, 0, change(goal=lambda scene: scene.position + 0.8 * ELBOW)),
    Reason.STALE_STATE: ({"max_state_age": 1.0}, 5, change(state_age=100_000_000)),
    Reason.CLOCK_JUMP: ({"max_tick_gap": 5.0}, 5, change(now=lambda scene: scene.now + 10**9)),
    Reason.TRACKING_ERROR: ({"max_tracking_error": 7.0}, 5, change(position=lambda scene: scene.position + 1.2 * ELBOW)),
    Reason.ROBOT_LAGS: ({"lag_tolerance": 7.0}, 5, change(position=lambda scene: scene.position + 0.2 * ELBOW)),
    Reason.BASE_TILT: ({"max_tilt": 1.6}, 5, change(senses=SafetyInputs((), BaseState(0.9, 0.1)))),
    Reason.FALLING: ({"fall_margin": 1.0}, 5, change(senses=SafetyInputs((), BaseState(0.0, -0.3)))),
}


@pytest.mark.parametrize("reason", CASES)
def test_each_check_of_what_comes_in_is_needed(g1: RobotModel, reason: str) -> None:
    off, before, scene = CASES[reason]
    with_it, without = (run(g1, SafetyConfig(**config), before, scene) for config in ({}, off))
    assert reason in with_it.reasons
    assert reason in (Reason.WARMING_IN, Reason.ROBOT_LAGS) or with_it.status not in FOLLOWED
    assert reason not in without.reasons and without.status in FOLLOWED


@pytest.mark.parametrize(
    ("reason", "scene"),
    [
        (Reason.OUT_OF_ORDER, change(age=40_000_000)),
        (Reason.NOT_FINITE, change(goal=lambda scene: np.where(ELBOW > 0, np.nan, scene.position))),
    ],
)
def test_without_any_check_of_targets_they_are_followed(
    g1: RobotModel, monkeypatch: pytest.MonkeyPatch, reason: str, scene: Callable[[Scene], None]
) -> None:
    assert run(g1, SafetyConfig(), 5, scene).reasons == (reason,)
    monkeypatch.setattr("kata_safety.decision.target_fault", lambda *_: "")
    assert run(g1, SafetyConfig(), 5, scene).status in FOLLOWED
