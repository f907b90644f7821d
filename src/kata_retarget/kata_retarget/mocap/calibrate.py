# SPDX-License-Identifier: Apache-2.0
"""Where the bodies' frames sit in the joints' frames: from a rest pose's bones, or from the whole clip.

The convention (`kata_model.frames`): all bodies are unturned when a human stands in a T-pose facing +x, legs
vertical, soles flat, palms down. A rest pose may differ from that (arms lowered, legs apart): each limb's
rotation from the T-pose to the rest pose is the shortest one that brings its bone to its direction, seen
from the limb's parent, and soles are flat. Where there is no such pose, the joints' frames are compared with
the frames that `construct` makes from positions, frame by frame, and the mean difference counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.frames import BODIES
from kata_retarget.mocap.body_map import BodyMap
from kata_retarget.mocap.construct import construct
from kata_retarget.mocap.rotations import IDENTITY, about_axis, between, conjugate, from_axes, mean, multiply, normalise, rotate
from kata_retarget.mocap.skeleton import Motion, Pose

__all__ = ["Calibration", "calibrate_from_motion", "calibrate_from_pose", "place"]


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


def calibrate_from_pose(pose: Pose, facing: FloatArray, bodies: BodyMap) -> Calibration:
    """Compute the frames from a pose in which a human stands.

    Args:
        pose: Where the joints are, [m].
        facing: The rotation that makes the pose upright and face +x.
        bodies: Which joint is which.
    """
    position, rotation = rotate(facing, pose.position), multiply(facing, pose.rotation)
    turned = dict.fromkeys(("pelvis", "torso", "head"), IDENTITY)
    for side, y in (("left", 1.0), ("right", -1.0)):
        at = {part: position[joint] for part, joint in _side(bodies, side).items()}
        turned |= {f"{side}_{part}": q for part, q in (_arm(at, y) | _leg(at)).items()}
    found = {name: multiply(conjugate(rotation[joint]), turned[name]) for name, joint in bodies.joints.items()}
    return _calibration(found, pose, bodies)


def calibrate_from_motion(motion: Motion, bodies: BodyMap) -> Calibration:
    """Compute the frames from a whole clip, z up, in metres."""
    at = {name: motion.position[:, joint] for name, joint in bodies.joints.items()}
    at |= {hand.replace("hand", "finger"): motion.position[:, joint] for hand, joint in bodies.fingers.items()}
    shoulders, hips = (0.5 * (at[f"left_{p}"] + at[f"right_{p}"]) for p in ("upper_arm", "thigh"))
    orientation, trust = construct(at | {"torso": shoulders, "pelvis": hips})
    orientation, trust = dict(orientation), dict(trust)
    # trunk and head bend in work, so they are taken where the human stands most upright
    upright = normalise(shoulders - hips)[:, 2]
    standing = (upright >= np.percentile(upright, 90.0)).astype(float)
    for name, across in (("pelvis", ("left_thigh", "right_thigh")), ("torso", ("left_upper_arm", "right_upper_arm"))):
        line = (at[across[0]] - at[across[1]]) * np.array([1.0, 1.0, 0.0])
        orientation[name], trust[name] = from_axes(2, np.broadcast_to([0.0, 0.0, 1.0], line.shape), 1, line), standing
    if "head" in orientation:
        orientation["head"], trust["head"] = orientation["torso"], standing
    found = {
        name: mean(multiply(conjugate(motion.rotation[:, joint]), orientation[name]), trust[name])
        for name, joint in bodies.joints.items()
    }
    for side in ("left", "right"):
        if f"{side}_hand" not in bodies.fingers:
            # no bone to look along: the wrist is straight at zero rotation, as in all such skeletons
            found[f"{side}_hand"] = found[f"{side}_forearm"]
    return _calibration(found, motion.pose(0), bodies)


def place(motion: Motion, calibration: Calibration) -> tuple[FloatArray, FloatArray]:
    """Return the bodies' origins, shape (N, b, 3), and orientations, shape (N, b, 4), in the motion's world."""
    joints = list(calibration.joints)
    rotation = motion.rotation[:, joints]
    position = motion.position[:, joints] + rotate(rotation, calibration.origin)
    return position, multiply(rotation, calibration.rotation)


def _calibration(found: Mapping[str, FloatArray], pose: Pose, bodies: BodyMap) -> Calibration:
    """Order the bodies, and put pelvis and torso where hips and shoulders have their middle."""
    names = tuple(name for name in BODIES if name in found)
    joints = tuple(bodies.joints[name] for name in names)
    origin = np.zeros((len(names), 3))
    for body, part in (("pelvis", "thigh"), ("torso", "upper_arm")):
        joint, pair = bodies.joints[body], [bodies.joints[f"{side}_{part}"] for side in ("left", "right")]
        centre = pose.position[pair].mean(axis=0)
        origin[names.index(body)] = rotate(conjugate(pose.rotation[joint]), centre - pose.position[joint])
    return Calibration(names, joints, np.array([found[name] for name in names]), origin)


def _side(bodies: BodyMap, side: str) -> dict[str, int]:
    parts = {name.removeprefix(f"{side}_"): joint for name, joint in bodies.joints.items() if name.startswith(side)}
    return parts | ({"finger": bodies.fingers[f"{side}_hand"]} if f"{side}_hand" in bodies.fingers else {})


def _arm(at: Mapping[str, FloatArray], y: float) -> dict[str, FloatArray]:
    along = np.array([0.0, y, 0.0])
    upper = _bring(IDENTITY, along, at["forearm"] - at["upper_arm"])
    forearm = _bring(upper, along, at["hand"] - at["forearm"])
    hand = _bring(forearm, along, at["finger"] - at["hand"]) if "finger" in at else forearm
    return {"upper_arm": upper, "forearm": forearm, "hand": hand}


def _leg(at: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    down = np.array([0.0, 0.0, -1.0])
    thigh = _bring(IDENTITY, down, at["shin"] - at["thigh"])
    bone = at["foot"] - at["shin"]
    shin = _bring(thigh, down, bone)
    # legs apart: the sole leans sideways with the shin, as it lies flat once the leg hangs straight
    lean = about_axis(0, np.arctan2(bone[1], -bone[2]))
    parts = {"thigh": thigh, "shin": shin, "foot": lean}
    if "toes" in at:
        level = rotate(conjugate(lean), at["toes"] - at["foot"])
        foot = multiply(lean, about_axis(2, np.arctan2(level[1], level[0])))
        parts |= {"foot": foot, "toes": foot}
    return parts


def _bring(parent: FloatArray, along: FloatArray, direction: FloatArray) -> FloatArray:
    """Return the parent's rotation, turned further the shortest way so that ``along`` points in a direction."""
    return multiply(between(rotate(parent, along), direction), parent)
