# SPDX-License-Identifier: Apache-2.0
"""The filter follows what is fit to be followed, holds otherwise, and says why."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kata_model import JointCommand, JointState, Reason, RobotModel, Status
from kata_safety import Received, SafetyConfig, SafetyFilter

TICK = 4_000_000
START = 10**9


class Bench:
    """A filter with a robot that does at once what it is told."""

    def __init__(self, robot: RobotModel, **config: float) -> None:
        self.robot, self.now = robot, START
        self.filter = SafetyFilter(robot, SafetyConfig(**config))
        self.position = robot.rest

    def state(self) -> JointState:
        rest = np.zeros(len(self.robot.layout))
        return JointState(self.now, self.position, rest, rest)

    def tick(self, target: Received | None, **other):
        self.now += TICK
        verdict = self.filter.step(other.get("state", self.state()), target, self.now)
        if verdict.command is not None:
            self.position = verdict.command.position
        return verdict

    def follow(self, position: np.ndarray, ticks: int = 1, age: int = 0, stamp: int | None = None):
        for _ in range(ticks):
            source = self.now + TICK - age if stamp is None else stamp
            command = JointCommand.at(source, position, self.robot.stiffness, self.robot.damping)
            verdict = self.tick(Received(command, self.now))
        return verdict


@pytest.fixture
def bench(g1: RobotModel) -> Bench:
    return Bench(g1)


def test_nothing_is_commanded_before_the_first_state(bench: Bench) -> None:
    verdict = bench.tick(None, state=None)
    assert verdict.command is None and verdict.reasons == (Reason.NO_STATE,)


def test_without_a_target_it_stands_by_where_the_robot_is(bench: Bench) -> None:
    verdict = bench.tick(None)
    assert verdict.status is Status.STANDBY
    assert verdict.command is not None and np.array_equal(verdict.command.position, bench.robot.rest)


def test_a_reachable_target_is_reached_and_followed(bench: Bench) -> None:
    goal = bench.robot.rest + 0.05
    roll = bench.robot.layout.names.index("right_shoulder_roll_joint")
    goal[roll] = bench.robot.rest[roll]  # at rest the arms hang close to the torso: they may come no nearer
    verdict = bench.follow(goal, ticks=200)
    assert verdict.status is Status.FOLLOWING and verdict.reasons == ()
    assert verdict.command.position == pytest.approx(goal, abs=1e-4)


def test_a_step_is_reached_without_overshoot(bench: Bench) -> None:
    goal = bench.robot.rest.copy()
    elbow = bench.robot.layout.names.index("right_elbow_joint")
    goal[elbow] += 1.2
    path = [bench.follow(goal).command.position[elbow] for _ in range(900)]
    assert max(path) <= goal[elbow] + 1e-6 and path[-1] == pytest.approx(goal[elbow], abs=1e-4)


def test_gravity_is_compensated(bench: Bench) -> None:
    verdict = bench.follow(bench.robot.rest)
    assert verdict.command.effort == pytest.approx(bench.robot.gravity_effort(bench.robot.rest))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"stamp": START - 10**9}, Reason.STALE_TARGET),
        ({"stamp": START + 10**9}, Reason.FUTURE_TARGET),
        ({"position": np.full(29, np.nan)}, Reason.NOT_FINITE),
        ({"position": np.full(29, np.inf)}, Reason.NOT_FINITE),
        ({"velocity": np.full(29, np.nan)}, Reason.NOT_FINITE),
    ],
)
def test_an_unfit_target_is_held_and_named(bench: Bench, change: dict, reason: str) -> None:
    bench.follow(bench.robot.rest, ticks=3)
    command = JointCommand.at(bench.now + TICK, bench.robot.rest + 0.3, bench.robot.stiffness, bench.robot.damping)
    before = bench.position
    verdict = bench.tick(Received(replace(command, **change), bench.now))
    assert verdict.status is Status.HOLDING and verdict.reasons == (reason,)
    assert verdict.command.position == pytest.approx(before, abs=1e-9)


def test_wrong_joints_and_unconverted_messages_are_held(bench: Bench) -> None:
    short = JointCommand.at(bench.now + TICK, np.zeros(3), np.zeros(3), np.zeros(3))
    assert bench.tick(Received(short, bench.now)).reasons == (Reason.WRONG_JOINTS,)
    assert bench.tick(Received(None, bench.now, Reason.WRONG_JOINTS)).reasons == (Reason.WRONG_JOINTS,)


def test_older_than_the_last_followed_is_out_of_order(bench: Bench) -> None:
    bench.follow(bench.robot.rest, ticks=5)
    assert bench.follow(bench.robot.rest, age=5 * TICK).reasons == (Reason.OUT_OF_ORDER,)


def test_a_stale_state_holds(bench: Bench) -> None:
    bench.follow(bench.robot.rest, ticks=3)
    old = bench.state()
    bench.now += 100_000_000
    command = JointCommand.at(bench.now, bench.robot.rest, bench.robot.stiffness, bench.robot.damping)
    assert bench.tick(Received(command, bench.now), state=old).reasons == (Reason.STALE_STATE,)


def test_a_mismatch_at_engage_is_refused_over_a_limit_and_warmed_in_under_it(bench: Bench) -> None:
    far, near = bench.robot.rest.copy(), bench.robot.rest.copy()
    elbow = bench.robot.layout.names.index("right_elbow_joint")
    far[elbow] += 1.75
    near[elbow] += 0.8
    assert bench.follow(far).reasons == (Reason.MISMATCH,)
    speeds = []
    for _ in range(50):
        before = bench.position
        assert Reason.WARMING_IN in bench.follow(near).reasons
        speeds.append(np.abs(bench.position - before).max() / 0.004)
    assert max(speeds) < 2.0
    assert bench.follow(near, ticks=600).status is Status.FOLLOWING


def test_an_emergency_stop_latches_until_reset(bench: Bench) -> None:
    bench.follow(bench.robot.rest, ticks=3)
    bench.filter.stop()
    for _ in range(3):
        verdict = bench.follow(bench.robot.rest)
        assert verdict.status is Status.STOPPED and Reason.EMERGENCY_STOP in verdict.reasons
        assert not verdict.command.stiffness.any() and (verdict.command.damping > 0).all()
    assert bench.filter.reset() == ""
    assert bench.follow(bench.robot.rest).status in (Status.FOLLOWING, Status.LIMITED)


def test_reset_is_refused_while_joint_states_are_missing(bench: Bench) -> None:
    bench.filter.stop()
    bench.tick(None, state=None)
    assert "joint states" in bench.filter.reset()
    assert bench.tick(None).status is Status.STOPPED


def test_time_going_backwards_starts_anew(bench: Bench) -> None:
    bench.follow(bench.robot.rest, ticks=3)
    bench.now -= 5 * 10**8
    assert bench.tick(None).reasons == (Reason.CLOCK_JUMP,)


def test_a_robot_that_is_far_from_its_command_stops_and_begins_anew_after_a_reset(bench: Bench) -> None:
    bench.follow(bench.robot.rest, ticks=3)
    bench.position = bench.robot.clamp(bench.robot.rest + 1.4)
    measured = bench.position
    verdict = bench.follow(bench.robot.rest)
    assert verdict.status is Status.STOPPED and verdict.reasons == (Reason.TRACKING_ERROR,)
    assert not verdict.command.stiffness.any() and verdict.command.position == pytest.approx(measured)
    assert bench.follow(bench.robot.rest).status is Status.STOPPED, "latched"
    assert bench.filter.reset() == ""
    assert bench.follow(measured).status in (Status.FOLLOWING, Status.LIMITED)


def test_an_early_tick_repeats_the_last_verdict(bench: Bench) -> None:
    first = bench.follow(bench.robot.rest + 0.1)
    bench.now -= TICK - 1_000_000
    assert bench.tick(None) is first


def test_the_same_calls_give_the_same_verdicts(g1: RobotModel) -> None:
    rng = np.random.default_rng(0)
    goals = g1.rest + rng.normal(0.0, 0.4, (120, len(g1.layout)))
    runs = []
    for _ in range(2):
        bench = Bench(g1)
        runs.append([bench.follow(goal).command.position.tobytes() for goal in goals])
    assert runs[0] == runs[1]


any_number = st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.floats(-4.0, 4.0))


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.lists(st.tuples(arrays(float, 29, elements=any_number), st.integers(-(10**9), 10**9)), min_size=1, max_size=25))
def test_any_input_gives_finite_commands_within_limits(g1: RobotModel, inputs: list[tuple[np.ndarray, int]]) -> None:
    bench, velocity = Bench(g1), np.zeros(29)
    config = SafetyConfig()
    for position, offset in inputs:
        before = bench.position
        verdict = bench.follow(position, age=offset)
        assert verdict.command is not None and np.isfinite(verdict.command.position).all()
        assert (g1.lower <= verdict.command.position).all() and (verdict.command.position <= g1.upper).all()
        new = (verdict.command.position - before) / 0.004
        assert np.abs(new).max() <= config.max_velocity + 1e-9
        assert np.abs(new - velocity).max() <= config.max_acceleration * 0.004 + 1e-9
        velocity = new


def test_a_command_waits_for_a_robot_that_strays_from_it(bench: Bench) -> None:
    goal = bench.robot.rest.copy()
    elbow = bench.robot.layout.names.index("right_elbow_joint")
    goal[elbow] += 0.8
    bench.follow(goal, ticks=20)
    astray = bench.position + np.where(np.arange(len(goal)) == elbow, -0.2, 0.0)
    for _ in range(40):
        bench.now += TICK
        state = JointState(bench.now, astray, np.zeros(len(goal)), np.zeros(len(goal)))
        command = JointCommand.at(bench.now, goal, bench.robot.stiffness, bench.robot.damping)
        verdict = bench.filter.step(state, Received(command, bench.now), bench.now)
    assert Reason.ROBOT_LAGS in verdict.reasons and verdict.status is Status.LIMITED
    crawl = SafetyConfig().crawl_velocity
    assert verdict.command is not None and 0.0 < verdict.command.velocity[elbow] <= crawl + 1e-9
