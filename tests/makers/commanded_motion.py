# SPDX-License-Identifier: Apache-2.0
"""A commanded motion that a QP filter moves on, tick by tick."""

import numpy as np

from kata_safety import DesiredVelocity, QPFilter
from kata_safety.qp.motion import FilteredStep


class CommandedMotion:
    """Holds what a QP filter is to be told again at the next tick; it begins in a posture, at rest."""

    def __init__(self, qp_filter: QPFilter, position: np.ndarray) -> None:
        self.qp_filter = qp_filter
        self.place(position, np.zeros(len(position)))

    def place(self, position: np.ndarray, velocity: np.ndarray) -> None:
        """Begin anew."""
        self.at = self.qp_filter.begin(position, velocity)

    @property
    def position(self) -> np.ndarray:
        return self.at.position

    @property
    def velocity(self) -> np.ndarray:
        return self.at.velocity

    def step(self, velocity: np.ndarray) -> FilteredStep:
        """Take the tick that is nearest to a desired velocity."""
        self.at, step = self.qp_filter.step(self.at, DesiredVelocity(velocity))
        return step

    def halt(self) -> FilteredStep:
        """Brake for a tick."""
        self.at, step = self.qp_filter.halt(self.at)
        return step
