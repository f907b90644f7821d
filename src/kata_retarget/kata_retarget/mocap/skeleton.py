# SPDX-License-Identifier: Apache-2.0
"""Joints in a tree and their motion, as a file gives them: own names, own unit, own axes."""

from dataclasses import dataclass, replace

import numpy as np

from kata_model.arrays import FloatArray
from kata_retarget.mocap.rotations import IDENTITY, multiply, rotate

__all__ = ["Motion", "Pose", "Skeleton", "forward_kinematics"]


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A tree of joints; parents come before their children.

    Attributes:
        names: Joint names, length j; the end of a leaf bone is named as its joint with ``/end``.
        parents: Index of each joint's parent, -1 for the root.
        offset: Joint's origin in its parent's frame, shape (j, 3), in the file's unit.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offset: FloatArray

    def children(self, joint: int) -> list[int]:
        """Return the direct children of a joint, ends included."""
        return [i for i, parent in enumerate(self.parents) if parent == joint]

    def ancestors(self, joint: int) -> list[int]:
        """Return the joint, its parent and so on up to the root."""
        chain = [joint]
        while self.parents[chain[-1]] >= 0:
            chain.append(self.parents[chain[-1]])
        return chain

    def rest(self) -> "Pose":
        """Return the pose with all rotations at zero and the root at the origin."""
        position = np.zeros_like(self.offset)
        for i, parent in enumerate(self.parents):
            if parent >= 0:
                position[i] = position[parent] + self.offset[i]
        return Pose(position, np.tile(IDENTITY, (len(self.names), 1)))

    def below(self, joint: int) -> list[int]:
        """Return the joint and all that hang on it."""
        return [i for i in range(len(self.names)) if joint in self.ancestors(i)]


@dataclass(frozen=True, slots=True)
class Pose:
    """A skeleton at one instant.

    Attributes:
        position: Joint origins, shape (j, 3).
        rotation: Joint frames to the pose's world, unit quaternions, shape (j, 4).
    """

    position: FloatArray
    rotation: FloatArray


@dataclass(frozen=True, slots=True)
class Motion:
    """A skeleton over N frames, in one world.

    Attributes:
        skeleton: The joints.
        position: Joint origins, shape (N, j, 3).
        rotation: Joint frames to world, unit quaternions, shape (N, j, 4).
        fps: Frames a second [Hz].
    """

    skeleton: Skeleton
    position: FloatArray
    rotation: FloatArray
    fps: float

    def turned(self, q: FloatArray, scale: float) -> "Motion":
        """Return the motion in a turned and scaled world; offsets stay in their joints' frames."""
        skeleton = replace(self.skeleton, offset=self.skeleton.offset * scale)
        return Motion(skeleton, rotate(q, self.position) * scale, multiply(q, self.rotation), self.fps)

    def pose(self, i: int) -> "Pose":
        """Return frame i alone."""
        return Pose(self.position[i], self.rotation[i])

    def from_frame(self, first: int) -> "Motion":
        """Return the motion without the frames before one."""
        return replace(self, position=self.position[first:], rotation=self.rotation[first:])


def forward_kinematics(skeleton: Skeleton, root: FloatArray, local: FloatArray, fps: float) -> Motion:
    """Compute where all joints are in all frames at once.

    Args:
        skeleton: The joints.
        root: The root's origin in the world, shape (N, 3).
        local: Joint rotations, child to parent, shape (N, j, 4).
        fps: Frames a second [Hz].
    """
    count = len(skeleton.names)
    position, rotation = (
        np.empty((count, len(root), 3)),
        np.empty((count, len(root), 4)),
    )
    for i, parent in enumerate(skeleton.parents):
        if parent < 0:
            position[i], rotation[i] = root, local[:, i]
            continue
        position[i] = position[parent] + rotate(rotation[parent], skeleton.offset[i])
        still = np.array_equal(local[:, i], np.broadcast_to(IDENTITY, (len(root), 4)))
        rotation[i] = rotation[parent] if still else multiply(rotation[parent], local[:, i])
    return Motion(skeleton, position.transpose(1, 0, 2), rotation.transpose(1, 0, 2), fps)
