# SPDX-License-Identifier: Apache-2.0
"""What a source knows of a person's hands at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass

from kata_model.arrays import FloatArray, frozen

__all__ = ["HandSample", "HandsSample"]


@dataclass(frozen=True, slots=True)
class HandSample:
    """One hand.

    Attributes:
        pose: Position [m] and xyzw quaternion in the source's world (REP 103), shape (7,); anything if not tracked.
        tracked: Whether the source sees the hand.
        clutch: Whether its clutch is pressed.
        precise: Whether precision is asked for.
    """

    pose: FloatArray
    tracked: bool = True
    clutch: bool = False
    precise: bool = False

    def __post_init__(self) -> None:
        """Copy and freeze the pose."""
        object.__setattr__(self, "pose", frozen("pose", self.pose, (7,)))


@dataclass(frozen=True, slots=True)
class HandsSample:
    """Both hands, or one, and the head.

    Attributes:
        stamp: When it was measured, by the robot's clock [ns].
        hands: By name, e.g. ``right_hand``.
        head: Pose of the head as above, shape (7,); None if it is not known.
    """

    stamp: int
    hands: Mapping[str, HandSample]
    head: FloatArray | None = None

    def __post_init__(self) -> None:
        """Copy and freeze the head's pose."""
        if self.head is not None:
            object.__setattr__(self, "head", frozen("head", self.head, (7,)))
