# SPDX-License-Identifier: Apache-2.0
"""Clips that hold nothing but joint positions (``.npz``, ``.npy``); orientations are constructed from them.

An ``.npz`` holds ``names`` (j), ``positions`` (N, j, 3) and ``fps``. An ``.npy`` holds positions alone, of the 22 or 24
joints of SMPL in their order (as HumanML3D has them), and its rate is the user's to give.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.errors import ClipError
from kata_model.frames import BODIES
from kata_retarget.mocap.clip import MotionClip
from kata_retarget.mocap.construct import construct
from kata_retarget.mocap.names import match_limbs, named
from kata_retarget.mocap.rotations import continuous, rotate
from kata_retarget.mocap.smpl import SMPL_JOINTS
from kata_retarget.mocap.upright import floor_height, left_is_left, unit, world_up

__all__ = ["clip_of_positions", "is_positions", "load_npy", "positions_of"]

_POSITIONS, _NAMES, _RATES = (
    ("positions", "position", "joints"),
    ("names", "joint_names"),
    ("fps", "mocap_framerate", "framerate"),
)
_HEADS = ("head", "neck1?", "nose")


def is_positions(arrays: Mapping[str, np.ndarray]) -> bool:
    """Tell whether the arrays of an ``.npz`` are names and positions."""
    return _of(arrays, _POSITIONS) is not None and _of(arrays, _NAMES) is not None


def positions_of(arrays: Mapping[str, np.ndarray], path: Path, fps: float | None) -> MotionClip:
    """Make a clip of the arrays of an ``.npz``; a rate that is given counts before the file's.

    Raises:
        ClipError: Arrays do not fit together, hold gaps, or show no whole human.
    """
    position, names = np.asarray(_of(arrays, _POSITIONS)), [str(name) for name in np.asarray(_of(arrays, _NAMES)).ravel()]
    rate = _of(arrays, _RATES) if fps is None else np.asarray(fps)
    if rate is None or not float(rate) > 0.0:
        raise ClipError("no `fps` in it", where=str(path), fix="give --clip-fps")
    return clip_of_positions(names, position, float(rate), path.name, str(path))


def load_npy(path: Path, fps: float | None) -> MotionClip:
    """Make a clip of an array of SMPL's joints.

    Raises:
        ClipError: The file is no such array, or no rate is given.
    """
    try:
        position = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ClipError("cannot read: missing, cut off or no array", where=str(path), fix="check the path") from error
    if not isinstance(position, np.ndarray) or position.ndim != 3 or position.shape[1] not in (22, 24):
        shape = getattr(position, "shape", "unknown")
        fix = "save an .npz with names, positions and fps"
        raise ClipError(f"shape {shape}: an .npy must hold 22 or 24 joints of SMPL, (N, 22, 3)", where=str(path), fix=fix)
    if fps is None:
        raise ClipError("an .npy does not tell its rate", where=str(path), fix="give --clip-fps, 20 for HumanML3D")
    return clip_of_positions(SMPL_JOINTS, position[:, : len(SMPL_JOINTS)], fps, path.name, str(path))


def clip_of_positions(
    names: list[str] | tuple[str, ...], position: np.ndarray, fps: float, source: str, where: str
) -> MotionClip:
    """Find the bodies by their names, turn them upright, and construct their orientations.

    Args:
        names: Joint names, length j.
        position: Joint positions, shape (N, j, 3), any unit and axes.
        fps: Frames a second [Hz].
        source: The clip's name.
        where: The file, for errors.

    Raises:
        ClipError: Shapes do not fit, a position is not finite, or arms and legs are not to be found by name.
    """
    position = np.asarray(position, dtype=float)
    if position.ndim != 3 or position.shape[1:] != (len(names), 3) or not len(position):
        raise ClipError(f"positions {position.shape} for {len(names)} names, expected (N, {len(names)}, 3)", where=where)
    dialect, at = _bodies(names, position, where)
    scale, unit_note = unit(at, where)
    turn, up_note = world_up(at, None, usual=1)
    at = {name: rotate(turn, values) * scale for name, values in at.items()}
    notes = [f"skeleton: positions only, names of {dialect}", unit_note, up_note]
    if not left_is_left(at):
        at = {name: values * np.array([1.0, -1.0, 1.0]) for name, values in at.items()}
        notes.append("left-handed axes (the toes pointed backwards): mirrored")
    floor = floor_height({name: values for name, values in at.items() if name in BODIES})
    at = {name: values - np.array([0.0, 0.0, floor]) for name, values in at.items()}
    orientation = construct(at).orientation
    bodies = tuple(name for name in BODIES if name in orientation)
    notes += ["orientations: constructed from bones and hinges", f"floor: found at {floor:.3f} m, put to 0"]
    turned = continuous(np.stack([orientation[name] for name in bodies], axis=1))
    return MotionClip(bodies, np.stack([at[name] for name in bodies], axis=1), turned, fps, source, tuple(notes))


def _bodies(names: list[str] | tuple[str, ...], position: FloatArray, where: str) -> tuple[str, dict[str, FloatArray]]:
    matched = match_limbs(names)
    if matched is None:
        known = ", ".join(names[:12])
        raise ClipError(f"no arms and legs known by name among {known}, …", where=where, fix="name the joints as SMPL does")
    used = dict(matched[1])
    if head := next((found[0] for pattern in _HEADS if (found := named(names, pattern))), None):
        used["head"] = head
    for joint in used.values():
        bad = ~np.isfinite(position[:, joint]).all(axis=1)
        if bad.any():
            fix = "fill the gap in the mocap software"
            raise ClipError(f"{names[joint]} is lost in frame {int(np.argmax(bad))} ({bad.sum()} frames)", where=where, fix=fix)
    at = {name: position[:, joint] for name, joint in used.items() if not name.endswith("_clavicle")}
    for body, part in (("pelvis", "thigh"), ("torso", "upper_arm")):
        at[body] = 0.5 * (at[f"left_{part}"] + at[f"right_{part}"])
    return matched[0].name, at


def _of(arrays: Mapping[str, np.ndarray], keys: tuple[str, ...]) -> np.ndarray | None:
    return next((arrays[key] for key in keys if key in arrays), None)
