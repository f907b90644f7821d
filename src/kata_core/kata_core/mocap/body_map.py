# SPDX-License-Identifier: Apache-2.0
"""Which joint of a skeleton turns which body."""

from dataclasses import dataclass

from kata_core.errors import ClipError
from kata_core.mocap.names import HEAD, match_limbs, split
from kata_core.mocap.skeleton import Skeleton

__all__ = ["BodyMap", "find_bodies"]


@dataclass(frozen=True, slots=True)
class BodyMap:
    """Joints by body.

    Attributes:
        joints: Index of the joint that turns each body; names as in `kata_core.frames.BODIES`.
        clavicles: Left and right collar bone, or the upper arms where the skeleton has none.
        how: How they were found, for the clip's notes.
    """

    joints: dict[str, int]
    clavicles: tuple[int, int]
    how: str


def find_bodies(skeleton: Skeleton, where: str) -> BodyMap:
    """Find the bodies by names; trunk and head follow from where the limbs meet.

    Raises:
        ClipError: Two arms and two legs are not to be found.
    """
    matched = match_limbs(skeleton.names)
    if matched is None:
        known = ", ".join(name for name in skeleton.names[:12] if not name.endswith("/end"))
        raise ClipError(
            f"no arms and legs known by name among the joints {known}, …",
            where=where,
            fix="rename the joints",
        )
    dialect, joints = matched
    joints["pelvis"] = _meeting(skeleton, joints["left_thigh"], joints["right_thigh"])
    joints["torso"] = _meeting(skeleton, joints["left_upper_arm"], joints["right_upper_arm"])
    head = _head(skeleton, joints["torso"])
    if head is not None:
        joints["head"] = head
    for side in ("left", "right"):
        if f"{side}_toes" not in joints and (children := skeleton.children(joints[f"{side}_foot"])):
            joints[f"{side}_toes"] = children[0]
    left, right = (joints.pop(f"{side}_clavicle", joints[f"{side}_upper_arm"]) for side in ("left", "right"))
    return BodyMap(joints, (left, right), f"names of {dialect.name}")


def _meeting(skeleton: Skeleton, a: int, b: int) -> int:
    """Return the nearest common ancestor of two joints."""
    other = set(skeleton.ancestors(b))
    return next(joint for joint in skeleton.ancestors(a) if joint in other)


def _head(skeleton: Skeleton, torso: int) -> int | None:
    for joint, name in enumerate(skeleton.names):
        if HEAD.fullmatch(split(name)[1]) and torso in skeleton.ancestors(joint):
            return joint
    return None
