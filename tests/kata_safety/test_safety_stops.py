# SPDX-License-Identifier: Apache-2.0
"""Stops by cause and stance, watchdogs, balance, and a recording that replays bit for bit."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kata_model import JointCommand, JointState, Reason, RobotModel, Status
from kata_model.errors import ConfigError
from kata_safety import (
    Alternation,
    BaseState,
    LoopMonitor,
    Received,
    SafetyConfig,
    SafetyFilter,
    SafetyInputs,
    Shapes,
    StopCategory,
    StopTable,
    Watchdog,
)
from kata_safety.replay import replay, same_verdict
from kata_safety.stops.stability import base_tilt, capture_point, stance_of, support_margin
from kata_safety.stops.stop_table import BaseCondition

TICK = 4_000_000
FEET = [(-0.05, -0.1), (0.12, -0.1), (0.12, 0.1), (-0.05, 0.1)]


class Bench:
    """A filter with a robot that does at once what it is told, and a memory."""

    def __init__(self, robot: RobotModel, shapes: Shapes | None = None) -> None:
        self.robot, self.now, self.position = robot, 10**9, np.array(robot.rest)
        self.filter = SafetyFilter(robot, SafetyConfig(), shapes=shapes)
        self.states, self.targets, self.verdicts = {}, {}, []

    def tick(self, goal=None, senses=SafetyInputs(), state=True, received=None):  # noqa: B008
        self.now += TICK
        zero = np.zeros(len(self.position))
        measured = JointState(self.now, self.position, zero, zero) if state else None
        target = received
        if goal is not None:
            target = Received(JointCommand.at(self.now, goal, self.robot.stiffness, self.robot.damping), self.now)
        verdict = self.filter.step(measured, target, self.now, senses)
        self.states[self.now] = measured
        if target is not None and target.command is not None:
            self.targets[target.command.stamp] = target.command
        self.verdicts.append(verdict)
        if verdict.command is not None:
            self.position = verdict.command.position
        return verdict


@pytest.fixture
def bench(g1: RobotModel) -> Bench:
    return Bench(g1, Shapes())


def moving(bench: Bench) -> np.ndarray:
    goal = bench.robot.rest + 0.3
    for _ in range(20):
        bench.tick(goal)
    assert bench.verdicts[-1].command.velocity.any()
    return goal


def test_the_shipped_table_answers_every_cause() -> None:
    table = StopTable.load()
    for cause in ("emergency_stop", "lost_state", "lost_operator", "lost_imu", "foreign_command", "loop_overrun", "base_tilt"):
        assert cause in table.rows
        assert table.category(cause, BaseCondition.UNBALANCED) is StopCategory.DAMP, "a falling robot must not be stiff"
    assert table.category("unheard_of", BaseCondition.FIXED) is StopCategory.DAMP


def test_a_table_with_an_unknown_category_is_refused(tmp_path) -> None:
    file = tmp_path / "safety.yaml"
    file.write_text("stops:\n  emergency_stop: {fixed: jump, balanced: damp, unbalanced: damp}\n")
    with pytest.raises(ConfigError, match="jump"):
        StopTable.load(file)


def test_category_2_brakes_within_limits_and_holds_with_power(bench: Bench) -> None:
    goal = moving(bench)
    statuses = [bench.tick(goal, SafetyInputs((Reason.LOST_OPERATOR,))).status for _ in range(60)]
    assert statuses[-1] is Status.STOPPED
    last = bench.verdicts[-1]
    assert last.command.stiffness.all() and not last.command.velocity.any()
    assert bench.tick(goal).status is Status.STOPPED, "latched though the cause is over"


def test_category_1_retreats_to_rest_and_then_damps(bench: Bench) -> None:
    bench.filter.stop(Reason.EMERGENCY_STOP)
    goal = moving_to(bench)
    balanced = SafetyInputs((), BaseState(tilt=0.0, margin=0.05))
    bench.filter.stop(Reason.EMERGENCY_STOP)
    speeds = []
    for _ in range(400):
        before = bench.position
        verdict = bench.tick(goal, balanced)
        speeds.append(np.abs(bench.position - before).max() / 0.004)
        if verdict.status is Status.STOPPED:
            break
    assert {v.status for v in bench.verdicts[-3:]} >= {Status.STOPPED}
    assert not verdict.command.stiffness.any()
    assert np.abs(bench.position - bench.robot.rest).max() < 0.05


def moving_to(bench: Bench) -> np.ndarray:
    """Reset and move away from rest."""
    bench.tick(None)
    assert bench.filter.reset() == ""
    return moving(bench)


def test_after_damping_the_command_takes_up_the_motion_of_the_robot(g1: RobotModel) -> None:
    """Else limbs that still swing go on past a command that stands still at once (found by the fuzz, seed 2026112609)."""
    safety, now, joint = SafetyFilter(g1, SafetyConfig(), shapes=Shapes()), 10**9, g1.layout.names.index("right_elbow_joint")
    position, velocity = np.array(g1.rest), np.zeros(len(g1.layout))
    velocity[joint] = 2.0

    def tick(*alarms: str):
        nonlocal now
        now += TICK
        position[joint] += 0.004 * 2.0
        return safety.step(JointState(now, position, velocity, 0.0 * velocity), None, now, SafetyInputs(alarms))

    safety.stop(Reason.EMERGENCY_STOP)
    for _ in range(5):
        assert not tick().command.stiffness.any()
    assert safety.reset() == ""
    change = safety.qp_filter.limits.change[joint]
    held = [tick(Reason.LOOP_OVERRUN) for _ in range(3)]
    assert [v.command.velocity[joint] for v in held] == pytest.approx([2.0 - k * change for k in (1, 2, 3)])
    assert held[0].command.position[joint] == pytest.approx(position[joint] - 3 * 0.008 + 0.004 * (2.0 - change))
    assert held[0].command.stiffness.all()


def test_losing_balance_on_the_way_hardens_the_stop(bench: Bench) -> None:
    goal = moving(bench)
    bench.filter.stop(Reason.EMERGENCY_STOP)
    assert bench.tick(goal, SafetyInputs((), BaseState(0.0, 0.05))).status is Status.STOPPING
    falling = SafetyInputs((), BaseState(tilt=1.0, margin=-0.2))
    verdict = bench.tick(goal, falling)
    assert verdict.status is Status.STOPPED and not verdict.command.stiffness.any()


def test_reset_is_refused_while_the_cause_lasts(bench: Bench) -> None:
    goal = moving(bench)
    pressed = SafetyInputs((Reason.EMERGENCY_STOP,))
    bench.tick(goal, pressed)
    assert "emergency_stop" in bench.filter.reset()
    bench.tick(goal)
    assert bench.filter.reset() == ""


def test_lost_joint_states_stop_the_robot(bench: Bench) -> None:
    goal = moving(bench)
    statuses = [bench.tick(goal, state=False).status for _ in range(80)]
    assert statuses[0] is Status.HOLDING, "one missing state brakes"
    assert statuses[-1] is Status.STOPPED
    assert Reason.LOST_STATE in bench.verdicts[-1].reasons
    assert bench.tick(goal).status is Status.STOPPED


def test_two_sources_wait_without_a_latch(bench: Bench) -> None:
    goal = moving(bench)
    assert bench.tick(goal, SafetyInputs((Reason.TWO_SOURCES,))).reasons[0] == Reason.TWO_SOURCES
    assert bench.verdicts[-1].status is Status.HOLDING
    assert bench.tick(goal).status in (Status.FOLLOWING, Status.LIMITED)


def test_a_second_target_of_one_stamp_is_ignored_and_named(bench: Bench) -> None:
    goal = moving(bench)
    other = JointCommand.at(bench.now, goal - 1.0, bench.robot.stiffness, bench.robot.damping)
    verdict = bench.tick(received=Received(other, bench.now))
    assert Reason.DUPLICATED in verdict.reasons and (verdict.command.velocity >= -1e-9).all()


def test_a_clock_that_jumps_ahead_starts_anew(bench: Bench) -> None:
    moving(bench)
    bench.now += 10**9
    assert bench.tick(bench.position).reasons[0] == Reason.CLOCK_JUMP


def test_an_alarm_between_ticks_does_not_speed_the_motion_up(bench: Bench) -> None:
    goal = moving(bench)
    before = bench.filter.state.commanded.position
    for _ in range(5):
        bench.filter.step(bench.states[bench.now], None, bench.now + 1, SafetyInputs((Reason.TWO_SOURCES,)))
    assert np.array_equal(bench.filter.state.commanded.position, before)
    verdict = bench.filter.step(bench.states[bench.now], None, bench.now + 1, SafetyInputs((Reason.EMERGENCY_STOP,)))
    assert verdict.status is Status.STOPPED, "but damping does not wait for a tick"
    assert goal is not None


def test_a_recording_replays_bit_for_bit(g1: RobotModel) -> None:
    rng, bench = np.random.default_rng(5), Bench(g1)
    for k in range(400):
        goal = g1.rest + rng.normal(0, 0.6, 29) * (k // 40 % 3)
        if k % 97 == 50:
            bench.filter.stop()
        elif k % 97 == 70:
            bench.filter.reset()
        alarms = (Reason.TWO_SOURCES,) if k % 50 == 20 else ()
        bench.tick(None if k % 31 == 0 else np.full(29, np.nan) if k % 23 == 0 else goal, SafetyInputs(alarms), state=k % 41 != 0)
    bench.verdicts.append(replace(bench.verdicts[-1], status=Status.STOPPED, reasons=(Reason.LEAVING,), stamp=bench.now + TICK))
    again = list(replay(SafetyFilter(g1, SafetyConfig()), bench.verdicts, bench.states, bench.targets))
    assert len({v.status for v in again}) >= 4
    assert all(same_verdict(a, b) for a, b in zip(bench.verdicts, again, strict=True))


def test_watchdogs_sleep_until_fed_and_notice_silence() -> None:
    dog = Watchdog("lost_operator", 0.1)
    assert not dog.late(10**12)
    dog.feed(10**12)
    assert not dog.late(10**12 + 99_000_000)
    assert dog.late(10**12 + 101_000_000)
    assert dog.late(10**12 - 1), "a monotonic clock that runs backwards is not one"


def test_two_sources_that_take_turns_are_noticed_and_one_that_jumps_is_not() -> None:
    a, b, rng = np.zeros(3), np.full(3, 0.4), np.random.default_rng(0)
    both, one, noisy = Alternation(), Alternation(), Alternation()
    assert [both.note(a + 0.001 * k if k % 2 else b) for k in range(10)][-1]
    assert not any(one.note(a + 0.01 * k if k < 5 else b + 0.01 * k) for k in range(10))
    assert not any(noisy.note(a + rng.normal(0.0, 0.02, 3)) for _ in range(200))


def test_the_loop_monitor_counts_overruns() -> None:
    loop, now = LoopMonitor(0.004, allowed=3), 0
    results = []
    for k in range(50):
        now += 4_000_000 if k % 10 else 9_000_000
        results.append(loop.tick(now))
    assert loop.overruns == 4 and results[-1] and not results[20]
    assert loop.jitter(100) == pytest.approx(0.005)


def test_tilt_of_known_orientations() -> None:
    assert base_tilt([0, 0, 0, 1]) == pytest.approx(0.0)
    assert base_tilt([0, 0, np.sin(0.4), np.cos(0.4)]) == pytest.approx(0.0), "turning is not tilting"
    assert base_tilt([np.sin(0.25), 0, 0, np.cos(0.25)]) == pytest.approx(0.5)
    assert base_tilt([np.nan, 0, 0, 1]) == base_tilt([0, 0, 0, 0]) == pytest.approx(np.pi)


def test_the_capture_point_leads_the_centre_of_mass() -> None:
    assert capture_point([0.0, 0.0, 0.7], [0.0, 0.0, 0.0]) == pytest.approx([0.0, 0.0])
    assert capture_point([0.0, 0.0, 0.981], [1.0, 0.0, 0.0]) == pytest.approx([np.sqrt(0.1), 0.0])


@given(st.permutations(FEET), st.floats(-0.04, 0.11), st.floats(-0.09, 0.09))
def test_the_support_margin_is_the_distance_to_the_nearest_edge(corners, x: float, y: float) -> None:
    expected = min(x + 0.05, 0.12 - x, y + 0.1, 0.1 - y)
    assert support_margin([x, y], corners) == pytest.approx(expected, abs=1e-9)


def test_outside_the_support_the_margin_is_negative() -> None:
    assert support_margin([0.22, 0.0], FEET) == pytest.approx(-0.1)
    assert support_margin([0.15, 0.14], FEET) == pytest.approx(-0.05)
    assert support_margin([0.0, 0.0], FEET[:2]) == -np.inf
    assert support_margin([np.nan, 0.0], FEET) == -np.inf


def test_stances() -> None:
    assert stance_of(None, 0.01, 0.5) == BaseCondition.FIXED
    assert stance_of(BaseState(0.1, 0.05), 0.01, 0.5) == BaseCondition.BALANCED
    for base in (BaseState(0.1, -0.05), BaseState(1.0, 0.05), BaseState(np.nan, 0.05), BaseState(0.1, np.nan)):
        assert stance_of(base, 0.01, 0.5) == BaseCondition.UNBALANCED
