# SPDX-License-Identifier: Apache-2.0
"""A human motion of known length, in the convention of `kata_model.frames`."""

from dataclasses import dataclass, field

import numpy as np

from kata_model.arrays import FloatArray, frozen
from kata_model.errors import ClipError
from kata_model.frames import BODIES, HumanFrames
from kata_retarget.mocap.rotations import slerp

__all__ = ["MotionClip"]


@dataclass(frozen=True, slots=True)
class MotionClip:
    """Poses of a human's bodies at N equally spaced instants.

    Attributes:
        names: Body names, length b, a subset of `BODIES` in that order.
        position: Body origins in the world (z up, floor at 0), shape (N, b, 3), [m].
        orientation_xyzw: Unit quaternions, body to world, continuous in sign, shape (N, b, 4).
        fps: Frames a second [Hz].
        source: Where it came from, e.g. the file's name.
        notes: What the loader found out or mended, one sentence each.
    """

    names: tuple[str, ...]
    position: FloatArray
    orientation_xyzw: FloatArray
    fps: float
    source: str = ""
    notes: tuple[str, ...] = ()
    _confidence: FloatArray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Copy, freeze and check the arrays; all must be finite."""
        b, n = len(self.names), len(self.position)
        unknown = [name for name in self.names if name not in BODIES]
        if unknown or n == 0 or not self.fps > 0.0:
            raise ValueError(f"clip with {n} frames at {self.fps} fps and unknown bodies {unknown}")
        for name, shape in (("position", (n, b, 3)), ("orientation_xyzw", (n, b, 4))):
            values = frozen(name, getattr(self, name), shape)
            if not np.isfinite(values).all():
                raise ValueError(f"{name} holds values that are not finite")
            object.__setattr__(self, name, values)
        object.__setattr__(self, "_confidence", frozen("confidence", np.ones(b), (b,)))

    def __len__(self) -> int:
        """Return the number of frames N."""
        return len(self.position)

    @property
    def duration(self) -> float:
        """Time from the first to the last frame [s]."""
        return (len(self) - 1) / self.fps

    def index(self, body: str) -> int:
        """Return the row of a body.

        Raises:
            ClipError: The clip has no such body.
        """
        if body not in self.names:
            raise ClipError(
                f"the clip has no {body!r}",
                where=self.source,
                fix=f"it has: {', '.join(self.names)}",
            )
        return self.names.index(body)

    def frames(self, i: int, stamp: int, engaged: bool) -> HumanFrames:
        """Return frame i as one sample of a live source, stamped by the caller [ns]."""
        return HumanFrames(
            stamp,
            "mocap",
            engaged,
            self.names,
            self.position[i],
            self.orientation_xyzw[i],
            self._confidence,
        )

    def resample(self, fps: float) -> "MotionClip":
        """Return the clip at another rate [Hz]: positions linear, orientations on the shorter arc.

        The first frame stays; the last one is kept if it falls on the new grid, else the grid ends before it.
        """
        if fps == self.fps:
            return self
        count = int(np.floor(self.duration * fps + 1e-6)) + 1
        return self.at(np.asarray(np.arange(count) * (self.fps / fps), dtype=float), fps)

    def at(self, rows: FloatArray, fps: float) -> "MotionClip":
        """Return the clip as it is at some places, counted in frames and shape (M,), as a clip of another rate [Hz]."""
        at = np.clip(rows, 0, len(self) - 1)
        low = np.minimum(at.astype(int), max(len(self) - 2, 0))
        high = np.minimum(low + 1, len(self) - 1)
        t = at - low
        position = self.position[low] + t[:, None, None] * (self.position[high] - self.position[low])
        orientation = slerp(self.orientation_xyzw[low], self.orientation_xyzw[high], t[:, None])
        return MotionClip(self.names, position, orientation, fps, self.source, self.notes)
