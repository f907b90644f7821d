# SPDX-License-Identifier: Apache-2.0
"""The robots and simulations that the simulator's tests share; building one takes a second."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from kata_model import JointCommand, RobotModel, load_robot
from kata_sim import SimConfig, Simulation


@pytest.fixture(scope="session")
def g1() -> RobotModel:
    return load_robot("g1")


@pytest.fixture(scope="session")
def built(g1: RobotModel) -> Iterator[Simulation]:
    simulation = Simulation(g1)
    yield simulation
    simulation.close()


@pytest.fixture
def simulation(built: Simulation) -> Simulation:
    """Return the G1's simulation as if it were new, except for its time."""
    built.reset(0)
    return built


@pytest.fixture(scope="session")
def floating(g1: RobotModel) -> Simulation:
    return Simulation(g1, SimConfig(base="floating"))


@pytest.fixture
def compensated(g1: RobotModel) -> Callable[[np.ndarray], JointCommand]:
    """Return a maker of commands that rest at a position with gravity carried."""
    still = np.zeros(len(g1.layout))
    return lambda position: JointCommand(0, position, still, g1.gravity_effort(position), g1.stiffness, g1.damping)
