# SPDX-License-Identifier: Apache-2.0
"""The policy's loop: it observes at every step, asks when inference is free, and no doubt is a dead end."""

import numpy as np
import pytest
from policy_doubles import BALL, GOAL, JOINTS, STEP, Backward, Follower, Wary, state

from kata_model import load_robot
from kata_policy.running.ending import EndingConfig
from kata_policy.running.inference import SteppedInference
from kata_policy.running.observation_inputs import ObservationInputs
from kata_policy.running.retreat import DoubtConfig, Retreat, Trail
from kata_policy.running.runner import Phase, PolicyRunner, RunnerConfig

QUICK = RunnerConfig(
    ending=EndingConfig(hold_time=0.1, return_velocity=3.0),
    doubt=DoubtConfig(doubt_time=0.2, sure_before=0.1),
)
"""Ten steps of doubt, and a way back to where it was sure five steps before."""


def lost(height):
    """Return a scene where it was never trained, with the ball at a height and so the elbow at an angle."""
    return ObservationInputs({"goal": np.array([9.0, -0.2, height])})


@pytest.fixture(scope="module")
def g1():
    return load_robot("g1")


def engaged(g1, policy, config=None, delay=0):
    runner = PolicyRunner(g1, policy, config, SteppedInference(policy, delay))
    assert runner.engage(state(g1, 0), 0) == ""
    return runner


def run(runner, g1, scene, steps):
    """Return the steps of a span; scene is one for all, or made from the step's number."""
    made = scene if callable(scene) else lambda _: scene
    return [runner.step(state(g1, step), made(step), step * STEP) for step in steps]


def numbered(step):
    """Return a scene whose ball, and whose picture, tell the step."""
    return ObservationInputs({"goal": BALL + step}, picture=lambda camera: np.full(camera.shape, step, np.uint8))


@pytest.mark.parametrize("delay", [0, 1, 2, 3])
def test_the_past_that_is_shown_is_that_of_every_step_however_long_inference_takes(g1, delay):
    """Two steps are what the node's loop sees of an inference of one and a half."""
    policy = Backward()
    run(engaged(g1, policy, delay=delay), g1, numbered, range(3, 20))
    assert len(policy.shown) >= 5
    for shown in policy.shown[2:]:
        assert np.diff(shown).tolist() == [1, 1], "steps are missing from what it is shown"


def test_a_picture_that_is_missed_is_noticed_while_inference_runs(g1):
    runner = engaged(g1, Backward(), delay=4)
    steps = run(runner, g1, numbered, range(6))
    assert steps[-1].target is not None
    blind = run(runner, g1, ObservationInputs({"goal": BALL}), range(6, 8))
    assert runner._inference.busy
    assert [step.target for step in blind] == [None, None]


def test_an_answer_within_the_step_is_followed_within_the_step(g1):
    elbow = g1.layout.names.index(JOINTS[0])
    (step,) = run(engaged(g1, Follower()), g1, GOAL, [1])
    assert step.target.position[elbow] == pytest.approx(BALL[2])
    assert step.seconds is not None
    assert step.phase is Phase.ACTING


def test_a_doubt_that_passes_in_time_leaves_no_trace(g1):
    runner = engaged(g1, Wary(), QUICK)
    run(runner, g1, GOAL, range(10))
    doubting = run(runner, g1, lost(0.1), range(10, 19))
    assert [step.phase for step in doubting[1:]] == [Phase.DOUBTING] * 8
    assert all(step.unsure for step in doubting[1:])
    assert [step.phase for step in run(runner, g1, GOAL, range(19, 24))][1:] == [Phase.ACTING] * 4


def climbing(step):
    """Return a scene whose ball rises, and with it the elbow's target."""
    return ObservationInputs({"goal": np.array([0.3, -0.2, 0.02 * step])})


def test_a_doubt_that_lasts_goes_back_along_its_own_path_and_tries_again(g1):
    runner, elbow = engaged(g1, Wary(), QUICK), g1.layout.names.index(JOINTS[0])
    path = [step.target.position[elbow] for step in run(runner, g1, climbing, range(40))]
    steps = run(runner, g1, lost(0.78), range(40, 52))
    assert [step.phase for step in steps] == [Phase.ACTING, *[Phase.DOUBTING] * 10, Phase.RETREATING]
    back = []
    while runner.phase is Phase.RETREATING:
        (step,) = run(runner, g1, climbing(30), [52 + len(back)])
        back.append(step.target.position[elbow])
        assert not step.unsure, "nobody follows it on its way"
        assert len(back) < 200
    assert np.all(np.diff(back) <= 1e-9)
    assert back[-1] == pytest.approx(path[35], abs=0.021), "not where it was sure five steps before its doubt"
    again = run(runner, g1, climbing(30), range(52 + len(back), 60 + len(back)))
    assert [step.phase for step in again] == [Phase.ACTING] * 8
    assert again[-1].target.position[elbow] == pytest.approx(0.6)


def test_who_tried_in_vain_goes_to_rest_and_needs_a_person(g1):
    runner = engaged(g1, Wary(), QUICK)
    run(runner, g1, climbing, range(40))
    steps = run(runner, g1, lost(0.78), range(40, 400))
    phases = [step.phase for step in steps]
    order = [phase for i, phase in enumerate(phases) if i == 0 or phase is not phases[i - 1]]
    acting, doubting = Phase.ACTING, Phase.DOUBTING
    assert order == [acting, doubting, Phase.RETREATING, acting, doubting, Phase.NEEDS_PERSON]
    led = [step.target for step in steps if step.phase is Phase.NEEDS_PERSON and step.target is not None]
    assert led[-1].position == pytest.approx(g1.rest, abs=0.05)
    assert steps[-1].target is None
    assert run(runner, g1, GOAL, range(400, 450))[-1].phase is Phase.NEEDS_PERSON, "it goes on by itself"
    assert runner.engage(state(g1, 450), 450 * STEP) == ""
    assert run(runner, g1, GOAL, range(450, 455))[-1].phase is Phase.ACTING


def test_who_was_never_sure_stays_where_it_is_and_then_needs_a_person(g1):
    steps = run(engaged(g1, Wary(), QUICK), g1, lost(g1.rest[g1.layout.names.index(JOINTS[0])]), range(100))
    assert steps[-1].phase is Phase.NEEDS_PERSON
    for step in steps:
        if step.phase is Phase.RETREATING:
            assert step.target.position == pytest.approx(g1.rest)


@pytest.mark.parametrize("phase", [Phase.DOUBTING, Phase.RETREATING, Phase.NEEDS_PERSON])
def test_it_can_be_let_go_at_any_time(g1, phase):
    runner = engaged(g1, Wary(), QUICK)
    run(runner, g1, climbing, range(40))
    number = 40
    while runner.phase is not phase:
        run(runner, g1, lost(0.78), [number])
        number += 1
        assert number < 400
    assert runner.disengage() == ""
    (step,) = run(runner, g1, lost(0.78), [number])
    assert (step.phase, step.target) == (Phase.IDLE, None)


def test_success_and_time_end_an_episode_at_rest(g1):
    for config, succeeded in ((EndingConfig(time_limit=0.5, hold_time=0.1), False), (EndingConfig(hold_time=0.1), True)):
        runner = engaged(g1, Follower(), RunnerConfig(ending=config))
        steps = [runner.step(state(g1, i), GOAL, i * STEP, succeeded and i >= 25) for i in range(400)]
        assert [steps[i].phase for i in (23, 26, 399)] == [Phase.ACTING, Phase.ENDING, Phase.IDLE]
        led = [step.target.position for step in steps if step.target is not None]
        assert led[-1] == pytest.approx(g1.rest, abs=0.05)


def test_what_had_succeeded_before_ends_nothing_until_it_succeeds_anew(g1):
    runner = PolicyRunner(g1, Follower())
    runner.engage(state(g1, 0), 0, succeeded=True)
    done = [True] * 10 + [False] * 5 + [True]
    phases = [runner.step(state(g1, i), GOAL, i * STEP, succeeded).phase for i, succeeded in enumerate(done)]
    assert phases == [Phase.ACTING] * 15 + [Phase.ENDING]


def test_a_retreat_is_no_faster_than_allowed_and_ends_where_its_way_does():
    way = np.cumsum(np.random.default_rng(0).normal(0.0, 0.1, (20, 3)), axis=0)
    retreat, times = Retreat(way, 0.5, 7), range(7, 60_000_000_000, 1_000_000)
    path = np.array([retreat.position(now) for now in times if not retreat.over(now)])
    assert path[0] == pytest.approx(way[0])
    assert path[-1] == pytest.approx(way[-1], abs=1e-3)
    assert np.abs(np.diff(path, axis=0)).max() <= 0.5 * 1e-3 + 1e-9


def test_a_trail_turns_back_to_the_last_sure_crumb_and_else_to_the_first():
    trail = Trail(np.zeros(2), 0)
    for i in range(1, 11):
        trail.note(i, np.full(2, 0.1 * i), i <= 6)
    assert trail.turn_back(before=5)[-1] == pytest.approx(0.5)
    assert trail.end == pytest.approx(0.5)
    assert trail.turn_back(before=-1)[-1] == pytest.approx(0.0)
    assert trail.turn_back(before=-1).shape == (1, 2), "there is no way back from the first crumb"
