# SPDX-License-Identifier: Apache-2.0
"""Domain randomisation: what differs from one reset to the next, so that nobody learns one simulator by heart.

All is drawn anew at each reset from the reset's seed, and off by default.
"""

from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from kata_model.arrays import FloatArray
from kata_model.config.params import param

__all__ = ["Randomization", "Randomizer"]


@dataclass(frozen=True)
class Randomization:
    """How much each thing varies; 0 leaves it as it is."""

    mass: float = param(0.0, unit="1", low=0.0, high=0.9, doc="Largest relative change of the mass of links and things.")
    friction: float = param(0.0, unit="1", low=0.0, high=0.9, doc="Largest relative change of sliding friction.")
    delay: float = param(0.0, unit="s", low=0.0, high=0.1, doc="Longest delay of commands, one for each reset.")
    position_noise: float = param(0.0, unit="rad", low=0.0, high=0.1, doc="Standard deviation of measured joint positions.")
    velocity_noise: float = param(0.0, unit="rad/s", low=0.0, high=2.0, doc="Standard deviation of measured joint velocities.")
    light: float = param(0.0, unit="1", low=0.0, high=0.9, doc="Largest relative change of the lights' brightness.")
    camera_shift: float = param(0.0, unit="m", low=0.0, high=0.1, doc="Largest displacement of each camera along each axis.")
    camera_turn: float = param(0.0, unit="rad", low=0.0, high=0.3, doc="Largest turn of each camera about each axis.")


class Randomizer:
    """Changes a model at each reset, always from how it was built.

    Args:
        model: ``mujoco.MjModel``; its numbers are changed in place.
        config: How much.
    """

    def __init__(self, model: Any, config: Randomization) -> None:
        """Remember how the model was built."""
        self._model, self._config = model, config
        names = ("body_mass", "body_inertia", "geom_friction", "light_diffuse", "cam_pos", "cam_quat")
        self._built = {name: getattr(model, name).copy() for name in names}
        self._headlight = np.array(model.vis.headlight.diffuse)
        self._rng = np.random.default_rng(0)
        self.delay = 0
        """By how much commands come late since the last reset [ns]."""

    def draw(self, rng: np.random.Generator) -> None:
        """Draw everything anew."""
        self._rng, config = rng, self._config
        self.delay = round(rng.uniform(0.0, config.delay) * 1e9)
        model, built = self._model, self._built
        mass = 1.0 + config.mass * rng.uniform(-1.0, 1.0, model.nbody)
        model.body_mass[:] = built["body_mass"] * mass
        model.body_inertia[:] = built["body_inertia"] * mass[:, None]
        grip = 1.0 + config.friction * rng.uniform(-1.0, 1.0, model.ngeom)
        model.geom_friction[:, 0] = built["geom_friction"][:, 0] * grip
        bright = 1.0 + config.light * rng.uniform(-1.0, 1.0, 1 + model.nlight)
        model.light_diffuse[:] = built["light_diffuse"] * bright[1:, None]
        model.vis.headlight.diffuse[:] = self._headlight * bright[0]
        model.cam_pos[:] = built["cam_pos"] + config.camera_shift * rng.uniform(-1.0, 1.0, (model.ncam, 3))
        for camera, turn in enumerate(config.camera_turn * rng.uniform(-1.0, 1.0, (model.ncam, 3))):
            _turn(built["cam_quat"][camera], turn, model.cam_quat[camera])

    def measured(self, position: FloatArray, velocity: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return joint positions [rad] and velocities [rad/s], shape (n,) each, with the sensors' noise."""
        noise = self._rng.normal(size=(2, len(position)))
        return position + self._config.position_noise * noise[0], velocity + self._config.velocity_noise * noise[1]


def _turn(quaternion: FloatArray, vector: FloatArray, result: FloatArray) -> None:
    """Turn a quaternion (wxyz) by a rotation vector [rad] in its own axes."""
    result[:] = quaternion
    mujoco.mju_quatIntegrate(result, vector, 1.0)
