# SPDX-License-Identifier: Apache-2.0
"""A policy at the wheel moves its joints, holds the others, and waits for what it must see."""

from types import SimpleNamespace

import numpy as np
import pytest

from kata_core import JointState, load_robot
from kata_core.observation import TermSpec
from kata_core.policy.monitor import UNMONITORED, Certainty, Levels, MonitorSpec
from kata_core.policy.pilot import Pilot

JOINTS = ("right_elbow_joint", "right_wrist_roll_joint")
GOAL = {"goal": np.array([0.3, -0.2, 0.1])}
FAR = {"goal": np.array([0.3, -0.2, 9.0])}


class Follower:
    """Wants the first joint at the goal's height and the second at rest, at once and in all of its chunk."""

    contract = SimpleNamespace(terms=(TermSpec("object_position/goal", (3,)),), joint_names=JOINTS, horizon=4, monitor=None)

    def act(self, observation):
        return np.tile([observation["object_position/goal"][2], 0.0], (4, 1)).astype(float)


@pytest.fixture(scope="module")
def g1():
    return load_robot("g1")


@pytest.fixture
def pilot(g1):
    return Pilot(g1, Follower())


def state(g1, stamp, offset=0.0):
    zeros = np.zeros(len(g1.layout))
    return JointState(stamp, g1.rest + offset, zeros, zeros)


def test_nothing_is_wanted_before_engaging_nor_after(pilot, g1):
    assert pilot.step(state(g1, 1), GOAL) is None
    pilot.engage(state(g1, 1))
    assert pilot.step(state(g1, 2), GOAL) is not None
    pilot.disengage()
    assert pilot.step(state(g1, 3), GOAL) is None


def test_engaging_needs_a_robot(pilot):
    assert "joint state" in pilot.engage(None)
    assert not pilot.engaged


def test_its_joints_move_and_the_others_stay_where_they_were_at_engage(pilot, g1):
    pilot.engage(state(g1, 1, offset=0.05))
    target = pilot.step(state(g1, 2, offset=0.2), GOAL)
    moved = g1.layout.indices(JOINTS)
    assert target.stamp == 2
    assert target.position[moved] == pytest.approx([0.1, 0.0], abs=1e-6)
    assert np.delete(target.position - g1.rest, moved) == pytest.approx(0.05)


def test_it_waits_for_the_goal(pilot, g1):
    pilot.engage(state(g1, 1))
    assert pilot.step(state(g1, 2), {}) is None


def test_a_new_engage_forgets_old_chunks(pilot, g1):
    pilot.engage(state(g1, 1))
    pilot.step(state(g1, 2), {"goal": np.array([0.0, 0.0, 9.0])})
    pilot.engage(state(g1, 3))
    elbow = g1.layout.names.index(JOINTS[0])
    assert pilot.step(state(g1, 4), GOAL).position[elbow] == pytest.approx(0.1, abs=1e-6)


class Wary(Follower):
    """The same, where goals within 3 m of GOAL are what it was trained on."""

    monitor = MonitorSpec(GOAL["goal"], np.eye(3), Levels(1.0, 3.0, 40), None, 2, 0.1, 0.01)
    contract = SimpleNamespace(**{**vars(Follower.contract), "monitor": monitor})


def test_a_goal_far_away_makes_it_unsure_and_its_old_plans_are_dropped(g1):
    pilot, elbow = Pilot(g1, Wary()), g1.layout.names.index(JOINTS[0])
    pilot.engage(state(g1, 1))
    found = []
    for stamp, goal in enumerate([GOAL, FAR, FAR, FAR, GOAL, GOAL, GOAL], start=2):
        target = pilot.step(state(g1, stamp), goal)
        found.append((pilot.judgement.certainty, float(target.position[elbow])))
    sure, unsure = Certainty.SURE, Certainty.UNSURE
    assert [certainty for certainty, _ in found] == [sure, sure, unsure, unsure, unsure, sure, sure]
    assert found[-1][1] == pytest.approx(0.1, abs=1e-6), "what it wanted while unsure lingers in the motion"
    pilot.disengage()
    assert pilot.judgement == UNMONITORED
