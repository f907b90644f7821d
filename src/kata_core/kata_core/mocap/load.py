# SPDX-License-Identifier: Apache-2.0
"""Any supported file → `MotionClip`."""

from pathlib import Path

import numpy as np

from kata_core.arrays import FloatArray
from kata_core.errors import ClipError
from kata_core.mocap.body_map import find_bodies
from kata_core.mocap.bvh import read_bvh
from kata_core.mocap.calibrate import calibrate, place
from kata_core.mocap.clip import MotionClip
from kata_core.mocap.mend import drop_rest_frames, mend_thorax
from kata_core.mocap.rotations import continuous
from kata_core.mocap.skeleton import Motion
from kata_core.mocap.upright import to_metres_and_z_up

__all__ = ["load_clip"]


def load_clip(path: str | Path) -> MotionClip:
    """Read a clip and bring it into the convention of `kata_core.frames`.

    Raises:
        ClipError: The file cannot be read or its skeleton is not understood.
    """
    path = Path(path)
    if path.suffix.lower() != ".bvh":
        raise ClipError(
            f"unknown kind of clip {path.suffix!r}",
            where=str(path),
            fix="give a .bvh file",
        )
    return _from_motion(read_bvh(path), path.name, str(path))


def _from_motion(motion: Motion, source: str, where: str) -> MotionClip:
    bodies = find_bodies(motion.skeleton, where)
    motion, notes = to_metres_and_z_up(motion, bodies, where)
    motion, dropped = drop_rest_frames(motion, bodies)
    motion, mended = mend_thorax(motion, bodies)
    calibration = calibrate(motion.skeleton.rest(), bodies)
    position, orientation = place(motion, calibration)
    floor = _floor(position, calibration.names)
    position = position - np.array([0.0, 0.0, floor])
    notes = [
        f"skeleton: {bodies.how}",
        *notes,
        f"floor: lowered by {floor:.3f} m",
        *dropped,
        *mended,
    ]
    return MotionClip(
        calibration.names,
        position,
        continuous(orientation),
        motion.fps,
        source,
        tuple(notes),
    )


def _floor(position: FloatArray, names: tuple[str, ...]) -> float:
    """Return the floor's height: where the feet are when they are lowest, less the balls' height above the sole."""
    feet = [i for i, name in enumerate(names) if name.endswith(("_toes", "_foot"))]
    return float(np.percentile(position[:, feet, 2].min(axis=1), 5.0)) - 0.02
