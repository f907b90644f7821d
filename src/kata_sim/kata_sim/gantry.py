# SPDX-License-Identifier: Apache-2.0
"""What holds a robot with a free base until somebody commands it."""

from typing import Any

import numpy as np

from kata_model.robot import RobotModel
from kata_safety.balance import load_postures, standing_height

__all__ = ["Gantry"]


class Gantry:
    """Holds the base over the floor, soles on it, as a gantry does in a lab; it is let go by the first command."""

    def __init__(self, robot: RobotModel, model: Any) -> None:
        """Prepare for a model whose free joint is named ``base``."""
        joint = model.joint("base")
        self._at, self._speed = int(joint.qposadr[0]), int(joint.dofadr[0])
        self.posture = load_postures(robot).standing
        """How the robot hangs, shape (n,), [rad]."""
        self._pose = np.array([0.0, 0.0, standing_height(robot, self.posture), 1.0, 0.0, 0.0, 0.0])

    def hold(self, data: Any) -> None:
        """Put the base to its place, at rest."""
        data.qpos[self._at : self._at + 7] = self._pose
        data.qvel[self._speed : self._speed + 6] = 0.0
