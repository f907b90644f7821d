# SPDX-License-Identifier: Apache-2.0
"""The scripted person reaches the goal as people do: smoothly, variably, with corrections, by seed."""

import numpy as np
import pytest

from kata_model import ConfigError
from kata_teleop.scripted import PersonConfig, ScriptedPerson, make_person
from kata_teleop.scripted.reach import ReachSkill, ReachSkillConfig

GOAL = np.array([0.35, -0.15, 0.25])
PALM = np.array([0.20, -0.25, 0.05])
DT = 1.0 / 60.0


STILL = PersonConfig(tremor=0.0, noise=0.0)
SKILL = ReachSkillConfig()


def pose(position):
    return np.array([*position, 0.0, 0.0, 0.0, 1.0])


def look(person, goal, palm, now):
    """Let a person see goal and palm, shape (3,), or not (None)."""
    return person.step({} if goal is None else {"goal": pose(goal)}, {} if palm is None else {"right_hand": pose(palm)}, now)


def reach(config, skill=SKILL, seconds=4.0, lag=0.1):
    """Let a robot repeat the hand's displacement with a first-order lag [s]; return palms and hands, shape (N, 3)."""
    rng = np.random.default_rng(config.seed)
    person = ScriptedPerson(ReachSkill(skill, rng, config.spread), config, rng)
    person.engage(0)
    start = look(person, None, None, 0).position[1]
    palm, palms, hands = PALM.copy(), [], []
    for i in range(int(seconds / DT)):
        hand = look(person, GOAL, palm, round(i * DT * 1e9)).position[1]
        palm = palm + (PALM + hand - start - palm) * DT / lag
        palms.append(palm)
        hands.append(hand)
    return np.array(palms), np.array(hands)


@pytest.mark.parametrize("seed", range(20))
def test_the_palm_comes_to_the_goal_and_stays(seed):
    palms, _ = reach(PersonConfig(seed=seed))
    assert (np.linalg.norm(palms[-30:] - GOAL, axis=1) < 0.015).all()


def test_equal_seeds_move_equally_and_others_do_not():
    once, again, other = (reach(PersonConfig(seed=seed))[1] for seed in (3, 3, 4))
    assert np.array_equal(once, again)
    assert not np.allclose(once, other, atol=1e-3)


def test_the_hand_moves_no_faster_than_people():
    _, hands = reach(STILL)
    assert np.linalg.norm(np.diff(hands, axis=0), axis=1).max() / DT < 1.5


def test_a_large_miss_is_corrected():
    palms, _ = reach(PersonConfig(seed=1), ReachSkillConfig(miss=0.3))
    assert np.linalg.norm(palms[-1] - GOAL) < 0.015


def test_nothing_moves_before_engaging_nor_after():
    person = make_person("reach", STILL)
    before = [look(person, GOAL, PALM, round(i * 1e8)) for i in range(20)]
    person.engage(2 * 10**9)
    look(person, GOAL, PALM, 3 * 10**9)
    person.disengage()
    after = [look(person, GOAL, PALM, 4 * 10**9 + round(i * 1e8)) for i in range(20)]
    assert not any(f.engaged for f in before + after)
    assert all(np.array_equal(f.position, before[0].position) for f in before + after)


def test_without_a_goal_the_hand_waits():
    person = make_person("reach", STILL)
    person.engage(0)
    samples = [look(person, None, PALM, round(i * 1e8)) for i in range(30)]
    assert all(f.engaged for f in samples)
    assert np.ptp([f.position[1] for f in samples], axis=0).max() == 0.0


def test_the_hand_stays_where_it_is_while_the_goal_is_hidden():
    person = make_person("reach", STILL)
    person.engage(0)
    *_, before = (look(person, GOAL, PALM, round(i * 1e8)) for i in range(8))
    after = look(person, None, PALM, 800_000_000)
    assert np.linalg.norm(before.position[1] - look(make_person("reach", STILL), None, None, 0).position[1]) > 0.01
    assert np.array_equal(after.position, before.position)


@pytest.mark.parametrize(("task", "objects"), [("lift", ("box",)), ("push", ("puck", "goal")), ("reach", ("goal",))])
def test_whoever_shows_a_task_says_what_is_not_seen(task, objects):
    person = make_person(task, PersonConfig())
    missing = person.missing({}, {})
    assert all(name in missing for name in (*objects, "right_hand"))
    seen = pose([0.3, 0.0, 0.0])
    assert person.missing(dict.fromkeys(objects, seen), dict.fromkeys(("left_hand", "right_hand"), seen)) == ""


def test_nobody_shows_an_unknown_task():
    with pytest.raises(ConfigError, match="juggle"):
        make_person("juggle", PersonConfig())


@pytest.mark.parametrize("task", ["lift", "push"])
def test_the_first_wish_is_where_the_palm_is(task):
    person = make_person(task, PersonConfig(reaction=0.0, tremor=0.0, noise=0.0))
    turned = np.array([0.0, 0.1, 0.0, np.sqrt(1 - 0.01)])
    palms = {hand: np.array([0.3, side * 0.2, 0.0, *turned]) for hand, side in (("left_hand", 1), ("right_hand", -1))}
    objects = {name: np.array([0.3, y, -0.05, 0.0, 0.0, 0.0, 1.0]) for name, y in (("box", 0.0), ("puck", -0.1), ("goal", 0.0))}
    idle = person.step(objects, palms, 0)
    person.engage(0)
    first = person.step(objects, palms, 0)
    np.testing.assert_allclose(first.position, idle.position, atol=1e-9)
    np.testing.assert_allclose(np.abs(first.orientation_xyzw), np.abs(idle.orientation_xyzw), atol=1e-9)
    later = person.step(objects, palms, 500_000_000)
    assert np.linalg.norm(later.position - idle.position) > 0.005
