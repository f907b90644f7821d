# SPDX-License-Identifier: Apache-2.0
"""The filter's state: a step is a pure function of it, and a recording is taken up from it wherever it begins."""

from types import SimpleNamespace

import numpy as np
import pytest

from kata_model.base_motion import BaseMotion
from kata_model.joints import JointCommand, JointState
from kata_model.verdict import Reason, Status
from kata_safety import BaseState, FilterInputs, Received, SafetyConfig, SafetyFilter, SafetyInputs
from kata_safety.balance import BalanceController, load_postures
from kata_safety.replay import replay, same_verdict
from kata_safety.state import recorded, restored

TICK = 4_000_000


def through_a_message(state, verdict):
    """Return a state as a bag gives it back."""
    fields = {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in recorded(state).items()}
    return restored(SimpleNamespace(**fields), verdict)


class Recording:
    """Verdicts on targets of an uneven 30 Hz source, with a hold and a stop in between, followed by a robot that keeps up."""

    def __init__(self, robot, seed: int, *, told: bool) -> None:
        rng, rest = np.random.default_rng(seed), np.zeros(len(robot.layout))
        self.robot, self.verdicts, self.states, self.targets, self.memories = robot, [], {}, {}, []
        safety, now, due, target = SafetyFilter(robot, SafetyConfig()), 10**9, 10**9 + 20 * TICK, None
        goal, speed, measured = np.array(robot.rest), np.array(rest), JointState(now, robot.rest, rest, rest)
        for i in range(600):
            now += TICK
            if now >= due and not 300 <= i < 350:
                speed += rng.normal(0.0, 0.05, len(goal)) - 0.1 * speed
                goal = goal + speed / 30.0
                command = JointCommand(now - TICK // 2, goal, np.array(speed) if told else rest, rest, rest, rest)
                target, due = Received(command, now), now + int(rng.uniform(20e6, 45e6))
                self.targets[command.stamp] = command
            if i == 450:
                safety.stop()
            elif i == 500:
                safety.reset()
            self.states[measured.stamp] = measured
            verdict = safety.step(measured, target, now)
            self.verdicts.append(verdict)
            self.memories.append(safety.state)
            measured = JointState(now, verdict.command.position, verdict.command.velocity, rest)


@pytest.mark.parametrize("told", [False, True], ids=["positions", "with velocities"])
def test_a_recording_is_taken_up_bit_for_bit_wherever_it_begins(g1, told):
    recording = Recording(g1, 11, told=told)
    assert set(Status) - {Status.LIMITED, Status.STOPPING} <= {v.status for v in recording.verdicts}
    safety = SafetyFilter(g1, SafetyConfig())
    for first in range(0, 560, 15):
        safety.state = through_a_message(recording.memories[first], recording.verdicts[first])
        rest = recording.verdicts[first + 1 :][:60]
        again = replay(safety, rest, recording.states, recording.targets)
        assert all(same_verdict(a, b) for a, b in zip(rest, again, strict=True)), first


def test_a_step_leaves_the_state_as_it_was_and_gives_the_same_again(g1):
    rng, safety, zero = np.random.default_rng(3), SafetyFilter(g1, SafetyConfig()), np.zeros(29)
    state, position, now = safety.state, np.array(g1.rest), 10**9
    for k in range(150):
        now += TICK
        goal = JointCommand.at(now, g1.rest + rng.normal(0.0, 0.5, 29), g1.stiffness, g1.damping)
        alarms = (Reason.LOST_OPERATOR,) if k > 120 else ()
        inputs = FilterInputs(JointState(now, position, zero, zero), Received(goal, now), now, SafetyInputs(alarms))
        first, verdict = safety.decider.step(state, inputs)
        safety.decider.step(first, inputs._replace(now=now + TICK, asked=Reason.EMERGENCY_STOP))  # counts not
        second, again = safety.decider.step(state, inputs)
        assert same_verdict(verdict, again)
        assert _equal(recorded(first), recorded(second))
        state, position = first, verdict.command.position


def test_the_state_of_a_robot_on_its_feet_is_whole(g1):
    limits, standing, zero = SafetyConfig(), load_postures(g1).standing, np.zeros(29)
    whole, taken_up = (SafetyFilter(g1, limits, balance=BalanceController(g1, limits)) for _ in range(2))
    upright, now = np.array([0.0, 0.0, 0.0, 1.0]), 10**9
    for k in range(60):
        now += TICK
        base = BaseMotion(now, np.array([0.0, 0.0, 0.77]), upright, np.zeros(3), np.zeros(3))
        goal = Received(JointCommand.at(now, standing + 0.002 * k, g1.stiffness, g1.damping), now)
        given = JointState(now, standing, zero, zero), goal, now, SafetyInputs((), BaseState(0.0, 0.08), base if k % 7 else None)
        verdict = whole.step(*given)
        if k > 20:
            assert same_verdict(verdict, taken_up.step(*given)), k
        elif k == 20:
            taken_up.state = through_a_message(whole.state, verdict)


def test_the_state_is_recorded_ten_times_a_second(g1):
    safety, zero = SafetyFilter(g1, SafetyConfig()), np.zeros(29)
    told = []
    for k in range(100):
        safety.step(JointState(10**9 + k * TICK, g1.rest, zero, zero), None, 10**9 + k * TICK)
        told.append(safety.state_to_record() is not None)
    assert np.flatnonzero(told).tolist() == [0, 25, 50, 75]


def _equal(a, b):
    return all(np.array_equal(a[name], b[name]) if isinstance(a[name], np.ndarray) else a[name] == b[name] for name in a)
