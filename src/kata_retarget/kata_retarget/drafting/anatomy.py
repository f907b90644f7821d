# SPDX-License-Identifier: Apache-2.0
"""Finds legs, arms, waist and head in a kinematic tree.

The trunk is what carries parts on both sides of the middle plane; a limb hangs off it on one side and has a
mirror image on the other. The pair that reaches lowest is the legs, of the others the longest is the arms.
Names serve only to tell fingers from wrists.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pinocchio as pin

from kata_model.arrays import FloatArray
from kata_model.errors import RobotError

__all__ = ["Anatomy", "find_anatomy"]

_FINGER = re.compile(r"gripper|finger|thumb|index|middle|ring|little|pinky|knuckle", re.IGNORECASE)
_MIDLINE = 0.02  # a joint this near to the middle plane is on it, as a share of the robot's height
_LEVEL = 0.2  # legs end within so much of the lowest limb, as a share of the robot's height
_LEAST_LEG, _LEAST_ARM = 4, 3  # joints


@dataclass(frozen=True, slots=True)
class Anatomy:
    """Parts of a humanoid.

    Attributes:
        groups: Joint names from the trunk outwards: left_leg, right_leg, waist, left_arm, right_arm, head.
        held: Joints that belong to no group: fingers, wheels, mimics.
    """

    groups: Mapping[str, tuple[str, ...]]
    held: tuple[str, ...]


class _Limb(NamedTuple):
    """Joints of a limb from the trunk outwards, as Pinocchio numbers them, and where the first and last are [m]."""

    chain: tuple[int, ...]
    root: FloatArray
    tip: FloatArray


def find_anatomy(model: Any, mimics: Collection[str], where: str) -> Anatomy:
    """Find the parts.

    Args:
        model: Fixed-base Pinocchio model of the whole URDF; the root link has x forward, y left and z up.
        mimics: Names of joints that only follow others.
        where: Where the model comes from, for errors.

    Raises:
        RobotError: It is no humanoid: not exactly two legs, or no two arms.
    """
    place = _places(model)
    height = float(np.ptp(place[:, 2]))
    trunk = _trunk(model, place[:, 1], _MIDLINE * height)
    pairs = _pairs([_limb(model, root, trunk, mimics, place) for root in _limb_roots(model, trunk)], height)
    legs = _legs(pairs, height, where)
    arms = _arms([pair for pair in pairs if pair is not legs], legs, where)
    waist = _ancestors(model, arms[0].chain[0])
    if _ancestors(model, legs[0].chain[0]):
        names = [str(model.names[i]) for i in _ancestors(model, legs[0].chain[0])]
        raise RobotError(f"the legs do not hang at the root link but behind {', '.join(names)}", where=where)
    head = tuple(i for i in sorted(trunk) if i not in waist and place[i, 2] >= arms[0].root[2] - 0.1 * height)
    chains = {"left_leg": legs[0].chain, "right_leg": legs[1].chain, "waist": waist}
    chains |= {"left_arm": arms[0].chain, "right_arm": arms[1].chain, "head": head}
    groups = {name: tuple(str(model.names[i]) for i in chain) for name, chain in chains.items() if len(chain)}
    known = {name for group in groups.values() for name in group}
    return Anatomy(groups, tuple(str(name) for name in list(model.names)[1:] if name not in known))


def _places(model: Any) -> FloatArray:
    """Return the origins of all joints at the position nearest to zero, shape (n + 1, 3), [m]."""
    position = pin.neutral(model)
    for joint in list(model.joints)[1:]:
        if joint.nq == 1:
            i = joint.idx_q
            position[i] = np.clip(0.0, model.lowerPositionLimit[i], model.upperPositionLimit[i])
    data = model.createData()
    pin.forwardKinematics(model, data, position)
    return np.array([placement.translation for placement in data.oMi])


def _trunk(model: Any, across: FloatArray, midline: float) -> frozenset[int]:
    """Return joints that carry something on both sides of the middle plane, or on none; across is y [m]."""
    side = np.where(across > midline, 1, np.where(across < -midline, 2, 0))
    for i in range(model.njoints - 1, 0, -1):
        side[model.parents[i]] |= side[i]
    return frozenset(i for i in range(1, model.njoints) if side[i] in (0, 3))


def _limb_roots(model: Any, trunk: Collection[int]) -> list[int]:
    return [i for i in range(1, model.njoints) if i not in trunk and (model.parents[i] == 0 or model.parents[i] in trunk)]


def _limb(model: Any, root: int, trunk: Collection[int], mimics: Collection[str], place: FloatArray) -> _Limb:
    """Follow a limb outwards to where it ends or branches into fingers."""
    chain, following = [root], [root]
    while len(following) == 1:
        children = [i for i in range(1, model.njoints) if model.parents[i] == following[0] and i not in trunk]
        following = [i for i in children if model.names[i] not in mimics and not _FINGER.search(model.names[i])]
        chain += following if len(following) == 1 else []
    return _Limb(tuple(chain), place[root], place[chain[-1]])


def _pairs(limbs: Sequence[_Limb], height: float) -> list[tuple[_Limb, _Limb]]:
    """Return limbs with their mirror images, left before right."""
    mirror, found = np.array([1.0, -1.0, 1.0]), []
    for left in limbs:
        for right in limbs:
            near = np.linalg.norm(left.root - mirror * right.root) < 0.1 * height
            if left.root[1] + left.tip[1] > right.root[1] + right.tip[1] and near and len(left.chain) == len(right.chain):
                found.append((left, right))
    return found


def _legs(pairs: Sequence[tuple[_Limb, _Limb]], height: float, where: str) -> tuple[_Limb, _Limb]:
    limbs = [pair for pair in pairs if len(pair[0].chain) >= _LEAST_ARM]
    floor = min((pair[0].tip[2] for pair in limbs), default=0.0)
    low = [pair for pair in limbs if pair[0].tip[2] < floor + _LEVEL * height and pair[0].tip[2] < pair[0].root[2] - 0.1 * height]
    if len(low) > 1:
        raise RobotError(f"not a humanoid: {2 * len(low)} legs", where=where, fix="give the URDF of a robot with two")
    if not low or len(low[0][0].chain) < _LEAST_LEG:
        fix = "the root link needs x forward, y left, z up, and a leg at least 4 joints"
        raise RobotError("not a humanoid: no two legs that mirror each other", where=where, fix=fix)
    return low[0]


def _arms(pairs: Sequence[tuple[_Limb, _Limb]], legs: tuple[_Limb, _Limb], where: str) -> tuple[_Limb, _Limb]:
    high = [pair for pair in pairs if len(pair[0].chain) >= _LEAST_ARM and pair[0].root[2] > legs[0].root[2]]
    if not high:
        fix = "two legs and two arms of at least 3 joints are needed, in mirrored pairs"
        raise RobotError("not a humanoid: only one pair of limbs, legs or arms are missing", where=where, fix=fix)
    return max(high, key=lambda pair: len(pair[0].chain))


def _ancestors(model: Any, joint: int) -> tuple[int, ...]:
    """Return the joints before a joint, from the root outwards."""
    chain: list[int] = []
    while (joint := int(model.parents[joint])) > 0:
        chain.insert(0, joint)
    return tuple(chain)
