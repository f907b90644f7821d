# SPDX-License-Identifier: Apache-2.0
"""Parameters of the simulator."""

from dataclasses import dataclass

from kata_model.config.params import param

__all__ = ["SimConfig"]


@dataclass(frozen=True)
class SimConfig:
    """How the robot is simulated."""

    base: str = param("fixed", choices=("fixed", "floating"), doc="Whether the base is held in the air or free.")
    timestep: float = param(0.002, unit="s", low=0.0001, high=0.005, doc="Physics step; the joints' PD control runs in each.")
    command_timeout: float = param(0.2, unit="s", low=0.01, high=10.0, doc="Age of a command after which the joints only damp.")
    rest_noise: float = param(
        0.0, unit="rad", low=0.0, high=0.5, doc="Spread of the joints about the rest position after a reset."
    )
    image_width: int = param(320, unit="px", low=16, high=1920, doc="Width of camera images.")
    image_height: int = param(240, unit="px", low=16, high=1080, doc="Height of camera images.")
    image_quality: str = param(
        "fast", choices=("fast", "fine"), doc="Coarse meshes at 5 ms a picture, or shadows and smooth edges."
    )
