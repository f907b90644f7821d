# SPDX-License-Identifier: Apache-2.0
"""Which joint of a skeleton turns which body."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from kata_model.errors import ClipError
from kata_retarget.mocap.names import match_limbs, named
from kata_retarget.mocap.skeleton import Motion, Skeleton
from kata_retarget.mocap.topology import limbs_by_topology, longest_chain

__all__ = ["BodyMap", "find_bodies"]


@dataclass(frozen=True, slots=True)
class BodyMap:
    """Joints by body.

    Attributes:
        joints: Index of the joint that turns each body; names as in `kata_model.frames.BODIES`.
        fingers: The joint that a hand points to (a middle finger's), by hand, where there is one.
        how: How they were found, for the clip's notes.
    """

    joints: dict[str, int]
    fingers: dict[str, int]
    how: str

    def without_toes(self) -> "BodyMap":
        """Return the map without the toes."""
        return replace(self, joints={name: joint for name, joint in self.joints.items() if not name.endswith("_toes")})


def find_bodies(motion: Motion, where: str) -> BodyMap:
    """Find the limbs by names, else by topology; trunk and head follow from where the limbs meet.

    Raises:
        ClipError: Two arms and two legs are not to be found.
    """
    skeleton = motion.skeleton
    how, joints = _limbs(motion, where)
    joints["pelvis"] = _meeting(skeleton, joints["left_thigh"], joints["right_thigh"])
    joints["torso"] = _meeting(skeleton, joints["left_upper_arm"], joints["right_upper_arm"])
    if (head := _head(skeleton, joints)) is not None:
        joints["head"] = head
    fingers = {}
    for side in ("left", "right"):
        toes = joints.get(f"{side}_toes", _next(skeleton, joints[f"{side}_foot"]))
        if toes is not None and _solid(skeleton, toes):
            joints[f"{side}_toes"] = toes
        if (finger := _finger(skeleton, joints[f"{side}_hand"])) is not None:
            fingers[f"{side}_hand"] = finger
        joints.pop(f"{side}_clavicle", None)
    _check(skeleton, joints, where)
    return BodyMap(joints, fingers, how)


def _limbs(motion: Motion, where: str) -> tuple[str, dict[str, int]]:
    names = motion.skeleton.names
    if (matched := match_limbs(names)) is not None:
        return f"names of {matched[0].name}", matched[1]
    if (joints := limbs_by_topology(motion)) is not None:
        thigh, arm = names[joints["left_thigh"]], names[joints["left_upper_arm"]]
        return f"unknown names; by its bones {thigh!r} is the left thigh and {arm!r} the left upper arm", joints
    known = ", ".join(name for name in names[:12] if not name.endswith("/end"))
    raise ClipError(f"no two arms and legs among the joints {known}, …", where=where, fix="give a clip of a whole human")


def _check(skeleton: Skeleton, joints: dict[str, int], where: str) -> None:
    """Refuse limbs that are no chain: names that mislead give nonsense otherwise."""
    for side in ("left", "right"):
        for chain in (("upper_arm", "forearm", "hand"), ("thigh", "shin", "foot")):
            indices = [joints[f"{side}_{part}"] for part in chain]
            for upper, lower in pairwise(indices):
                if upper == lower or upper not in skeleton.ancestors(lower):
                    names = " → ".join(skeleton.names[i] for i in indices)
                    raise ClipError(f"joints taken for a limb are no chain: {names}", where=where, fix="rename the joints")


def _meeting(skeleton: Skeleton, a: int, b: int) -> int:
    """Return the nearest common ancestor of two joints."""
    other = set(skeleton.ancestors(b))
    return next(joint for joint in skeleton.ancestors(a) if joint in other)


def _head(skeleton: Skeleton, joints: dict[str, int]) -> int | None:
    above = set(skeleton.below(joints["torso"]))
    if by_name := [joint for joint in named(skeleton.names, "head") if joint in above]:
        return by_name[0]
    arms = {joint for side in ("left", "right") for joint in skeleton.ancestors(joints[f"{side}_upper_arm"])}
    free = [longest_chain(skeleton, joint) for joint in skeleton.children(joints["torso"]) if joint not in arms]
    inner = [joint for joint in max(free, key=len, default=[]) if not skeleton.names[joint].endswith("/end")]
    return inner[-1] if inner else None


def _finger(skeleton: Skeleton, hand: int) -> int | None:
    below = set(skeleton.below(hand)) - {hand}
    fingers = [i for i in named(skeleton.names, r"(hand)?(middle|mid|f2|index)(finger|proximal|metacarpal)*\d*") if i in below]
    return next((i for i in fingers if _solid(skeleton, i)), _next(skeleton, hand))


def _next(skeleton: Skeleton, joint: int) -> int | None:
    """Return an only child that lies apart from its parent."""
    children = skeleton.children(joint)
    return children[0] if len(children) == 1 and _solid(skeleton, children[0]) else None


def _solid(skeleton: Skeleton, joint: int) -> bool:
    longest = float(np.linalg.norm(skeleton.offset, axis=1).max())
    return float(np.linalg.norm(skeleton.offset[joint])) > 1e-3 * longest
