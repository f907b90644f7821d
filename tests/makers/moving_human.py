# SPDX-License-Identifier: Apache-2.0
"""A human of known limbs in any posture, for tests of retargeting."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from kata_model import BODIES, HumanFrames
from kata_retarget.skeleton import t_pose

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


def climbing(t: float, height: float) -> HumanFrames:
    """Return a human who steps onto a step of a height [m], left foot first, between 0.5 and 3 s, and stands there."""
    left, right = (float(np.clip((t - begin) / 0.8, 0.0, 1.0)) for begin in (0.5, 2.0))
    rise = 0.5 * (left + right) * height
    stride = 0.3 * 0.5 * (left + right)
    turns: dict[str, np.ndarray] = {}
    for side, share in (("left", left), ("right", right)):
        up = share * height + 0.12 * np.sin(np.pi * share) - rise
        ahead = 0.3 * share - stride
        turns |= _leg_to(side, ahead, up)
    return posed(round(t * 1e9), turns, np.array([stride, 0.0, rise - 0.02]))


def _leg_to(side: str, ahead: float, up: float) -> dict[str, np.ndarray]:
    """Return turns that bring an ankle over its place at rest under the pelvis, the sole kept level."""
    thigh, shin = 0.41, 0.41
    down = 0.82 - 0.02 - up
    reach = min(float(np.hypot(ahead, down)), thigh + shin - 1e-6)
    knee = np.pi - np.arccos(np.clip((thigh**2 + shin**2 - reach**2) / (2 * thigh * shin), -1.0, 1.0))
    hip = -np.arctan2(ahead, down) - 0.5 * knee
    pitch = np.array([0.0, 1.0, 0.0])
    return {f"{side}_thigh": hip * pitch, f"{side}_shin": knee * pitch, f"{side}_foot": -(hip + knee) * pitch}


def in_posture(name: str, t: float) -> HumanFrames:
    """Return a human on the floor or upside down, who moves the arms a little, at a time [s]."""
    pelvis = {
        "sitting": ([0.0, -0.3, 0.0], [0.0, 0.0, -0.8]),
        "lying": ([0.0, -np.pi / 2, 0.0], [0.0, 0.0, -0.78]),
        "crawling": ([0.0, np.pi / 2, 0.0], [0.0, 0.0, -0.42]),
        "upside_down": ([np.pi, 0.0, 0.0], [0.0, 0.0, 0.1]),
    }[name]
    a = 0.3 * np.sin(3.0 * t)
    turns = {
        "pelvis": np.array(pelvis[0]),
        "left_upper_arm": np.array([0.0, a, 0.5]),
        "right_upper_arm": np.array([a, 0.0, -0.5]),
    }
    bend = {"sitting": (-1.3, 0.3), "lying": (0.0, 0.0), "crawling": (-np.pi / 2, np.pi / 2), "upside_down": (0.0, a)}[name]
    for side in ("left", "right"):
        turns |= {f"{side}_thigh": np.array([0.0, bend[0], 0.0]), f"{side}_shin": np.array([0.0, bend[1], 0.0])}
    return posed(round(t * 1e9), turns, np.array(pelvis[1]))


def gliding(t: float) -> HumanFrames:
    """Return a human who begins in the air, lands after half a second and stands, at a time [s]."""
    return replace(swinging(t), position=swinging(t).position + np.array([0.5 * min(t, 0.5), 0.0, 0.4 * max(0.0, 1.0 - 2.0 * t)]))
