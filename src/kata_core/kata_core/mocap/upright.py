# SPDX-License-Identifier: Apache-2.0
"""Turn a motion into metres, z up, and its rest pose to face +x."""

import numpy as np

from kata_core.arrays import FloatArray
from kata_core.errors import ClipError
from kata_core.mocap.body_map import BodyMap
from kata_core.mocap.rotations import from_matrix
from kata_core.mocap.skeleton import Motion, Skeleton

__all__ = ["to_metres_and_z_up"]

# An ASF unit is 0.45 inch^-1 scaled: 2.54 / 0.45 cm (CMU's own definition).
_UNITS = {
    "m": 1.0,
    "cm": 0.01,
    "mm": 0.001,
    "inch": 0.0254,
    "CMU's ASF unit (5.644 cm)": 0.0254 / 0.45,
    "foot": 0.3048,
}
_LEG = (0.60, 1.15)
"""Hip to ankle of a human [m]; the span's ratio is below that of any two units, so at most one unit fits."""


def to_metres_and_z_up(motion: Motion, bodies: BodyMap, where: str) -> tuple[Motion, list[str]]:
    """Return the motion in metres, z up, rest pose facing +x, and what was found out.

    Raises:
        ClipError: The hips or the legs have no extent.
    """
    scale, unit = _unit(motion.skeleton, bodies, where)
    q, axis = _upright(motion, bodies, where)
    return motion.turned(q, scale), [f"unit: {unit}", f"up: {axis}"]


def _unit(skeleton: Skeleton, bodies: BodyMap, where: str) -> tuple[float, str]:
    rest = skeleton.rest()
    leg = float(
        np.mean([_length(rest, [bodies.joints[f"{s}_{p}"] for p in ("thigh", "shin", "foot")]) for s in ("left", "right")])
    )
    if not leg > 0.0:
        raise ClipError(
            "the legs' bones have no length",
            where=where,
            fix="export the clip with its skeleton",
        )
    for name, metres in _UNITS.items():
        if _LEG[0] <= leg * metres <= _LEG[1]:
            return metres, f"{name}, by legs of {leg * metres:.2f} m"
    return 0.85 / leg, f"unknown (legs of {leg:.3g} units), scaled to legs of 0.85 m"


def _length(rest: FloatArray, chain: list[int]) -> float:
    return float(np.linalg.norm(np.diff(rest[chain], axis=0), axis=1).sum())


def _upright(motion: Motion, bodies: BodyMap, where: str) -> tuple[FloatArray, str]:
    rest = motion.skeleton.rest()
    feet = 0.5 * (rest[bodies.joints["left_foot"]] + rest[bodies.joints["right_foot"]])
    up = _snap(rest[bodies.joints["torso"]] - feet)
    left = _snap(rest[bodies.joints["left_thigh"]] - rest[bodies.joints["right_thigh"]])
    if abs(np.dot(up, left)) > 0.5:
        raise ClipError(
            "left and right hip coincide or lie above each other",
            where=where,
            fix="check the skeleton's offsets",
        )
    axes = np.stack((np.cross(left, up), left, up))
    return from_matrix(axes), _name(up)


def _snap(vector: FloatArray) -> FloatArray:
    """Return the coordinate axis nearest to a direction."""
    axis = int(np.argmax(np.abs(vector)))
    return np.asarray(np.eye(3)[axis] * np.sign(vector[axis]))


def _name(axis: FloatArray) -> str:
    i = int(np.argmax(np.abs(axis)))
    return f"{'-' if axis[i] < 0 else ''}{'xyz'[i]}"
