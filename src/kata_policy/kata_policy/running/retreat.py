# SPDX-License-Identifier: Apache-2.0
"""The way back from doubt: along the robot's own path, to where its policy was sure."""

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.config.params import param
from kata_model.kinematics.minimum_jerk import PEAK, minimum_jerk

__all__ = ["DoubtConfig", "Retreat", "Trail"]

_LEAST = 1e-3
"""Targets nearer to the last crumb than this are not worth another [rad]."""

_MOST = 3000
"""Crumbs at most: a minute of steady motion at 50 Hz."""


@dataclass(frozen=True)
class DoubtConfig:
    """What a robot does whose policy is unsure for long."""

    doubt_time: float = param(2.0, unit="s", low=0.0, high=3600.0, doc="How long an unsure policy is held before it retreats.")
    retries: int = param(1, low=0, high=100, doc="How often it retreats and tries again, before it rests and needs a person.")
    sure_before: float = param(1.0, unit="s", low=0.0, high=60.0, doc="It retreats to where it was sure this long before.")


class _Crumb(NamedTuple):
    when: int
    position: FloatArray
    sure: bool


class Trail:
    """Where the robot was led, and whether its policy was sure there.

    Args:
        start: Where the policy took over, shape (n,), [rad]; there it counts as sure.
        now: When [ns].
    """

    def __init__(self, start: FloatArray, now: int) -> None:
        """Drop the first crumb."""
        self._crumbs: deque[_Crumb] = deque([_Crumb(now, np.array(start), True)], maxlen=_MOST)

    def note(self, now: int, position: FloatArray, sure: bool) -> None:
        """Drop a crumb, unless the robot was led nowhere.

        Args:
            now: Present time [ns].
            position: Target that was followed, shape (n,), [rad].
            sure: Whether the policy was.
        """
        last = self._crumbs[-1]
        if last.sure is not sure or np.abs(position - last.position).max(initial=0.0) > _LEAST:
            self._crumbs.append(_Crumb(now, np.array(position), sure))

    @property
    def end(self) -> FloatArray:
        """The last target that was followed, shape (n,), [rad]."""
        return self._crumbs[-1].position

    def turn_back(self, before: int) -> FloatArray:
        """Return the way to where the policy was sure before some time, and forget it: shape (m, n), [rad], m ≥ 1.

        Args:
            before: A crumb that counts was dropped no later [ns]; if there is none, the way leads to the first.
        """
        way = [self._crumbs[-1].position]
        while len(self._crumbs) > 1 and not (self._crumbs[-1].sure and self._crumbs[-1].when <= before):
            self._crumbs.pop()
            way.append(self._crumbs[-1].position)
        return np.array(way)


class Retreat:
    """A path that is walked from rest to rest, no joint faster than allowed.

    Args:
        way: Shape (m, n), [rad].
        velocity: Greatest joint velocity [rad/s].
        since: When it begins [ns].
    """

    def __init__(self, way: FloatArray, velocity: float, since: int) -> None:
        """Measure the path by the joint that goes farthest from point to point."""
        self._way, self._since = way, since
        self._marks = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(way, axis=0)).max(axis=1, initial=0.0))])
        self._duration = max(PEAK * float(self._marks[-1]) / velocity, 1e-3)

    def position(self, now: int) -> FloatArray:
        """Return the target at a time [ns], shape (n,), [rad]."""
        gone = float(minimum_jerk(0.0, self._marks[-1], self._duration, (now - self._since) * 1e-9))
        return np.array([np.interp(gone, self._marks, joint) for joint in self._way.T])

    def over(self, now: int) -> bool:
        """Return whether its end has been reached at a time [ns]."""
        return (now - self._since) * 1e-9 >= self._duration
