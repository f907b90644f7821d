# SPDX-License-Identifier: Apache-2.0
"""Which unit and which axes a file uses, found from the body itself."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.errors import ClipError
from kata_retarget.mocap.rotations import conjugate, from_axes, normalise, rotate

__all__ = ["At", "facing", "floor_height", "left_is_left", "unit", "world_up"]

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
_LEG_USUAL = 0.85
_SNAP = np.cos(np.radians(10.0))
_UPRIGHT, _MOSTLY = 0.85, 0.6
_SAMPLES = 200
_ABOVE_SOLE = {"toes": 0.025, "foot": 0.07}
"""Height of the ball's and the ankle's joint in a shod foot that stands flat [m]."""

At = Mapping[str, FloatArray]


def unit(at: At, where: str) -> tuple[float, str]:
    """Return metres per unit of the file, and a note.

    Args:
        at: Origins of the legs' bodies over the clip, shape (N, 3) each, in the file's unit.
        where: The file, for errors.

    Raises:
        ClipError: The legs have no length.
    """
    leg = float(np.mean([_bone(at, f"{s}_thigh", f"{s}_shin") + _bone(at, f"{s}_shin", f"{s}_foot") for s in ("left", "right")]))
    if not leg > 0.0:
        raise ClipError("the legs' bones have no length", where=where, fix="export the clip with its skeleton")
    for name, metres in _UNITS.items():
        if _LEG[0] <= leg * metres <= _LEG[1]:
            return metres, f"unit: {name}, by legs of {leg * metres:.2f} m"
    return _LEG_USUAL / leg, f"unit: unknown, scaled so that legs of {leg:.3g} units have {_LEG_USUAL} m"


def _bone(at: At, upper: str, lower: str) -> float:
    return float(np.median(np.linalg.norm(at[lower] - at[upper], axis=-1)))


def facing(at: At) -> FloatArray | None:
    """Return the rotation that makes a standing pose upright and face +x; None if it is no standing pose.

    Args:
        at: Origins of the bodies in one pose, any axes, shape (3,) each.
    """
    hips, shoulders, feet = (0.5 * (at[f"left_{part}"] + at[f"right_{part}"]) for part in ("thigh", "upper_arm", "foot"))
    trunk, legs, across = normalise(shoulders - hips), normalise(hips - feet), normalise(at["left_thigh"] - at["right_thigh"])
    straight = min(_cosine(at, f"{s}_thigh", f"{s}_shin", f"{s}_foot") for s in ("left", "right"))
    if np.dot(trunk, legs) < 0.85 or abs(np.dot(across, trunk)) > 0.3 or straight < 0.8:
        return None
    up = _snapped(normalise(trunk + legs))
    left = _snapped(normalise(across - np.dot(across, up) * up))
    q = conjugate(from_axes(2, up, 1, left))
    toes = [rotate(q, at[f"{s}_toes"] - at[f"{s}_foot"]) for s in ("left", "right") if f"{s}_toes" in at]
    # toes hang like the shin or point backwards: the pose shows no flat sole, or left and right are swapped
    return q if all(toe[0] > 0.5 * np.linalg.norm(toe) for toe in toes) else None


def _cosine(at: At, *chain: str) -> float:
    upper, lower = (normalise(at[b] - at[a]) for a, b in pairwise(chain))
    return float(np.dot(upper, lower))


def _snapped(direction: FloatArray) -> FloatArray:
    """Return the coordinate axis within 10 degrees of a direction, else the direction."""
    i = int(np.argmax(np.abs(direction)))
    if abs(direction[i]) < _SNAP:
        return direction
    return np.asarray(np.eye(3)[i] * np.sign(direction[i]))


def world_up(at: At, rest: FloatArray | None, usual: int) -> tuple[FloatArray, str]:
    """Return the rotation from the file's world to z up, and a note.

    The clip decides where it is mostly upright; a clip of lying or tumbling is decided by the rest pose, or else
    by the format's usual axis.

    Args:
        at: Origins of the bodies over the clip, shape (N, 3) each.
        rest: `facing` of the skeleton's rest pose, or None.
        usual: The axis that points up in most files of this format, 0 to 2.
    """
    step = max(1, len(at["left_foot"]) // _SAMPLES)
    shoulders, feet = (0.5 * (at[f"left_{p}"][::step] + at[f"right_{p}"][::step]) for p in ("upper_arm", "foot"))
    along = normalise(shoulders - feet)
    share = np.concatenate(((along > _UPRIGHT).mean(axis=0), (along < -_UPRIGHT).mean(axis=0)))
    best = int(np.argmax(share))
    voted = np.asarray(np.eye(3)[best % 3] * (1.0 if best < 3 else -1.0))
    up, how = voted, f"the clip is upright in {100 * share[best]:.0f} % of its frames"
    if rest is not None:
        up_rest = rotate(conjugate(rest), np.array([0.0, 0.0, 1.0]))
        if np.dot(up_rest, voted) > _SNAP:
            # facing +x in the rest pose is the more natural world, and exact where the rest pose is
            return rest, f"up: {_name(voted)}, by rest pose and motion"
        if share[best] < _MOSTLY:
            return rest, f"up: {_name(up_rest)}, by the rest pose; {how}"
        how += f", though the rest pose's up is {_name(up_rest)}"
    elif share[best] < _MOSTLY:
        up, how = np.eye(3)[usual], f"usual for such files; {how}"
    front = np.eye(3)[2 if abs(up[1]) > 0.5 else (0 if abs(up[2]) > 0.5 else 1)]
    return conjugate(from_axes(2, up, 0, front)), f"up: {_name(up)}, as {how}"


def left_is_left(at: At) -> bool:
    """Tell whether the left limbs lie to the left of where toes and knees point, over the clip.

    Args:
        at: Origins of the bodies over the clip, shape (N, 3) each, any axes.
    """
    up = at["left_upper_arm"] + at["right_upper_arm"] - at["left_thigh"] - at["right_thigh"]
    front = np.zeros_like(up)
    for side in ("left", "right"):
        hip, knee, ankle = (at[f"{side}_{part}"] for part in ("thigh", "shin", "foot"))
        front = front + knee - 0.5 * (hip + ankle)
        if f"{side}_toes" in at:
            front = front + at[f"{side}_toes"] - ankle
    return bool(np.sum(np.cross(up, front) * (at["left_thigh"] - at["right_thigh"])) >= 0.0)


def floor_height(at: At) -> float:
    """Return where the floor is [m]: under the feet when they are lowest, a single stray frame left out.

    Args:
        at: Origins of the bodies over the clip, shape (N, 3) each, z up, [m].
    """
    soles = [at[name][:, 2] - _ABOVE_SOLE[name.partition("_")[2]] for name in at if name.endswith(("_toes", "_foot"))]
    return float(np.percentile(np.min(soles, axis=0), 5.0))


def _name(axis: FloatArray) -> str:
    i = int(np.argmax(np.abs(axis)))
    return f"{'-' if axis[i] < 0 else ''}{'xyz'[i]}"
