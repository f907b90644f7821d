# SPDX-License-Identifier: Apache-2.0
"""Any supported file → `MotionClip`."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.errors import ClipError
from kata_retarget.mocap.body_map import BodyMap, find_bodies
from kata_retarget.mocap.bvh import read_bvh
from kata_retarget.mocap.calibrate import Calibration, calibrate_from_motion, calibrate_from_pose, place
from kata_retarget.mocap.clip import MotionClip
from kata_retarget.mocap.mend import mend_thorax, rest_frames
from kata_retarget.mocap.positions import is_positions, load_npy, positions_of
from kata_retarget.mocap.rotations import continuous
from kata_retarget.mocap.skeleton import Motion, Pose
from kata_retarget.mocap.smpl import read_amass, read_arrays
from kata_retarget.mocap.upright import facing, floor_height, left_is_left, unit, world_up

__all__ = ["SUFFIXES", "ClipOptions", "clip_of", "load_clip"]

SUFFIXES: tuple[str, ...] = (".bvh", ".npz", ".npy")
_Y, _Z = 1, 2


@dataclass(frozen=True, slots=True)
class ClipOptions:
    """What some kinds of files do not tell.

    Attributes:
        body_model: File of the SMPL family with the joints of AMASS clips.
        fps: Frames a second [Hz] of clips with positions only.
    """

    body_model: Path | None = None
    fps: float | None = None


def load_clip(path: str | Path, options: ClipOptions | None = None) -> MotionClip:
    """Read a clip and bring it into the convention of `kata_model.frames`.

    Args:
        path: A ``.bvh``, an AMASS ``.npz``, or an ``.npz`` or ``.npy`` of positions (see `kata_retarget.mocap.positions`).
        options: What the file does not tell; None if it tells all.

    Raises:
        ClipError: The file cannot be read or its skeleton is not understood.
    """
    path, options = Path(path), options or ClipOptions()
    match path.suffix.lower():
        case ".bvh":
            return clip_of(read_bvh(path), path.name, str(path))
        case ".npz":
            return _load_npz(path, options)
        case ".npy":
            return load_npy(path, options.fps)
    raise ClipError(f"unknown kind of clip {path.suffix!r}", where=str(path), fix=f"give one of {', '.join(SUFFIXES)}")


def _load_npz(path: Path, options: ClipOptions) -> MotionClip:
    arrays = read_arrays(path)
    if is_positions(arrays):
        return positions_of(arrays, path, options.fps)
    if {"poses", "pose_body"} & arrays.keys():
        motion, note = read_amass(arrays, path, options.body_model)
        return clip_of(motion, path.name, str(path), usual_up=_Z, notes=(note,))
    fix = "give an AMASS clip, or names, positions and fps"
    raise ClipError(f"no human motion among the arrays {', '.join(arrays) or 'none'}", where=str(path), fix=fix)


def clip_of(motion: Motion, source: str, where: str, usual_up: int = _Y, notes: tuple[str, ...] = ()) -> MotionClip:
    """Bring a motion of any skeleton into the convention.

    Args:
        motion: The joints over time, any names, unit and axes.
        source: The clip's name.
        where: The file, for errors.
        usual_up: The axis that points up in most files of this format.
        notes: What has been found out before.

    Raises:
        ClipError: The skeleton is not understood.
    """
    bodies = _with_real_toes(find_bodies(motion, where), motion)
    leading = rest_frames(motion, bodies)
    at = _at(motion.position[leading:], bodies)
    if not left_is_left(at):
        raise ClipError("left and right are swapped: toes and knees point backwards", where=where, fix="export without mirroring")
    scale, unit_note = unit(at, where)
    # AMASS turns the root from the model's y up to the world's z up: its rest pose says nothing about the world
    rest = facing(_at(motion.skeleton.rest().position, bodies)) if usual_up == _Y else None
    turn, up_note = world_up(at, rest, usual_up)
    motion, mended = mend_thorax(motion.turned(turn, scale), bodies)
    calibration, calibrated = _calibrate(motion, leading, bodies)
    position, orientation = place(motion.from_frame(leading), calibration)
    floor = floor_height({name: position[:, i] for i, name in enumerate(calibration.names)})
    position = position - np.array([0.0, 0.0, floor])
    found = (
        f"skeleton: {bodies.how}",
        *notes,
        unit_note,
        up_note,
        *mended,
        *calibrated,
        f"floor: found at {floor:.3f} m, put to 0",
    )
    return MotionClip(calibration.names, position, continuous(orientation), motion.fps, source, found)


def _with_real_toes(bodies: BodyMap, motion: Motion) -> BodyMap:
    """Leave out toes that only the feet's end sites stand for, if these point down to the sole instead of forwards."""
    names, rest = motion.skeleton.names, _at(motion.skeleton.rest().position, bodies)
    ends = all(names[bodies.joints[f"{side}_toes"]].endswith("/end") for side in ("left", "right") if f"{side}_toes" in rest)
    toeless = {name: at for name, at in rest.items() if not name.endswith("_toes")}
    return bodies.without_toes() if ends and facing(rest) is None and facing(toeless) is not None else bodies


def _at(position: FloatArray, bodies: BodyMap) -> dict[str, FloatArray]:
    return {name: position[..., joint, :] for name, joint in bodies.joints.items()}


def _calibrate(motion: Motion, leading: int, bodies: BodyMap) -> tuple[Calibration, list[str]]:
    """Take the best pose that there is: a T-pose at the clip's start, the skeleton's rest pose, or the clip itself."""
    poses: list[tuple[Pose, str]] = [(motion.skeleton.rest(), "calibration: from the skeleton's rest pose")]
    notes = []
    if leading:
        notes.append(f"{'frame 0 is' if leading == 1 else f'frames 0 to {leading - 1} are'} a rest pose: dropped")
        poses.insert(0, (motion.pose(0), "calibration: from the rest pose in frame 0"))
    for pose, note in poses:
        if (q := facing(_at(pose.position, bodies))) is not None:
            return calibrate_from_pose(pose, q, bodies), [*notes, note]
    notes.append("calibration: from the motion's bones and hinges, as the skeleton's rest pose is no standing one")
    return calibrate_from_motion(motion.from_frame(leading), bodies), notes
