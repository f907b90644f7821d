# SPDX-License-Identifier: Apache-2.0
"""Orientations of bodies from nothing but where their origins are, in the convention of `kata_model.frames`.

A bone gives one axis. The other comes from the hinge next to it: elbows and knees bend about one axis, square to
both bones. A straight limb has no such plane; there its parent's frame, turned the shortest way, takes over smoothly.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from kata_model.arrays import FloatArray
from kata_retarget.mocap.rotations import about_axis, between, from_axes, multiply, normalise, rotate

__all__ = ["Constructed", "construct"]

_PRIOR = 0.1
"""Weight of the parent's frame against the sine of the hinge's angle: they are equal at 6 degrees."""
_Y, _Z = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])
_LOWEST = 20.0

At = Mapping[str, FloatArray]


class Constructed(NamedTuple):
    """Orientations by body, shape (N, 4) each, and how sure they are, shape (N,) each, 0 to 1."""

    orientation: dict[str, FloatArray]
    trust: dict[str, FloatArray]


def construct(at: At) -> Constructed:
    """Construct the orientations of all bodies that have an origin.

    Args:
        at: Body origins in a world with z up, shape (N, 3) each; toes and head may be missing.
    """
    q: dict[str, FloatArray] = {
        "pelvis": from_axes(1, at["left_thigh"] - at["right_thigh"], 2, at["torso"] - at["pelvis"]),
        "torso": from_axes(1, at["left_upper_arm"] - at["right_upper_arm"], 2, at["torso"] - at["pelvis"]),
    }
    sure = np.ones(len(at["pelvis"]))
    trust = {"pelvis": sure, "torso": sure}
    if "head" in at:
        q["head"], trust["head"] = q["torso"], sure
    for side, sign in (("left", 1.0), ("right", -1.0)):
        part = {name.removeprefix(f"{side}_"): values for name, values in at.items() if name.startswith(side)}
        arm, bend = _arm(q["torso"], part, sign)
        leg, kneel, flat = _leg(q["pelvis"], part)
        q |= {f"{side}_{name}": value for name, value in (arm | leg).items()}
        trust |= {f"{side}_{name}": bend for name in arm} | {f"{side}_{name}": kneel for name in leg}
        trust |= {f"{side}_{name}": flat for name in ("foot", "toes") if name in leg}
    return Constructed(q, trust)


def _arm(torso: FloatArray, at: At, sign: float) -> tuple[dict[str, FloatArray], FloatArray]:
    upper, fore = (normalise(at[b] - at[a]) for a, b in (("upper_arm", "forearm"), ("forearm", "hand")))
    # palms down and the arm to the side, the left elbow bends about -z, the right one about +z
    hinge = -sign * np.cross(upper, fore)
    prior = rotate(multiply(between(rotate(torso, sign * _Y), upper), torso), _Z)
    z = hinge + _PRIOR * prior
    forearm = from_axes(1, sign * fore, 2, z)
    hand = forearm if "finger" not in at else from_axes(1, sign * (at["finger"] - at["hand"]), 2, rotate(forearm, _Z))
    frames = {"upper_arm": from_axes(1, sign * upper, 2, z), "forearm": forearm, "hand": hand}
    return frames, _certain(hinge)


def _leg(pelvis: FloatArray, at: At) -> tuple[dict[str, FloatArray], FloatArray, FloatArray]:
    upper, lower = (normalise(at[b] - at[a]) for a, b in (("thigh", "shin"), ("shin", "foot")))
    hinge = np.cross(upper, lower)
    prior = rotate(multiply(between(rotate(pelvis, -_Z), upper), pelvis), _Y)
    y = hinge + _PRIOR * prior
    shin = from_axes(2, -lower, 1, y)
    frames = {"thigh": from_axes(2, -upper, 1, y), "shin": shin, "foot": shin}
    flat = np.zeros(len(upper))
    if "toes" in at:
        bone = at["toes"] - at["foot"]
        flat = _flat(at["foot"], at["toes"])
        slope = np.arcsin(np.clip(-normalise(bone)[:, 2], -1.0, 1.0))
        along = from_axes(0, bone, 1, rotate(shin, _Y))
        # the sole is level where the foot is lowest, so the bone's slope there is the foot's shape
        frames["foot"] = multiply(along, about_axis(1, -np.median(slope[flat > 0.0])))
        frames["toes"] = frames["foot"]
    return frames, _certain(hinge), flat


def _flat(foot: FloatArray, toes: FloatArray) -> FloatArray:
    """Return 1 where the foot is among its lowest and, of these, its slowest moments; else 0."""
    height = foot[:, 2] + toes[:, 2]
    low = height <= np.percentile(height, _LOWEST)
    speed = np.linalg.norm(np.gradient(foot, axis=0), axis=-1) if len(foot) > 1 else np.zeros(1)
    return np.asarray(low & (speed <= np.median(speed[low])), dtype=float)


def _certain(hinge: FloatArray) -> FloatArray:
    sine = np.linalg.norm(hinge, axis=-1)
    return np.asarray(np.clip(sine - 0.2, 0.0, None) + 1e-6)
