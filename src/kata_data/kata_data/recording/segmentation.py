# SPDX-License-Identifier: Apache-2.0
"""Where an episode falls into parts: motion and rest, contact and none."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_model.errors import DataError

__all__ = ["Segment", "SegmentationConfig", "intervention_steps", "propose_segments"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of an episode.

    Attributes:
        start: From the first joint state of the bag [s].
        end: Likewise; not before start.
        label: What happens, e.g. ``rest``, ``motion``, ``motion, contact``; free to edit.
    """

    start: float
    end: float
    label: str

    def __post_init__(self) -> None:
        """Refuse what is no span."""
        if not 0.0 <= self.start <= self.end < float("inf"):
            raise DataError(f"segment {self.label!r} from {self.start} to {self.end} s", fix="start and end in seconds, in order")


@dataclass(frozen=True, slots=True)
class SegmentationConfig:
    """What counts.

    Attributes:
        still: A robot whose fastest joint is slower rests [rad/s].
        force: More than this is contact: force in [N], or the sum of a tactile array in its own unit.
        shortest: Parts that are shorter belong to what surrounds them [s].
    """

    still: float = 0.05
    force: float = 2.0
    shortest: float = 0.2


def propose_segments(time: FloatArray, speed: FloatArray, contact: FloatArray, config: SegmentationConfig) -> tuple[Segment, ...]:
    """Cut an episode where it begins or ceases to move or to touch.

    Args:
        time: Samples, shape (N,), [s], rising.
        speed: Of the fastest joint, shape (N,), [rad/s]; NaN counts as rest.
        contact: Largest force that is felt, shape (N,), [N]; zeros where nothing feels.
        config: What counts.
    """
    if not len(time):
        return ()
    moving, touching = (
        _smooth(time, speed > config.still, config.shortest),
        _smooth(time, contact > config.force, config.shortest),
    )
    state = moving.astype(int) + 2 * touching
    starts = np.concatenate([[0], np.flatnonzero(np.diff(state)) + 1])
    ends = np.concatenate([starts[1:], [len(time) - 1]])
    return tuple(Segment(float(time[a]), float(time[b]), _label(int(state[a]))) for a, b in zip(starts, ends, strict=True))


def _label(state: int) -> str:
    return ("rest", "motion", "rest, contact", "motion, contact")[state]


def _smooth(time: FloatArray, on: NDArray[np.bool_], shortest: float) -> NDArray[np.bool_]:
    """Let runs that are too short take the value of what surrounds them, the shortest first."""
    on = on.copy()
    while True:
        edges = np.concatenate([[0], np.flatnonzero(np.diff(on.astype(int))) + 1, [len(on)]])
        if len(edges) <= 2:
            return on
        last = np.minimum(edges[1:], len(on) - 1)
        length = time[last] - time[edges[:-1]]
        least = int(np.argmin(length))
        if not length[least] < shortest:
            return on
        on[edges[least] : edges[least + 1]] ^= True


def intervention_steps(stamps: NDArray[np.int64], changes: NDArray[np.int64], human: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say of each step whether a human acted in the policy's place.

    Args:
        stamps: Steps, shape (N,), [ns], rising.
        changes: When it was known who acts, shape (M,), [ns], rising.
        human: Who acted from then on, shape (M,).

    Returns:
        Shape (N,); False before the first change, for a policy's episode begins with the policy.
    """
    latest = np.searchsorted(changes, stamps, side="right") - 1
    if not len(changes):
        return np.zeros(len(stamps), dtype=bool)
    return np.where(latest >= 0, human[np.maximum(latest, 0)], False)
