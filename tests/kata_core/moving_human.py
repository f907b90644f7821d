# SPDX-License-Identifier: Apache-2.0
"""A human of known limbs in any posture, for tests of retargeting."""

from collections.abc import Mapping

import numpy as np
from scipy.spatial.transform import Rotation

from kata_core import BODIES, HumanFrames
from kata_core.retarget.skeleton import t_pose

PARENT = {"torso": "pelvis", "head": "torso"}
for _side in ("left", "right"):
    for _limb, _root in (("upper_arm forearm hand", "torso"), ("thigh shin foot toes", "pelvis")):
        _parent = _root
        for _part in _limb.split():
            PARENT[f"{_side}_{_part}"] = _parent
            _parent = f"{_side}_{_part}"
ORDER = ("pelvis", *PARENT)


def posed(stamp: int, turns: Mapping[str, np.ndarray], place: np.ndarray | None = None) -> HumanFrames:
    """Return a human whose bodies are turned against their parents by rotation vectors [rad]."""
    at_rest = dict(zip(BODIES, t_pose(0).position, strict=True))
    turn, where = {}, {}
    for body in ORDER:
        own = Rotation.from_rotvec(np.asarray(turns.get(body, np.zeros(3)), dtype=float))
        if body == "pelvis":
            turn[body], where[body] = own, at_rest[body] + (np.zeros(3) if place is None else place)
        else:
            parent = PARENT[body]
            turn[body] = turn[parent] * own
            where[body] = where[parent] + turn[parent].apply(at_rest[body] - at_rest[parent])
    quaternions = np.array([turn[body].as_quat() for body in BODIES])
    return HumanFrames(stamp, "test", True, BODIES, np.array([where[body] for body in BODIES]), quaternions, np.ones(len(BODIES)))


def swinging(t: float) -> HumanFrames:
    """Return a human that stands and moves its arms and torso, at a time [s]."""
    a, b = np.sin(2.0 * t), np.sin(3.1 * t + 0.5)
    turns = {
        "torso": np.array([0.1 * a, 0.2 * b, 0.3 * a]),
        "left_upper_arm": np.array([-1.1 + 0.3 * a, 0.0, 0.4 * b]),
        "right_upper_arm": np.array([1.1 + 0.3 * b, 0.0, 0.2 * a]),
        "left_forearm": np.array([0.0, 0.0, -0.8 - 0.5 * b]),
        "right_forearm": np.array([0.0, 0.0, 0.8 + 0.5 * a]),
    }
    return posed(round(t * 1e9), turns)


def mirrored(frames: HumanFrames) -> HumanFrames:
    """Return the mirror image across the plane y = 0."""
    swap = {"left": "right", "right": "left"}
    names = tuple(swap[n.split("_")[0]] + n[n.index("_") :] if n.split("_")[0] in swap else n for n in frames.names)
    turn = frames.orientation_xyzw * np.array([-1.0, 1.0, -1.0, 1.0])
    return HumanFrames(frames.stamp, "test", True, names, frames.position * np.array([1.0, -1.0, 1.0]), turn, frames.confidence)
