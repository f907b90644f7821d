# SPDX-License-Identifier: Apache-2.0
"""Observation inputs: what a policy may look at beside the robot's joints."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_policy.observation import CameraSpec

__all__ = ["ObservationInputs", "PictureSource"]

PictureSource = Callable[[CameraSpec], NDArray[np.uint8] | None]
"""Gives the newest picture of a camera in the size that is asked for, shape (height, width, 3); None if there is none."""


def _dark(camera: CameraSpec) -> None:
    return None


@dataclass(frozen=True, slots=True, eq=False)
class ObservationInputs:
    """What is there at one step.

    Attributes:
        objects: Objects by name, as `Observer.observe` takes them.
        wrenches: Force and torque by sensor, shape (6,), [N] and [N·m].
        picture: Called for a camera only when its picture is needed, since decoding costs.
    """

    objects: Mapping[str, FloatArray] = field(default_factory=dict)
    wrenches: Mapping[str, FloatArray] = field(default_factory=dict)
    picture: PictureSource = _dark
