# SPDX-License-Identifier: Apache-2.0
"""Where the bodies' frames sit in the joints' frames, from the directions of the rest pose's bones.

The convention (`kata_core.frames`): all bodies are unturned when a human stands in a T-pose facing +x, legs
vertical, soles flat, palms down. A rest pose may differ from that (arms lowered, legs apart): each limb's
rotation from the T-pose to the rest pose is the shortest one that brings its bone to its direction, seen
from the limb's parent, and soles are flat.
"""

from dataclasses import dataclass

import numpy as np

from kata_core.arrays import FloatArray
from kata_core.frames import BODIES
from kata_core.mocap.body_map import BodyMap
from kata_core.mocap.rotations import (
    IDENTITY,
    about_axis,
    between,
    conjugate,
    multiply,
    rotate,
)
from kata_core.mocap.skeleton import Motion

__all__ = ["Calibration", "calibrate", "place"]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Bodies' frames in their joints' frames.

    Attributes:
        names: Bodies in the order of `BODIES`, length b.
        joints: Index of the joint that carries each.
        rotation: Body frame to joint frame, shape (b, 4).
        origin: Body's origin in its joint's frame, shape (b, 3), [m].
    """

    names: tuple[str, ...]
    joints: tuple[int, ...]
    rotation: FloatArray
    origin: FloatArray


def calibrate(rest: FloatArray, bodies: BodyMap) -> Calibration:
    """Compute the frames from a rest pose.

    Args:
        rest: Joint origins while all joint frames are unturned, z up, facing +x, shape (j, 3), [m].
        bodies: Which joint is which.
    """
    turned = dict.fromkeys(("pelvis", "torso", "head"), IDENTITY)
    for side, y in (("left", 1.0), ("right", -1.0)):
        at = {part: rest[joint] for part, joint in _side(bodies, side).items()}
        turned |= {f"{side}_{part}": q for part, q in (_arm(at, y, rest, bodies, side) | _leg(at)).items()}
    names = tuple(name for name in BODIES if name in bodies.joints)
    origin = np.zeros((len(names), 3))
    for body, pair in (
        ("pelvis", ("left_thigh", "right_thigh")),
        ("torso", ("left_upper_arm", "right_upper_arm")),
    ):
        centre = 0.5 * (rest[bodies.joints[pair[0]]] + rest[bodies.joints[pair[1]]])
        origin[names.index(body)] = centre - rest[bodies.joints[body]]
    joints = tuple(bodies.joints[name] for name in names)
    return Calibration(names, joints, np.array([turned[name] for name in names]), origin)


def place(motion: Motion, calibration: Calibration) -> tuple[FloatArray, FloatArray]:
    """Return the bodies' origins, shape (N, b, 3), and orientations, shape (N, b, 4), in the motion's world."""
    joints = list(calibration.joints)
    rotation = motion.rotation[:, joints]
    position = motion.position[:, joints] + rotate(rotation, calibration.origin)
    return position, multiply(rotation, calibration.rotation)


def _side(bodies: BodyMap, side: str) -> dict[str, int]:
    return {name.removeprefix(f"{side}_"): joint for name, joint in bodies.joints.items() if name.startswith(f"{side}_")}


def _arm(at: dict[str, FloatArray], y: float, rest: FloatArray, bodies: BodyMap, side: str) -> dict[str, FloatArray]:
    along = np.array([0.0, y, 0.0])
    upper = _bring(IDENTITY, along, at["forearm"] - at["upper_arm"])
    forearm = _bring(upper, along, at["hand"] - at["forearm"])
    return {"upper_arm": upper, "forearm": forearm, "hand": forearm}


def _leg(at: dict[str, FloatArray]) -> dict[str, FloatArray]:
    down = np.array([0.0, 0.0, -1.0])
    thigh = _bring(IDENTITY, down, at["shin"] - at["thigh"])
    bone = at["foot"] - at["shin"]
    shin = _bring(thigh, down, bone)
    parts = {"thigh": thigh, "shin": shin, "foot": shin}
    if "toes" in at:
        # legs apart: the sole leans sideways with the shin, as it lies flat once the leg hangs straight
        lean = about_axis(0, np.arctan2(bone[1], -bone[2]))
        level = rotate(conjugate(lean), at["toes"] - at["foot"])
        foot = multiply(lean, about_axis(2, np.arctan2(level[1], level[0])))
        parts |= {"foot": foot, "toes": foot}
    return parts


def _bring(parent: FloatArray, along: FloatArray, direction: FloatArray) -> FloatArray:
    """Return the parent's rotation, turned further the shortest way so that ``along`` points in a direction."""
    return multiply(between(rotate(parent, along), direction), parent)
