# SPDX-License-Identifier: Apache-2.0
"""Arrays that kernels are handed as one object."""

import gc

import numpy as np
import pytest

from kata_model import RobotModel
from kata_safety import Shapes
from kata_safety.guard.plant import make_plant
from kata_safety.guard.room import Room, hold_room, look_around, new_room


def room_of(robot: RobotModel) -> Room:
    room = new_room(make_plant(robot, Shapes()), np.zeros(0), 0, 6.0, 0.004)
    room.bounds[:] = [[-3.0], [3.0], [1.0], [1.0]]
    room.allowed.effort[:] = np.inf
    room.state[0] = robot.rest
    return room


def test_what_is_held_is_shared_with_whoever_made_it(g1: RobotModel) -> None:
    room = room_of(g1)
    held = hold_room(room)
    for wish in (0.25, -0.5):
        room.state[2] = wish
        look_around(held, np.inf, 0.0, False)
        assert room.survey.wanted == pytest.approx(wish)


def test_what_is_held_outlives_its_maker(g1: RobotModel) -> None:
    room = room_of(g1)
    held, wanted = hold_room(room), room.survey.wanted
    room.state[2] = 0.75
    del room
    gc.collect()
    look_around(held, np.inf, 0.0, False)
    assert wanted == pytest.approx(0.75)
