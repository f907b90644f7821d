# SPDX-License-Identifier: Apache-2.0
"""A policy's monitor: calibrated levels hold what they promise, and what is far or broken is noticed."""

import json
from dataclasses import replace

import numpy as np
import pytest

from kata_model.errors import DataError
from kata_policy.calibration import (
    _student,
    conformal_level,
    disagreement_scores,
    distance_scores,
    make_levels,
    sustained,
    whiten,
)
from kata_policy.glance import GLANCE, glance
from kata_policy.monitor import Certainty, Levels, MonitorSpec, PolicyMonitor, disagreement, distance

SURE, WARNING, UNSURE = Certainty
STEPS = 3
TERMS = ("joint_position", "object_position/goal")


@pytest.fixture
def spec() -> MonitorSpec:
    return MonitorSpec(np.zeros(5), np.eye(5), Levels(2.0, 4.0, 40), Levels(0.1, 0.3, 6), STEPS, 0.1, 0.01)


@pytest.fixture
def monitor(spec: MonitorSpec) -> PolicyMonitor:
    return PolicyMonitor(spec, TERMS)


def seen(size: float) -> dict[str, np.ndarray]:
    """Return an observation of a distance."""
    return {"joint_position": np.array([size, 0.0], np.float32), "object_position/goal": np.zeros(3, np.float32)}


def episodes(rng: np.random.Generator, count: int, length: int = 60) -> np.ndarray:
    """Return wandering episodes whose numbers depend on one another, shape (count, length, 4)."""
    steps = rng.normal(0.0, 0.3, (count, length, 3))
    walk = np.zeros((count, 3))
    path = []
    for i in range(length):
        walk = 0.95 * walk + steps[:, i]
        path.append(np.concatenate([walk, walk.sum(1, keepdims=True)], axis=1))
    return np.stack(path, axis=1)


@pytest.mark.parametrize(("count", "rate"), [(9, 0.1), (40, 0.1), (99, 0.01)])
def test_a_new_score_exceeds_the_level_as_often_as_promised(count: int, rate: float) -> None:
    rng, trials = np.random.default_rng(0), 4000
    scores = rng.standard_cauchy((trials, count + 1)) ** 2  # no tail is too heavy for ranks
    exceeded = np.mean([new > conformal_level(old, rate) for *old, new in scores])
    assert exceeded <= rate + 3.0 * np.sqrt(rate / trials)
    assert exceeded >= rate - 1.0 / (count + 1) - 3.0 * np.sqrt(rate / trials)


def test_with_few_episodes_the_level_is_a_prediction_and_no_less_than_what_was_seen() -> None:
    rng, trials = np.random.default_rng(1), 4000
    scores = rng.lognormal(1.0, 0.5, (trials, 7))
    levels = np.array([conformal_level(old, 0.01) for *old, _ in scores])
    assert (levels >= scores[:, :-1].max(axis=1)).all()
    assert np.mean(scores[:, -1] > levels) <= 0.015


def test_the_series_of_students_distribution() -> None:
    for freedom, quantile in ((5, 3.3649), (10, 2.7638), (39, 2.4258)):  # tables, probability 0.99
        assert _student(0.99, freedom) == pytest.approx(quantile, rel=0.02)


def test_whole_episodes_exceed_calibrated_levels_as_often_as_promised() -> None:
    rng, exceeded = np.random.default_rng(2), []
    for _ in range(15):
        known, new = episodes(rng, 40), episodes(rng, 40)
        levels = make_levels(distance_scores(list(known), STEPS, 1e-2), 0.1, 0.01)
        mean, whitening = whiten(known.reshape(-1, 4), 1e-2)
        exceeded += [sustained(distance(episode, mean, whitening), STEPS) > levels.warning for episode in new]
    assert 0.05 <= np.mean(exceeded) <= 0.15


def test_levels_of_demonstrations_stop_a_policy_of_whose_own_attempts_levels_stop_few() -> None:
    rng = np.random.default_rng(7)

    def attempts(count: int) -> list[np.ndarray]:
        """Return episodes of a policy that keeps the others' sum only roughly, as demonstrations always do."""
        stray = rng.normal(0.0, 0.6, (count, 1, 1)) * np.array([0.0, 0.0, 0.0, 1.0])
        return list(episodes(rng, count) + stray)

    shown, own, new = list(episodes(rng, 40)), attempts(100), attempts(300)
    alone = make_levels(distance_scores(shown, STEPS, 1e-2), 0.1, 0.01)
    known = make_levels(distance_scores([*shown, *own], STEPS, 1e-2)[40:], 0.1, 0.01)
    held = []
    for rows, levels in ((shown, alone), ([*shown, *own], known)):
        ordinary = whiten(np.concatenate(rows), 1e-2)
        held.append(np.mean([sustained(distance(one, *ordinary), STEPS) > levels.hold for one in new]))
    assert held[0] > 0.3
    assert held[1] <= 0.03


def test_a_dependent_number_that_breaks_the_rule_is_far() -> None:
    data = episodes(np.random.default_rng(3), 30).reshape(-1, 4)
    mean, whitening = whiten(data, 1e-2)
    broken = data + np.array([0.0, 0.0, 0.0, 1.0])  # the last number is the others' sum: each alone stays in range
    assert distance(broken, mean, whitening).min() > distance(data, mean, whitening).max()


def test_too_few_episodes_and_broken_scores_are_refused() -> None:
    with pytest.raises(DataError, match="2 episodes"):
        conformal_level([1.0, 2.0], 0.1)
    with pytest.raises(DataError, match="monitor"):
        make_levels(np.array([1.0, np.inf, 2.0]), 0.1, 0.01)


def test_disagreement_is_that_of_the_instants_that_both_speak_of() -> None:
    plan = np.linspace(0.0, 1.0, 12)[:, None]
    chunks = np.stack([plan[i : i + 6] for i in range(6)])
    assert disagreement(chunks[0], chunks[1]) == 0.0
    assert disagreement(chunks[0], chunks[1] + 0.2) == pytest.approx(0.2)
    assert disagreement(chunks[0], chunks[4] + 0.2, gap=4) == pytest.approx(0.2)
    assert disagreement(chunks[0], chunks[5] + 9.0, gap=6) == 0.0
    jumping = chunks + 0.1 * (np.arange(6) % 2)[:, None, None]
    assert disagreement_scores([chunks, jumping], STEPS) == pytest.approx([0.0, 0.1])


def test_far_away_is_unsure_after_some_steps_and_sure_again_after_as_many(monitor: PolicyMonitor) -> None:
    chunk = np.zeros((4, 2))
    found = [monitor.judge(seen(size), chunk).certainty for size in [0.5, *[9.0] * 4, *[0.5] * 4]]
    assert found == [SURE, SURE, SURE, UNSURE, UNSURE, UNSURE, UNSURE, SURE, SURE]


def test_one_step_beyond_is_no_alarm_and_the_edge_only_warns(monitor: PolicyMonitor) -> None:
    chunk = np.zeros((4, 2))
    assert {monitor.judge(seen(size), chunk).certainty for size in [9.0, 9.0, 1.0] * 5} == {SURE}
    assert [monitor.judge(seen(3.0), chunk).certainty for _ in range(4)][-1] is WARNING


def test_disagreeing_answers_are_noticed_where_nothing_is_far(monitor: PolicyMonitor) -> None:
    found = [monitor.judge(seen(0.1), np.full((4, 2), 0.5 * (i % 2))) for i in range(6)]
    assert found[-1].certainty is UNSURE
    assert found[-1].disagreement == pytest.approx(0.5)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_what_is_not_finite_is_unsure_at_once(spec: MonitorSpec, broken: float) -> None:
    chunk = np.zeros((4, 2))
    assert PolicyMonitor(spec, TERMS).judge(seen(broken), chunk).certainty is UNSURE
    assert PolicyMonitor(spec, TERMS).judge(seen(0.0), np.full((4, 2), broken)).certainty is UNSURE


def test_a_missed_step_is_no_disagreement(monitor: PolicyMonitor) -> None:
    for i in range(8):
        judgement = monitor.judge(seen(0.1), np.full((4, 2), float(i)), step=2 * i)
    assert (judgement.certainty, judgement.disagreement) == (SURE, 0.0)


def test_a_spec_survives_json_bit_for_bit(spec: MonitorSpec) -> None:
    rng = np.random.default_rng(4)
    spec = replace(spec, mean=rng.normal(size=5), whitening=rng.normal(size=(5, 5)), disagreement=None)
    again = MonitorSpec.from_mapping(json.loads(json.dumps(spec.to_mapping())))
    assert again.to_mapping() == spec.to_mapping()
    assert np.array_equal(again.whitening, spec.whitening)


@pytest.mark.parametrize("wrong", [{"whitening": np.eye(4)}, {"mean": np.full(5, np.nan)}, {"steps": 0}])
def test_a_spec_that_makes_no_sense_is_refused(spec: MonitorSpec, wrong: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        replace(spec, **wrong)
    with pytest.raises(ValueError, match="levels"):
        Levels(2.0, 1.0, 3)


def test_a_picture_that_stays_while_the_joints_move_is_noticed_and_one_that_moves_on_is_not(spec: MonitorSpec) -> None:
    rng = np.random.default_rng(5)
    blind = replace(spec, mean=np.zeros(21), whitening=1e-3 * np.eye(21), stillness=Levels(0.1, 0.3, 40))
    for frozen in (False, True):
        monitor, found = PolicyMonitor(blind, TERMS, ("camera.head",)), []
        first = rng.integers(0, 255, (24, 32, 3), dtype=np.uint8)
        for step in range(40):
            picture = first if frozen else np.roll(first, step // 3, axis=1)  # a camera is slower than the policy
            found.append(monitor.judge({**seen(0.02 * step), "camera.head": picture}, np.zeros((4, 2))))
        assert (found[-1].certainty is UNSURE) is frozen
        assert found[-1].stillness == pytest.approx(0.78 if frozen else 0.0)


def test_a_black_picture_is_far_where_lit_ones_were_shown() -> None:
    rng = np.random.default_rng(6)
    room = rng.integers(60, 200, (24, 32, 3))
    lit = [room + rng.normal(0.0, 8.0) + rng.normal(0.0, 5.0, room.shape) for _ in range(400)]
    shown = [glance(np.clip(picture, 0, 255).astype(np.uint8)) for picture in lit]
    levels = make_levels(distance_scores([np.array(shown[i : i + 20]) for i in range(0, 400, 20)], STEPS, 1e-2), 0.1, 0.01)
    black = glance(np.zeros((24, 32, 3), np.uint8))
    assert black.tolist() == [0.0] * GLANCE
    assert distance(black, *whiten(np.array(shown), 1e-2)) > 3.0 * levels.hold


def test_a_glance_is_the_brightness_of_sixteen_fields() -> None:
    picture = np.kron(np.arange(16).reshape(4, 4), np.ones((6, 8)))[..., None].repeat(3, axis=2).astype(np.uint8)
    assert glance(picture) == pytest.approx(np.arange(16) / 255.0)
    assert glance(np.full((17, 23, 3), 51, np.uint8)) == pytest.approx(0.2)
