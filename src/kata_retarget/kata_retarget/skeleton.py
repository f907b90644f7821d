# SPDX-License-Identifier: Apache-2.0
"""The human as the engine sees it: canonical bodies in one array, and limbs laid out with a robot's lengths.

Beside the canonical bodies there are two virtual ones: the middle of the hips, the root to which all keypoints
are relative, and the middle of the shoulders. A robot's keypoint lies at its own limb length in the human's
limb direction from the keypoint before: limb-wise scaling without a word about the human's size.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_model.compiled import kernel
from kata_model.frames import BODIES, HumanFrames
from kata_retarget.solver.rotation import matrix_of, quaternion_of

__all__ = [
    "BODY_COUNT",
    "EDGES",
    "HIPS",
    "PELVIS",
    "SHOULDERS",
    "Human",
    "express_in_pelvis",
    "human_leg",
    "index_of",
    "lay_out",
    "read_human",
    "t_pose",
]

BODY_COUNT = len(BODIES)
HIPS = BODY_COUNT
SHOULDERS = BODY_COUNT + 1


def index_of(body: str) -> int:
    """Return the row of a canonical body."""
    return BODIES.index(body)


PELVIS = index_of("pelvis")


def _edges() -> tuple[tuple[int, int], ...]:
    pairs: list[tuple[int, int]] = [(SHOULDERS, HIPS)]
    for side in ("left", "right"):
        leg = [HIPS, *(index_of(f"{side}_{part}") for part in ("thigh", "shin", "foot"))]
        arm = [SHOULDERS, *(index_of(f"{side}_{part}") for part in ("upper_arm", "forearm", "hand"))]
        pairs += [(child, parent) for limb in (leg, arm) for parent, child in pairwise(limb)]
    return tuple(pairs)


EDGES = _edges()
"""Pairs of child and parent, a parent always laid out before its children."""

_PAIRS = tuple((index_of(f"left_{part}"), index_of(f"right_{part}")) for part in ("thigh", "upper_arm"))
_LEGS = np.array([[index_of(f"{side}_{part}") for part in ("thigh", "shin", "foot")] for side in ("left", "right")])
_TORSO = index_of("torso")


class Human(NamedTuple):
    """A human's sample in canonical order.

    Attributes:
        position: Body origins with the two virtual bodies, shape (BODY_COUNT + 2, 3), [m].
        orientation: Unit quaternions xyzw, shape (BODY_COUNT, 4).
        valid: Tracked and finite, shape (BODY_COUNT + 2,).
    """

    position: FloatArray
    orientation: FloatArray
    valid: NDArray[np.bool_]


def read_human(frames: HumanFrames, order: NDArray[np.int64]) -> Human:
    """Bring frames into canonical order; bodies that are lost or not finite are marked as not valid.

    Args:
        frames: One sample.
        order: Row of `BODIES` for each of the frames' names.
    """
    human = Human(np.zeros((BODY_COUNT + 2, 3)), np.zeros((BODY_COUNT, 4)), np.zeros(BODY_COUNT + 2, dtype=np.bool_))
    _fill(frames.position, frames.orientation_xyzw, frames.confidence, order, human)
    return human


@kernel
def _fill(position: FloatArray, orientation: FloatArray, confidence: FloatArray, order: NDArray[np.int64], human: Human) -> None:
    for row in range(len(order)):
        body = order[row]
        sound = body >= 0 and confidence[row] > 0.0
        norm = 0.0
        for k in range(4):
            norm += orientation[row, k] ** 2
        for k in range(3):
            sound = sound and abs(position[row, k]) < 1e3
        if not (sound and 0.5 < norm < 2.0):
            continue
        human.valid[body] = True
        for k in range(3):
            human.position[body, k] = position[row, k]
        for k in range(4):
            human.orientation[body, k] = orientation[row, k] / np.sqrt(norm)
    _middle(human, HIPS, _PAIRS[0][0], _PAIRS[0][1], PELVIS)
    _middle(human, SHOULDERS, _PAIRS[1][0], _PAIRS[1][1], _TORSO)


@kernel
def _middle(human: Human, virtual: int, left: int, right: int, instead: int) -> None:
    """Set a virtual body to the middle of two, or to another body where one of them is lost."""
    if human.valid[left] and human.valid[right]:
        human.valid[virtual] = True
        for k in range(3):
            human.position[virtual, k] = 0.5 * (human.position[left, k] + human.position[right, k])
    else:
        human.valid[virtual] = human.valid[instead]
        human.position[virtual] = human.position[instead]


@kernel
def human_leg(human: Human) -> float:
    """Return the mean length of the legs that are seen [m], 0 if none is."""
    total, count = 0.0, 0
    for side in range(2):
        a, b, c = _LEGS[side, 0], _LEGS[side, 1], _LEGS[side, 2]
        if human.valid[a] and human.valid[b] and human.valid[c]:
            count += 1
            total += np.sqrt(np.sum((human.position[b] - human.position[a]) ** 2))
            total += np.sqrt(np.sum((human.position[c] - human.position[b]) ** 2))
    return total / max(count, 1)


def express_in_pelvis(human: Human) -> None:
    """Turn and shift a sample in place so that the pelvis is at the origin, upright and facing forward."""
    rotation, turned = np.empty((3, 3)), np.empty((3, 3))
    matrix_of(human.orientation[PELVIS], rotation)
    human.position[:] = (human.position - human.position[PELVIS]) @ rotation
    for i in np.flatnonzero(human.valid[:BODY_COUNT]):
        matrix_of(human.orientation[i], turned)
        quaternion_of(rotation.T @ turned, human.orientation[i])


def t_pose(stamp: int) -> HumanFrames:
    """Return a human of usual size in the reference pose, with all bodies."""
    place = {"pelvis": (0.0, 0.0, 0.9), "torso": (0.0, 0.0, 1.35), "head": (0.0, 0.0, 1.5)}
    for side, y in (("left", 1.0), ("right", -1.0)):
        for part, across, up in (("upper_arm", 0.18, 1.35), ("forearm", 0.46, 1.35), ("hand", 0.72, 1.35)):
            place[f"{side}_{part}"] = (0.0, y * across, up)
        for part, ahead, up in (("thigh", 0.0, 0.9), ("shin", 0.0, 0.49), ("foot", 0.0, 0.08), ("toes", 0.13, 0.03)):
            place[f"{side}_{part}"] = (ahead, 0.09 * y, up)
    turns = np.tile([0.0, 0.0, 0.0, 1.0], (BODY_COUNT, 1))
    return HumanFrames(stamp, "reference", True, BODIES, np.array([place[body] for body in BODIES]), turns, np.ones(BODY_COUNT))


@kernel
def lay_out(human: Human, edges: NDArray[np.int64], length: FloatArray, target: FloatArray, known: NDArray[np.bool_]) -> None:
    """Write keypoint targets relative to the hips' middle, in world axes.

    Args:
        human: One sample.
        edges: Child and parent of each edge, shape (e, 2).
        length: The robot's limb lengths, shape (e,), [m].
        target: Receives positions, shape (BODY_COUNT + 2, 3), [m].
        known: Receives which of them are known, shape (BODY_COUNT + 2,).
    """
    target[:] = 0.0
    known[:] = False
    known[HIPS] = human.valid[HIPS]
    for e in range(len(edges)):
        child, parent = edges[e, 0], edges[e, 1]
        norm = 0.0
        for k in range(3):
            norm += (human.position[child, k] - human.position[parent, k]) ** 2
        norm = np.sqrt(norm)
        if not (known[parent] and human.valid[child] and norm > 1e-3):
            continue
        known[child] = True
        for k in range(3):
            step = (human.position[child, k] - human.position[parent, k]) / norm
            target[child, k] = target[parent, k] + length[e] * step
