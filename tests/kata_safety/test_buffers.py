# SPDX-License-Identifier: Apache-2.0
"""Arrays that kernels are handed as one object."""

import gc

import numpy as np
import pytest

from kata_model import RobotModel
from kata_safety import Shapes
from kata_safety.qp.buffers import Buffers, handle_of, linearise_around, new_buffers
from kata_safety.qp.dynamics_model import make_dynamics_model


def buffers_of(robot: RobotModel) -> Buffers:
    buffers = new_buffers(make_dynamics_model(robot, Shapes()), np.zeros(0), 0, 6.0, 0.004)
    buffers.bounds[:] = [[-3.0], [3.0], [1.0], [1.0]]
    buffers.allowed.effort[:] = np.inf
    buffers.state[0] = robot.rest
    return buffers


def test_what_is_held_is_shared_with_whoever_made_it(g1: RobotModel) -> None:
    buffers = buffers_of(g1)
    handle = handle_of(buffers)
    for wish in (0.25, -0.5):
        buffers.state[2] = wish
        linearise_around(handle, np.inf, 0.0, False)
        assert buffers.linearised.wanted == pytest.approx(wish)


def test_what_is_held_outlives_its_maker(g1: RobotModel) -> None:
    buffers = buffers_of(g1)
    handle, wanted = handle_of(buffers), buffers.linearised.wanted
    buffers.state[2] = 0.75
    del buffers
    gc.collect()
    linearise_around(handle, np.inf, 0.0, False)
    assert wanted == pytest.approx(0.75)
