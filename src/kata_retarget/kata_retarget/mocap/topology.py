# SPDX-License-Identifier: Apache-2.0
"""Find arms and legs in a skeleton of unknown names, by how its bones branch, how long they are and how they move.

Two limbs of a pair leave the same joint and are equally long. The pair nearer to the root are the legs. A limb's two
long bones in a row are thigh and shin, or upper arm and forearm. Toes and bent knees show the front, and with the
trunk's direction that tells left from right.
"""

from typing import NamedTuple

import numpy as np

from kata_model.arrays import FloatArray
from kata_retarget.mocap.skeleton import Motion, Skeleton
from kata_retarget.mocap.upright import left_is_left

__all__ = ["limbs_by_topology", "longest_chain"]

_SAMPLES = 50
_UNLIKE = 0.15
"""The bones of a left and a right limb of one person differ less than this."""
_SHORT = 0.3
"""A pair shorter than this share of the longest chain is fingers, eyes or the like."""
_SHOULDERS = 0.25
"""Shoulders are farther apart than this share of a leg."""


class _Pair(NamedTuple):
    depth: int
    first: list[int]
    second: list[int]


def limbs_by_topology(motion: Motion) -> dict[str, int] | None:
    """Return joints by ``side_part``, or None if there are no two pairs of limbs."""
    skeleton = motion.skeleton
    pairs = sorted(_pairs(skeleton), key=lambda pair: pair.depth)
    if len(pairs) < 2:
        return None
    legs, arms = pairs[0], pairs[1]
    leg = [_limb(skeleton, chain) for chain in (legs.first, legs.second)]
    # collar bones are as long as forearms, but they begin close together
    apart = np.median(np.linalg.norm(_origins(motion, arms.first) - _origins(motion, arms.second), axis=-1), axis=0)
    wide = apart > _SHOULDERS * max(_length(skeleton, limb[1:3]) for limb in leg)
    arm = [_limb(skeleton, [joint for joint, far in zip(chain, wide, strict=True) if far]) for chain in (arms.first, arms.second)]
    if any(len(limb) < 3 for limb in (*leg, *arm)):
        return None
    joints: dict[str, int] = {}
    for limbs, parts in ((leg, ("thigh", "shin", "foot", "toes")), (arm, ("upper_arm", "forearm", "hand"))):
        for side, limb in zip(("left", "right"), limbs, strict=True):
            joints |= {f"{side}_{part}": joint for part, joint in zip(parts, limb, strict=False)}
    at = {name: _origins(motion, [joint])[:, 0] for name, joint in joints.items()}
    return joints if left_is_left(at) else _swapped(joints)


def longest_chain(skeleton: Skeleton, joint: int) -> list[int]:
    """Return the joints from one to the farthest end that hangs on it, along the bones."""
    best, length = [joint], 0.0
    for end in skeleton.below(joint):
        chain = skeleton.ancestors(end)
        chain = chain[: chain.index(joint) + 1][::-1]
        if (found := _length(skeleton, chain[1:])) > length:
            best, length = chain, found
    return best


def _pairs(skeleton: Skeleton) -> list[_Pair]:
    chains = {i: longest_chain(skeleton, i) for i in range(1, len(skeleton.names))}
    lengths = {i: _length(skeleton, chain) for i, chain in chains.items()}
    longest = max(lengths.values(), default=0.0)
    pairs = []
    for joint in range(len(skeleton.names)):
        children = [i for i in skeleton.children(joint) if lengths[i] > _SHORT * longest]
        options = [(_unlike(skeleton, chains[a], chains[b]), a, b) for a in children for b in children if a < b]
        if options and min(options)[0] < _UNLIKE:
            _, a, b = min(options)
            pairs.append(_Pair(len(skeleton.ancestors(joint)), chains[a], chains[b]))
    return pairs


def _unlike(skeleton: Skeleton, first: list[int], second: list[int]) -> float:
    """Return how much two chains differ bone by bone, as a share of their length."""
    a, b = (np.linalg.norm(skeleton.offset[chain], axis=1) for chain in (first, second))
    a, b = a[a > 0.0], b[b > 0.0]
    return float(np.abs(a - b).sum() / a.sum()) if len(a) == len(b) else np.inf


def _length(skeleton: Skeleton, chain: list[int]) -> float:
    return float(np.linalg.norm(skeleton.offset[chain], axis=1).sum())


def _limb(skeleton: Skeleton, chain: list[int]) -> list[int]:
    """Return the joints of a limb from where its two long bones begin, bones without length left out; empty if too few."""
    solid = [joint for joint in chain[1:] if np.linalg.norm(skeleton.offset[joint]) > 0.0]
    joints = [skeleton.parents[joint] for joint in solid] + solid[-1:]
    bones = np.linalg.norm(skeleton.offset[solid], axis=1)
    if len(bones) < 2:
        return []
    start = int(np.argmax(bones[:-1] + bones[1:]))
    return joints[start : start + 4]


def _origins(motion: Motion, joints: list[int]) -> FloatArray:
    """Return joint origins in some frames of the clip, shape (frames, joints, 3)."""
    return motion.position[:: max(1, len(motion.position) // _SAMPLES)][:, joints]


def _swapped(joints: dict[str, int]) -> dict[str, int]:
    other = {"left": "right", "right": "left"}
    return {f"{other[name.partition('_')[0]]}_{name.partition('_')[2]}": joint for name, joint in joints.items()}
