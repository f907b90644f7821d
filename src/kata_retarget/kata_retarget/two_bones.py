# SPDX-License-Identifier: Apache-2.0
"""A limb of two bones: where the hinge is when only the ends are seen."""

import numpy as np

from kata_model.arrays import FloatArray

__all__ = ["ARM", "ELBOW_POLE", "SHOULDER", "hinge_of"]

ARM = (0.28, 0.26)
"""Upper arm and forearm of a person of usual size [m] (Winter 2009, figure 4.1, for 1.75 m with the T-pose of frames)."""

SHOULDER = np.array([0.0, 0.18, -0.15])
"""Left shoulder from the head's base, upright, facing +x [m]."""

ELBOW_POLE = np.array([-0.4, 0.5, -1.0])
"""Where a relaxed left elbow points to, in the chest's axes: down, outwards and a little back."""

_LEAST_BEND = 0.02  # a straight limb keeps this share of its length as sag, so that its plane is known


def hinge_of(root: FloatArray, end: FloatArray, lengths: tuple[float, float], pole: FloatArray) -> FloatArray:
    """Return the place of the hinge (elbow or knee), shape (3,), [m].

    Args:
        root: Shoulder or hip, shape (3,), [m].
        end: Wrist or ankle, shape (3,), [m]; one out of reach is pointed at.
        lengths: Of the first and the second bone [m].
        pole: Direction to which the hinge points, shape (3,).
    """
    first, second = lengths
    way = end - root
    distance = float(np.linalg.norm(way))
    along = way / distance if distance > 1e-6 else np.array([0.0, 0.0, -1.0])
    reach = float(np.clip(distance, abs(first - second) + 1e-3, (first + second) * (1.0 - _LEAST_BEND)))
    side = pole - (pole @ along) * along
    if np.linalg.norm(side) < 1e-6:
        side = np.array([along[2], 0.0, -along[0]]) if abs(along[1]) < 0.9 else np.array([1.0, 0.0, 0.0])
    across = side / np.linalg.norm(side)
    forward = (first**2 - second**2 + reach**2) / (2.0 * reach)
    hinge: FloatArray = root + forward * along + np.sqrt(max(0.0, first**2 - forward**2)) * across
    return hinge
