# SPDX-License-Identifier: Apache-2.0
"""Clips of our own making: a parametric human walks, reaches and boxes; `python tests/makers/own_clips.py FOLDER` writes them.

They stand in for motion capture where none may be shipped. Feet and wrists go where they are told, limbs follow by two-bone
inverse kinematics; proportions are those of `humans.TREE`. Frames: x ahead, y left, z up, floor at z = 0.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from humans import CMU, SIDES, TREE, Human, about, write_bvh
from numpy.typing import ArrayLike
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d, minimum_filter1d
from scipy.spatial.transform import Rotation

Keys = dict[float, ArrayLike]
"""What holds at times [s]."""

FPS = 60.0
CLIPS = ("walking", "reaching", "boxing")

_ANKLE = 0.07
"""Height of an ankle over the floor [m]."""
_LEG, _ARM = (0.42, 0.41), (0.28, 0.25)
"""Lengths of upper and lower limb [m]."""
_BALL, _HEEL = np.array([0.13, 0.0, -_ANKLE]), np.array([-0.05, 0.0, -_ANKLE])
"""What a foot rolls over, seen from the ankle [m]."""
_HANGING = {side: np.array([0.05, 0.24 * y, -0.48]) for side, y in SIDES}
"""Wrists of arms that hang, seen from the middle between the shoulders [m]."""


@dataclass(frozen=True)
class Foot:
    """Where a foot is over N frames: ankle, shape (N, 3), and how it is turned."""

    ankle: np.ndarray
    turn: Rotation


def clip(folder: Path, name: str) -> Path:
    """Write one of `CLIPS` as a BVH of CMU's skeleton and return its file."""
    makers: Mapping[str, Callable[[], Human]] = {"walking": walking, "reaching": reaching, "boxing": boxing}
    return write_bvh(folder / f"{name}.bvh", makers[name](), CMU)


def walking(speed: float = 1.1, steps: int = 10) -> Human:
    """Stand, walk straight ahead, and stand again; a stride takes 1.1 s, 60 % of it on the floor."""
    period, lead = 1.1, 1.0
    t = _times(2.0 * lead + 0.5 * period * steps)
    rate = speed * _smooth((t - 0.6 * lead) / lead) * _smooth((t[-1] - 0.6 * lead - t) / lead)
    ahead = np.concatenate(([0.0], np.cumsum(0.5 * (rate[1:] + rate[:-1]) / FPS)))
    feet = {side: _gait(t, ahead, period, 0.5 * period * (y < 0), 0.09 * y) for side, y in SIDES}
    phase = 2.0 * np.pi * t / period
    gait = rate / speed
    root = np.stack([ahead, 0.02 * gait * np.cos(phase), _hips_over(feet, ahead)], axis=1)
    pelvis = about("z", -6.0 * gait * np.sin(phase)) * about("y", 3.0 * gait)
    torso = about("z", 7.0 * gait * np.sin(phase)) * about("y", 4.0 * gait)
    turn = {"pelvis": pelvis, "torso": torso, "head": Rotation.identity(len(t))}
    for side, y in SIDES:
        swing = y * np.sin(phase - 0.3)  # with the other side's leg
        turn[f"{side}_upper_arm"] = torso * about("y", 22.0 * gait * swing) * about("x", -y * 78.0)
        turn[f"{side}_forearm"] = turn[f"{side}_upper_arm"] * about("z", -y * (18.0 + 12.0 * gait * (1.0 + swing)))
        turn[f"{side}_hand"] = turn[f"{side}_forearm"]
    return _human(root, turn, feet)


def reaching() -> Human:
    """Stand and reach: right hand ahead, left hand down to a low table, right hand across, both hands up to a shelf."""
    ahead, table, across, shelf, end = (
        (0.8, 1.8, 2.3, 3.3),
        (3.4, 4.5, 5.0, 6.2),
        (6.3, 7.3, 7.8, 8.8),
        (9.3, 10.4, 10.9, 12.0),
        12.8,
    )
    right = _keys(_HANGING["right"], end, {ahead: [0.46, -0.15, -0.1], across: [0.40, 0.12, -0.05], shelf: [0.42, -0.2, 0.3]})
    left = _keys(_HANGING["left"], end, {table: [0.40, 0.2, -0.32], shelf: [0.42, 0.2, 0.3]})
    trunk = {
        "yaw": _keys(0.0, end, {ahead: 12.0, table: -10.0, across: 20.0}),
        "lean": _keys(2.0, end, {ahead: 8.0, table: 22.0, shelf: -2.0}),
        "low": _keys(0.0, end, {table: 0.1}),
        "ahead": _keys(0.0, end, {}),
    }
    return _standing({side: (0.0, 0.11 * y, 6.0 * y) for side, y in SIDES}, trunk, {"left": left, "right": right})


def boxing(rounds: int = 4) -> Human:
    """Take up a guard as wide as the shoulders, left foot ahead; throw jabs, crosses and hooks, the trunk turning behind each."""
    punches = (("left", (0.46, 0.06, 0.08), -24.0), ("right", (0.46, -0.06, 0.06), 26.0), ("left", (0.34, -0.06, 0.06), -38.0))
    last = 2.0 + 0.95 * len(punches) * rounds
    end, guarded = last + 1.6, (0.6, 1.6, last, last + 1.0)
    guard = {side: np.array([0.30, 0.19 * y, 0.0]) for side, y in SIDES}
    hands = {side: _keys(_HANGING[side], end, {guarded: guard[side]}) for side, _ in SIDES}
    trunk = {
        "yaw": _keys(0.0, end, {guarded: -12.0}),
        "lean": _keys(2.0, end, {guarded: 8.0}),
        "low": _keys(0.0, end, {guarded: 0.07}),
        "ahead": _keys(0.0, end, {}),
    }
    for k, (side, place, yaw) in enumerate(punches * rounds):
        begin = 2.0 + 0.95 * k
        for keys, before, there in ((hands[side], guard[side], place), (trunk["yaw"], -12.0, yaw), (trunk["ahead"], 0.0, 0.03)):
            keys.update({begin: before, begin + 0.24: there, begin + 0.30: there, begin + 0.70: before})
    return _standing({"left": (0.16, 0.13, -5.0), "right": (-0.16, -0.13, -40.0)}, trunk, hands)


def _keys(rest: ArrayLike, end: float, moves: Mapping[tuple[float, float, float, float], ArrayLike]) -> Keys:
    """Return what holds at times [s]: rest, but for moves that begin, arrive, leave and are back at four times each."""
    keys: Keys = {0.0: rest, end: rest}
    for (begin, there, leave, back), value in moves.items():
        keys |= {begin: rest, there: value, leave: value, back: rest}
    return keys


def _standing(stance: Mapping[str, tuple[float, float, float]], trunk: Mapping[str, Keys], hands: Mapping[str, Keys]) -> Human:
    """Make a human whose feet stay.

    Args:
        stance: By side, ankle ahead and left [m] and the foot's yaw [deg].
        trunk: ``yaw`` and ``lean`` of the trunk [deg], how far the hips go ``low`` and ``ahead`` [m], by time [s].
        hands: By side, wrists seen from the middle between the shoulders [m], by time [s].
    """
    t = _times(max(hands["left"]))
    yaw, lean, low, ahead = (_keyed(trunk[name], t) for name in ("yaw", "lean", "low", "ahead"))
    turn = {"pelvis": about("z", 0.35 * yaw), "torso": about("z", yaw) * about("y", lean), "head": Rotation.identity(len(t))}
    feet = {}
    for side, (x, y, toes) in stance.items():
        feet[side] = Foot(np.tile([x, y, _ANKLE], (len(t), 1)), about("z", np.full(len(t), toes)))
    height = min(_hips_over(feet, np.zeros(len(t)), 0.995)) - 0.005
    joint = {"hips": np.stack([ahead, 0.008 * np.sin(2.0 * np.pi * 0.25 * t), height - low], axis=1)}
    middle = _chain(joint, turn, "chest") + turn["torso"].apply([0.0, 0.0, 0.17])
    for side, y in SIDES:
        wrist = middle + about("z", 0.5 * yaw).apply(_keyed(hands[side], t))
        turn |= _arm(side, y, _chain(joint, turn, f"{side}_upper_arm"), wrist, turn["torso"])
    return _human(joint["hips"], turn, feet)


def _gait(t: np.ndarray, ahead: np.ndarray, period: float, shift: float, y: float) -> Foot:
    """Let a foot stand under the hips in the middle of each stance, roll off over its ball, and swing to the next."""
    middles = np.arange(shift - 2.0 * period, t[-1] + 2.0 * period, period)
    prints = np.interp(middles, t, ahead)
    k = np.clip(np.floor((t - middles[0]) / period + 0.5).astype(int), 0, len(middles) - 2)
    phase = (t - middles[k]) / period  # -0.5 to 0.5, the foot stands up to 0.3 from the middle
    k, phase = np.where(phase < -0.3, k - 1, k), np.where(phase < -0.3, phase + 1.0, phase)
    stride = prints[k + 1] - prints[k]
    share = np.clip(stride / 0.9, 0.0, 1.0)
    was = np.clip((prints[k] - prints[np.maximum(k - 1, 0)]) / 0.9, 0.0, 1.0)
    swing = np.clip((phase - 0.3) / 0.4, 0.0, 1.0)
    push = 38.0 * share * _smooth((phase - 0.08) / 0.22)
    strike = 14.0 * share * _smooth((swing - 0.35) / 0.6)
    landing = 14.0 * was * (1.0 - _smooth((phase + 0.3) / 0.12)) * (phase < 0.0)
    away = push * (1.0 - _smooth(swing / 0.85)) - strike * (phase > 0.3)
    pitch = np.where(phase > 0.0, away, -landing)
    turn = about("y", pitch)
    rolled = np.where((pitch > 0.0)[:, None], _BALL - turn.apply(_BALL), _HEEL - turn.apply(_HEEL))
    at = prints[k] + stride * (swing - np.sin(2.0 * np.pi * swing) / (2.0 * np.pi))
    lift = 0.05 * share * np.sin(np.pi * swing) ** 2
    return Foot(np.stack([at, np.full(len(t), y), _ANKLE + lift], axis=1) + rolled, turn)


def _hips_over(feet: Mapping[str, Foot], ahead: np.ndarray, straight: float = 0.985) -> np.ndarray:
    """Return how high hips may be so that no knee locks, shape (N,), smooth over a fifth of a second [m]."""
    reach = straight * sum(_LEG)
    limits = [f.ankle[:, 2] + np.sqrt(reach**2 - np.minimum(np.abs(f.ankle[:, 0] - ahead), 0.6) ** 2) for f in feet.values()]
    return gaussian_filter1d(minimum_filter1d(np.min(limits, axis=0), 9), 5.0, mode="nearest") + 0.08


def _human(root: np.ndarray, turn: Mapping[str, Rotation], feet: Mapping[str, Foot]) -> Human:
    """Give a trunk with arms its legs."""
    joint, turn = {"hips": root}, dict(turn)
    for side, _ in SIDES:
        foot = feet[side]
        hip = root + turn["pelvis"].apply(TREE[f"{side}_thigh"][2])
        ahead = foot.turn.apply([1.0, 0.0, 0.0]) * [1.0, 1.0, 0.0] + turn["pelvis"].apply([1.0, 0.0, 0.0])
        knee = _elbow(hip, foot.ankle, _LEG, ahead)
        thigh, shin = knee - hip, foot.ankle - knee
        for part, bone in (("thigh", thigh), ("shin", shin)):
            turn[f"{side}_{part}"] = _frame(z=-bone, x=ahead)
        turn[f"{side}_foot"] = foot.turn
        flat = foot.turn.as_euler("zyx")
        turn[f"{side}_toes"] = Rotation.from_euler("zyx", flat * [1.0, 0.0, 0.0] + np.minimum(flat, 0.0) * [0.0, 1.0, 0.0])
    for name in TREE:
        _chain(joint, turn, name)
    return Human(turn, joint, FPS)


def _arm(side: str, y: float, shoulder: np.ndarray, wrist: np.ndarray, torso: Rotation) -> dict[str, Rotation]:
    """Bring a wrist to a place, the elbow low and a little out."""
    out = torso.apply([-0.45, 0.55 * y, -1.0])
    elbow = _elbow(shoulder, wrist, _ARM, out)
    reached = elbow + _ARM[1] * _unit(wrist - elbow)
    upper, lower = elbow - shoulder, reached - elbow
    bend = _unit(lower) - np.sum(_unit(lower) * _unit(upper), axis=1, keepdims=True) * _unit(upper)
    above = _frame(y=y * upper, x=bend)
    below = _frame(y=y * lower, z=above.apply([0.0, 0.0, 1.0]))
    return {f"{side}_upper_arm": above, f"{side}_forearm": below, f"{side}_hand": below}


def _elbow(root: np.ndarray, tip: np.ndarray, lengths: tuple[float, float], towards: np.ndarray) -> np.ndarray:
    """Return where a limb of two bones bends, as far towards a direction as it can, shape (N, 3)."""
    a, b = lengths
    line = tip - root
    reach = np.clip(np.linalg.norm(line, axis=1, keepdims=True), abs(a - b) + 1e-3, 0.995 * (a + b))
    along = _unit(line)
    side = _unit(towards - np.sum(towards * along, axis=1, keepdims=True) * along)
    share = (a**2 - b**2 + reach**2) / (2.0 * reach)
    return root + share * along + np.sqrt(np.maximum(a**2 - share**2, 0.0)) * side


def _frame(**axes: np.ndarray) -> Rotation:
    """Return frames whose first named axis is exact and whose second is as near as it can be."""
    (first, exact), (second, near) = axes.items()
    i, j = "xyz".index(first), "xyz".index(second)
    columns = np.empty((len(exact), 3, 3))
    columns[:, :, i] = _unit(exact)
    columns[:, :, j] = _unit(near - np.sum(near * columns[:, :, i], axis=1, keepdims=True) * columns[:, :, i])
    sign = 1.0 if (j - i) % 3 == 1 else -1.0
    columns[:, :, 3 - i - j] = sign * np.cross(columns[:, :, i], columns[:, :, j])
    return Rotation.from_matrix(columns)


def _chain(joint: dict[str, np.ndarray], turn: Mapping[str, Rotation], name: str) -> np.ndarray:
    """Return where a joint is, shape (N, 3)."""
    parent, _, origin = TREE[name]
    if name not in joint:
        joint[name] = _chain(joint, turn, parent) + turn[TREE[parent][1]].apply(origin)
    return joint[name]


def _keyed(keys: Mapping[float, ArrayLike], t: np.ndarray) -> np.ndarray:
    """Return what keys say at times, smoothly and without overshoot."""
    times = sorted(keys)
    curve = PchipInterpolator(times, np.array([keys[time] for time in times], dtype=float))
    return gaussian_filter1d(curve(t), 2.0, axis=0, mode="nearest")


def _times(seconds: float) -> np.ndarray:
    return np.arange(round(seconds * FPS)) / FPS


def _smooth(share: np.ndarray) -> np.ndarray:
    share = np.clip(share, 0.0, 1.0)
    return share**3 * (10.0 - 15.0 * share + 6.0 * share**2)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for written in (clip(folder, name) for name in CLIPS):
        sys.stdout.write(f"{written}\n")
