# SPDX-License-Identifier: Apache-2.0
"""Grades of recordings: every measure finds its fault and nothing else, and episodes are compared fairly."""

from dataclasses import replace

import numpy as np
import pytest

from kata_data.grading import (
    EpisodeData,
    EpisodeTrace,
    Finding,
    GradingConfig,
    JointTrace,
    Level,
    StreamTimes,
    compare,
    cover,
    grade_episode,
    is_below,
    judge,
    letter,
    load_grading,
    measure_stream,
    usable,
)
from kata_data.grading.motion import jumps, rest, reversals, tremor
from kata_data.grading.paths import PHASES, align, by_phase
from kata_data.grading.streams import skew
from kata_model.config.config_path import find_config
from kata_model.errors import ConfigError
from kata_model.robot import load_robot

CONFIG = GradingConfig()
MS = 1_000_000


def steady(topic="joint_states", rate=250.0, seconds=3.0, begin=0.0, **about):
    stamp = 10**9 + np.round((begin + np.arange(round(rate * seconds)) / rate) * 1e9).astype(np.int64)
    return StreamTimes(topic, stamp, stamp + MS, rate, sensor=True, **about)


def reach(seconds=3.0, size=1.0, rate=250.0):
    """Return seconds and one smooth reach of the first of four joints."""
    time = np.arange(round(rate * seconds)) / rate
    position = np.zeros((len(time), 4))
    position[:, 0] = size * 0.5 * (1.0 - np.cos(np.pi * time / time[-1]))
    return time, position


@pytest.fixture(scope="module")
def toy():
    return load_robot("toy")


@pytest.fixture
def good(toy):
    time, position = reach(size=0.4)
    position = position[:, : len(toy.layout)] + toy.rest
    trace = JointTrace(time, position)
    return EpisodeData(
        streams=(steady(), steady("command", lost=0)),
        measured=trace,
        velocity=np.gradient(position, time, axis=0),
        effort=np.zeros_like(position),
        command=trace,
        target=trace,
        status=np.ones(750, dtype=np.uint8),
        reasons=[()] * 750,
        success=True,
        held_true=True,
    )


def levels(grade):
    return {f.measure: f.level for f in grade.findings if f.level}


def test_a_good_episode_is_an_a(good, toy):
    grade = grade_episode(good, toy, CONFIG)
    assert (grade.letter, grade.reasons) == ("A", [])
    assert grade.duration == pytest.approx(2.996)
    assert {f.measure for f in grade.findings} >= {"rate", "lost", "gap", "skew", "idle", "chatter", "limits", "jumps", "held"}


def shaken(data, hertz, size):
    position = data.command.position.copy()
    position[:, 1] += size * np.sin(2.0 * np.pi * hertz * data.command.seconds)
    return replace(data, command=JointTrace(data.command.seconds, position))


def jumped(data):
    position = data.target.position.copy()
    position[300:, 2] += 0.5
    return replace(data, target=JointTrace(data.target.seconds, position))


def held(data, count):
    status, reasons = data.status.copy(), list(data.reasons)
    status[300 : 300 + count], reasons[300 : 300 + count] = 3, [("self_collision",)] * count
    return replace(data, status=status, reasons=reasons)


FAULTS = {
    "rate": lambda d: replace(d, streams=(steady(), replace(steady("imu", rate=150.0, lost=0), expected=250.0))),
    "lost": lambda d: replace(d, streams=(steady(), steady("command", lost=100))),
    "skew": lambda d: replace(d, streams=(steady(), steady("imu", begin=0.2))),
    "delay": lambda d: replace(d, streams=(replace(steady(), received=steady().stamp - 10**9),)),
    "length": lambda d: replace(d, measured=JointTrace(d.measured.seconds * 0.1, d.measured.position)),
    "finite": lambda d: replace(d, broken=3),
    "chatter": lambda d: shaken(d, 4.0, 0.05),
    "tremor": lambda d: shaken(d, 10.0, 0.009),
    "jumps": jumped,
    "held": lambda d: held(d, 200),
    "limits": lambda d: replace(d, effort=np.full_like(d.effort, 1e6)),
    "success": lambda d: replace(d, success=False),
}


@pytest.mark.parametrize("measure", FAULTS)
def test_each_fault_is_found_by_its_measure(measure, good, toy):
    grade = grade_episode(FAULTS[measure](good), toy, CONFIG)
    assert measure in levels(grade), grade.reasons
    assert grade.letter > "A"
    assert any(reason.startswith(f"{measure}: ") for reason in grade.reasons)
    assert len(levels(grade)) <= (1 if measure not in ("delay", "length", "skew") else 2), grade.reasons


def test_a_rest_is_told_by_where_it_lies():
    time = np.arange(0, 4.0, 0.01)
    velocity = np.where(((time > 1.0) & (time < 2.0)) | (time > 3.0), 1.0, 0.0)[:, None]
    found = rest(time, velocity, 0.05, 0.3)
    assert found.before == pytest.approx(1.0, abs=0.02)
    assert found.longest == pytest.approx(1.0, abs=0.02)
    assert (found.after, found.share) == (0.0, pytest.approx(0.5, abs=0.02))
    assert rest(time, np.full_like(velocity, np.nan), 0.05, 0.3).share == 0.0
    assert rest(time[:1], velocity[:1], 0.05, 0.3).share == 1.0


def test_reversals_count_swings_and_not_noise():
    time = np.arange(0, 3.0, 0.004)
    swing = JointTrace(time, np.stack([np.zeros_like(time), 0.1 * np.sin(2 * np.pi * 3.0 * time)], axis=1))
    most, joint = reversals(swing, 0.02)
    assert (most, joint) == (pytest.approx(6.0, abs=1.0), 1)
    rng = np.random.default_rng(0)
    assert reversals(JointTrace(time, time[:, None] + rng.uniform(-0.005, 0.005, (len(time), 1))), 0.02) == (0.0, 0)
    assert reversals(JointTrace(time[:0], time[:0, None]), 0.02) == (0.0, 0)


def test_tremor_is_the_share_of_fast_motion():
    time = np.arange(0, 4.0, 0.02)
    for hertz, share in ((1.0, 0.0), (10.0, 1.0)):
        assert tremor(JointTrace(time, np.sin(2 * np.pi * hertz * time)[:, None]), 5.0) == pytest.approx(share, abs=0.01)
    assert tremor(JointTrace(time, np.zeros((len(time), 2))), 5.0) == 0.0


def test_jumps_need_successive_samples():
    time = np.array([0.0, 0.01, 0.02, 1.0, 1.01])
    position = np.array([0.0, 0.0, 0.5, 2.0, 2.0])[:, None]
    assert jumps(JointTrace(time, position), np.array([1.0]), 1.5).tolist() == [2]


def test_traces_keep_what_is_finite_and_fresh():
    time, position = np.array([0.0, 1.0, 1.0, 0.5, 2.0]), np.array([0.0, 1.0, 2.0, 3.0, np.nan])[:, None]
    assert usable(time, position).tolist() == [True, True, False, False, False]
    trace = JointTrace(time, position)
    assert trace.seconds.tolist() == [0.0, 1.0]
    with pytest.raises(ValueError, match="read-only"):
        trace.position[0] = 1.0


def test_a_stream_is_measured():
    times = steady(rate=100.0, seconds=2.0)
    keep = np.r_[0:50, 60:200]
    found = measure_stream(replace(times, stamp=times.stamp[keep], received=times.received[keep]))
    assert (found.count, found.lost) == (190, 10)
    assert found.gap == pytest.approx(0.1)
    assert found.delay == pytest.approx(1e-3)
    assert found.shortfall == pytest.approx(0.05, abs=0.001)
    silent = measure_stream(StreamTimes("imu", (), (), 100.0))
    assert (silent.count, silent.shortfall, silent.gap) == (0, 1.0, 0.0)
    assert measure_stream(StreamTimes("command", times.stamp, times.received, 100.0)).lost is None


def test_a_slow_camera_has_no_skew_for_its_period():
    apart, topic = skew([steady(), steady("camera", rate=10.0)])
    assert apart == 0.0
    apart, topic = skew([steady(), steady("camera", rate=10.0, begin=0.3)])
    assert (apart, topic) == (pytest.approx(0.2, abs=0.01), "camera")


def test_letters():
    one, two = (judge("m", value, 1.0, 2.0, "") for value in (1.0, 2.0))
    assert [one.level, two.level, judge("m", np.nan, 1.0, 2.0, "").level] == [Level.WARNING, Level.FAILURE, Level.FAILURE]
    fine = Finding("m", Level.GOOD, 0.0, "")
    assert [letter(x) for x in ([fine], [one], [one, one], [two, one], [two, two])] == list("ABCDF")
    assert is_below("D", "C")
    assert not is_below("C", "C")


def test_what_happens_before_and_after_following_is_no_intervention(good, toy):
    status, reasons = good.status.copy(), list(good.reasons)
    status[:200], reasons[:200] = 3, [("stale_target",)] * 200
    status[600:], reasons[600:] = 3, [("stale_target",)] * 150
    quiet = grade_episode(replace(good, status=status, reasons=reasons), toy, CONFIG)
    assert quiet.value("held") == 0.0
    status[700:], reasons[700:] = 4, [("emergency_stop",)] * 50
    stopped = grade_episode(replace(good, status=status, reasons=reasons), toy, CONFIG)
    assert stopped.value("held") == pytest.approx(150 / 550)
    assert any("emergency_stop" in reason for reason in stopped.reasons)


def test_an_unconfirmed_success_is_told(good, toy):
    assert "never held" in grade_episode(replace(good, held_true=False), toy, CONFIG).reasons[0]
    assert grade_episode(replace(good, success=None), toy, CONFIG).letter == "B"


def traces(count, rng, offset=0.0):
    """Return reaches whose end follows from the goal, each with another timing."""
    made = []
    for i in range(count):
        goal = rng.uniform(-1.0, 1.0, 2)
        phase = np.linspace(0.0, 1.0, PHASES) ** rng.uniform(0.8, 1.25)
        path = np.stack([phase + offset * (i == 0) * np.sin(np.pi * phase), 0.3 * goal[0] * phase, 0.0 * phase], axis=1)
        made.append(EpisodeTrace(f"e{i}", path + rng.normal(0.0, 0.002, path.shape), 2.0, goal, ""))
    return made


def test_outliers_are_those_that_goal_and_start_do_not_explain():
    rng = np.random.default_rng(0)
    plain = compare(traces(20, rng), CONFIG)
    assert plain.outliers == ()
    assert set(plain.joints) == {0, 1}
    assert plain.residual.max() < 0.3 * plain.deviation.max(), "the goal explains most"
    odd = compare(traces(20, rng, offset=0.5), CONFIG)
    assert [outlier.name for outlier in odd.outliers] == ["e0"]
    assert "otherwise" in odd.outliers[0].reason


def test_copies_long_episodes_and_operators_are_told():
    made = traces(12, np.random.default_rng(1))
    made = [replace(trace, operator="ann" if i < 6 else "bob") for i, trace in enumerate(made)]
    made[3] = replace(made[3], duration=6.0)
    made.append(replace(made[5], name="copy"))
    found = compare(made, CONFIG)
    reasons = {outlier.name: outlier.reason for outlier in found.outliers}
    assert reasons == {"copy": "the same motion as e5: a copy", "e3": "takes 6.0 s, the others 2.0 s"}
    assert [(o.name, o.count) for o in found.operators] == [("ann", 7), ("bob", 6)]
    assert 0.0 <= found.between <= 1.0
    assert compare(made[:3], CONFIG) is None


def test_alignment_takes_timing_away():
    phase = np.linspace(0.0, 1.0, PHASES)
    reference, late = (np.sin(np.pi * phase**power)[:, None] for power in (1.0, 1.2))
    before, after = np.abs(late - reference).max(), np.abs(align(late, reference) - reference).max()
    assert after < 0.2 * before


def test_paths_are_cut_to_the_motion():
    time = np.arange(0.0, 5.0, 0.01)
    path = by_phase(JointTrace(time, np.clip(time - 2.0, 0.0, 1.0)[:, None]))
    assert path.shape == (PHASES, 1)
    assert np.abs(path[:, 0] - np.linspace(0.0, 1.0, PHASES)).max() < 0.03
    assert by_phase(JointTrace(time[:1], np.zeros((1, 2)))).shape == (PHASES, 2)


def test_the_emptiest_place_is_found():
    corner = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.1, 0.1]])
    found = cover(corner)
    assert found.hole_at.tolist() == [1.0, 1.0]
    assert found.hole == pytest.approx(1.0 / np.sqrt(2.0))
    many = cover(np.random.default_rng(0).normal(size=(30, 7)))
    assert many.principal
    assert many.points.shape == (30, 2)
    assert cover(np.zeros((4, 3))).size == 0.0


def test_thresholds_are_read_and_checked(tmp_path):
    assert isinstance(load_grading(find_config("quality.yaml")), GradingConfig)
    file = tmp_path / "q.yaml"
    file.write_text("thresholds: {idle_warn: 0.1}")
    assert load_grading(file).idle_warn == 0.1
    for text in ("thresholds: {idle: 1}", "thresholds: {idle_warn: 2.0}", "idle_warn: 0.1", ": {", "thresholds: []"):
        file.write_text(text)
        with pytest.raises(ConfigError, match=r"q\.yaml|allowed"):
            load_grading(file)


def test_an_unknown_status_is_no_following(good, toy):
    status = good.status.copy()
    status[400:600] = 77
    grade = grade_episode(replace(good, status=status, reasons=[("odd",) if s == 77 else () for s in status]), toy, CONFIG)
    assert grade.value("held") == pytest.approx(200 / 750)
    assert grade.interventions["status 77: odd"] == pytest.approx(200 / 750)
