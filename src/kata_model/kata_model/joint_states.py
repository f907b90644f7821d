# SPDX-License-Identifier: Apache-2.0
"""What is known of a robot's joints, from whoever measures some of them.

Joint states come by name: a robot's arms and legs may have drivers of their own, hands and grippers speak on the same topic,
and not everybody measures velocity.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kata_model.arrays import FloatArray
from kata_model.joints import JointLayout, JointState
from kata_model.verdict import Reason

__all__ = ["JointStates"]

_LONGEST = 0.1
"""Time between two measurements beyond which no velocity is made of them [s]."""


class JointStates:
    """Keeps the newest measurement of each joint, and when it was made.

    Attributes:
        differentiated: Whether velocities were missing and are made of positions, shape (n,).
    """

    def __init__(self, layout: JointLayout) -> None:
        """Know nothing yet."""
        n = len(layout)
        self._layout = layout
        self._position, self._velocity, self._effort = np.full(n, np.nan), np.zeros(n), np.zeros(n)
        self._stamps, self._heard, self._stamp = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=bool), 0
        self._names: list[str] | None = None
        self._places: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None
        self._state: JointState | None = None
        self.differentiated = np.zeros(n, dtype=bool)

    def hear(self, names: Sequence[str], position: ArrayLike, velocity: ArrayLike, effort: ArrayLike, stamp: int) -> str:
        """Take in what is said of some joints; joints of other robots are left out.

        Args:
            names: Of the joints, length m.
            position: Shape (m,), [rad].
            velocity: Shape (m,), [rad/s]; empty, or NaN, where it is not measured: it is then made of positions.
            effort: Shape (m,), [N·m]; empty where it is not measured: zero.
            stamp: When they were measured [ns].

        Returns:
            Empty, or why nothing of it was taken: a name from `Reason`.
        """
        fields = tuple(np.asarray(values, dtype=float) for values in (position, velocity, effort))
        places, lengths = self._look_up(names), tuple(map(len, fields))
        if places is None or lengths[0] != len(names) or not {*lengths[1:]} <= {0, len(names)}:
            return Reason.WRONG_JOINTS
        mine, theirs = places
        if len(mine):
            found = fields[0][theirs]
            told = fields[1][theirs] if lengths[1] else np.full(len(mine), np.nan)
            self._velocity[mine] = self._completed(mine, found, told, stamp)
            self._position[mine], self._effort[mine] = found, fields[2][theirs] if lengths[2] else 0.0
            self._stamps[mine], self._heard[mine], self._stamp, self._state = stamp, True, stamp, None
        return ""

    def _completed(self, mine: NDArray[np.int64], position: FloatArray, velocity: FloatArray, stamp: int) -> FloatArray:
        """Return velocities, those that are missing by the way since the measurement before."""
        missing = np.isnan(velocity) & np.isfinite(position)
        if not missing.any():
            return velocity
        self.differentiated[mine] |= missing
        elapsed = (stamp - self._stamps[mine]) * 1e-9
        usable = (elapsed > 0.0) & (elapsed <= _LONGEST) & np.isfinite(self._position[mine])
        slope = (position - self._position[mine]) / np.where(usable, elapsed, 1.0)
        kept = np.where(elapsed == 0.0, self._velocity[mine], 0.0)
        return np.where(missing, np.where(usable, slope, kept), velocity)

    @property
    def state(self) -> JointState | None:
        """All joints in layout order; NaN where one was never heard, None before any was."""
        if self._state is None and self._heard.any():
            stamps = None if (self._stamps == self._stamp).all() else self._stamps
            self._state = JointState(self._stamp, self._position, self._velocity, self._effort, stamps)
        return self._state

    @property
    def missing(self) -> tuple[str, ...]:
        """Joints that were never heard."""
        return tuple(name for name, heard in zip(self._layout.names, self._heard, strict=True) if not heard)

    def _look_up(self, names: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
        """Return the places of the robot's joints that are named: in the layout, and in the message; None if a name repeats."""
        if names != self._names:
            self._names, self._places = list(names), None
            if len(set(names)) == len(names):
                at = {name: k for k, name in enumerate(names)}
                pairs = [(j, at[name]) for j, name in enumerate(self._layout.names) if name in at]
                mine, theirs = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
                self._places = mine, theirs
        return self._places
