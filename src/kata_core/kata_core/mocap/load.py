# SPDX-License-Identifier: Apache-2.0
"""Any supported file → `MotionClip`."""

from pathlib import Path

import numpy as np

from kata_core.arrays import FloatArray
from kata_core.errors import ClipError
from kata_core.mocap.body_map import BodyMap, find_bodies
from kata_core.mocap.bvh import read_bvh
from kata_core.mocap.calibrate import Calibration, calibrate_from_motion, calibrate_from_pose, place
from kata_core.mocap.clip import MotionClip
from kata_core.mocap.mend import mend_thorax, rest_frames
from kata_core.mocap.rotations import continuous
from kata_core.mocap.skeleton import Motion, Pose
from kata_core.mocap.upright import facing, unit, world_up

__all__ = ["clip_of", "load_clip"]


def load_clip(path: str | Path) -> MotionClip:
    """Read a clip and bring it into the convention of `kata_core.frames`.

    Raises:
        ClipError: The file cannot be read or its skeleton is not understood.
    """
    path = Path(path)
    if path.suffix.lower() != ".bvh":
        raise ClipError(f"unknown kind of clip {path.suffix!r}", where=str(path), fix="give a .bvh file")
    return clip_of(read_bvh(path), path.name, str(path))


def clip_of(motion: Motion, source: str, where: str) -> MotionClip:
    """Bring a motion of any skeleton into the convention."""
    bodies = find_bodies(motion, where)
    leading = rest_frames(motion, bodies)
    scale, unit_note = unit(_at(motion.position[leading:], bodies), where)
    rest = facing(_at(motion.skeleton.rest().position, bodies))
    turn, up_note = world_up(_at(motion.position[leading:], bodies), rest)
    motion, mended = mend_thorax(motion.turned(turn, scale), bodies)
    calibration, calibrated = _calibrate(motion, leading, bodies)
    position, orientation = place(motion.from_frame(leading), calibration)
    floor = _floor(position, calibration.names)
    position = position - np.array([0.0, 0.0, floor])
    notes = (f"skeleton: {bodies.how}", unit_note, up_note, *mended, calibrated, f"floor: found at {floor:.3f} m, put to 0")
    return MotionClip(calibration.names, position, continuous(orientation), motion.fps, source, notes)


def _at(position: FloatArray, bodies: BodyMap) -> dict[str, FloatArray]:
    return {name: position[..., joint, :] for name, joint in bodies.joints.items()}


def _calibrate(motion: Motion, leading: int, bodies: BodyMap) -> tuple[Calibration, str]:
    """Take the best pose that there is: a T-pose at the clip's start, the skeleton's rest pose, or the clip itself."""
    rest = motion.skeleton.rest()
    poses: list[tuple[Pose, str]] = [(rest, "calibration: from the skeleton's rest pose")]
    dropped = ""
    if leading:
        dropped = "frame 0 is a rest pose: dropped" if leading == 1 else f"frames 0 to {leading - 1} are a rest pose: dropped"
        poses.insert(0, (motion.pose(0), "calibration: from the rest pose in frame 0"))
    for pose, note in poses:
        if (q := facing(_at(pose.position, bodies))) is not None:
            return calibrate_from_pose(pose, q, bodies), "; ".join(filter(None, (dropped, note)))
    note = "calibration: from the motion's bones and hinges, as the skeleton's rest pose is no standing one"
    return calibrate_from_motion(motion.from_frame(leading), bodies), "; ".join(filter(None, (dropped, note)))


def _floor(position: FloatArray, names: tuple[str, ...]) -> float:
    """Return the floor's height: where the feet are when they are lowest, less the joints' height above the sole."""
    above = {"toes": 0.025, "foot": 0.07}
    feet = [(i, above[name.partition("_")[2]]) for i, name in enumerate(names) if name.endswith(("_toes", "_foot"))]
    return float(np.percentile(np.min([position[:, i, 2] - height for i, height in feet], axis=0), 5.0))
