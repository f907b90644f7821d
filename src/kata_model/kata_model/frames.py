# SPDX-License-Identifier: Apache-2.0
"""Where the human is: named body poses in one convention for every source.

World: REP 103, z up, metres. A body's frame has its origin at the body's proximal joint and the axes of
the world (x forward, y left, z up) when the human stands in the reference pose: a T-pose, upright, facing
+x, palms down. Sources convert to this convention, so that whoever reads frames needs to know no skeleton.
"""

from dataclasses import dataclass

import numpy as np

from kata_model.arrays import FloatArray, frozen

__all__ = ["BODIES", "HumanFrames"]

BODIES: tuple[str, ...] = (
    "pelvis",
    "torso",
    "head",
    *(f"{side}_{part}" for side in ("left", "right") for part in ("upper_arm", "forearm", "hand")),
    *(f"{side}_{part}" for side in ("left", "right") for part in ("thigh", "shin", "foot", "toes")),
)
"""Canonical bodies; origins: hip centre, thorax (between the shoulders), head's base, shoulder, elbow, wrist,
hip, knee, ankle, ball of the foot."""


@dataclass(frozen=True, slots=True)
class HumanFrames:
    """One sample of a human's body poses.

    Attributes:
        stamp: When the source measured [ns].
        source: Name of the source, e.g. ``mocap``.
        engaged: The clutch; only an engaged sample may move the robot.
        names: Body names, length b, a subset of `BODIES` in any order.
        position: Body origins in the source's world, shape (b, 3), [m].
        orientation_xyzw: Unit quaternions, body to world, shape (b, 4).
        confidence: 0 (lost) to 1 (tracked), shape (b,).
    """

    stamp: int
    source: str
    engaged: bool
    names: tuple[str, ...]
    position: FloatArray
    orientation_xyzw: FloatArray
    confidence: FloatArray

    def __post_init__(self) -> None:
        """Copy and freeze the arrays."""
        b = len(self.names)
        for name, shape in (("position", (b, 3)), ("orientation_xyzw", (b, 4)), ("confidence", (b,))):
            object.__setattr__(self, name, frozen(name, getattr(self, name), shape))

    def find(self, body: str) -> int | None:
        """Return the row of a body that is tracked and finite, or None."""
        if body not in self.names:
            return None
        i = self.names.index(body)
        tracked = self.confidence[i] > 0.0
        return i if tracked and np.isfinite(self.position[i]).all() and np.isfinite(self.orientation_xyzw[i]).all() else None
