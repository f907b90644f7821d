# SPDX-License-Identifier: Apache-2.0
"""The robot that most tests load, and states to put it in."""

from collections.abc import Callable

import numpy as np
import pytest

from kata_model import JointState, RobotModel, load_robot


@pytest.fixture(scope="session")
def g1() -> RobotModel:
    """Return the reference humanoid."""
    return load_robot("g1")


@pytest.fixture
def state_at(g1: RobotModel) -> Callable[..., JointState]:
    """Return a maker of joint states at rest."""

    def make(stamp: int = 0, position: np.ndarray | None = None) -> JointState:
        rest = np.zeros(len(g1.layout))
        return JointState(stamp, g1.rest if position is None else position, rest, rest)

    return make
