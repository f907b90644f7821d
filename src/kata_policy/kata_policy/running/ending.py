# SPDX-License-Identifier: Apache-2.0
"""How an episode ends: hold, then back to rest, slowly; never a motion that breaks off."""

from dataclasses import dataclass

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.config.params import param
from kata_model.kinematics.minimum_jerk import PEAK, minimum_jerk

__all__ = ["Ending", "EndingConfig"]


@dataclass(frozen=True)
class EndingConfig:
    """When a policy's episode ends, and how."""

    time_limit: float = param(0.0, unit="s", low=0.0, high=86400.0, doc="Longest episode; 0 for no limit.")
    after_success: bool = param(True, doc="Whether success at the task ends the episode.")
    hold_time: float = param(1.0, unit="s", low=0.0, high=60.0, doc="How long the last posture is held.")
    return_velocity: float = param(0.5, unit="rad/s", low=0.01, high=3.0, doc="Greatest joint velocity on the way to rest.")

    def due(self, success: bool, elapsed: float) -> bool:
        """Return whether an episode is over.

        Args:
            success: Whether the task has succeeded since engage.
            elapsed: Time since engage [s].
        """
        return (self.after_success and success) or (self.time_limit > 0.0 and elapsed >= self.time_limit)


class Ending:
    """The way from the last target to rest: held for a while, then on a minimum-jerk path.

    Args:
        config: How.
        start: Last target, shape (n,), [rad].
        rest: Where to, shape (n,), [rad].
        since: When the episode ended [ns].
    """

    def __init__(self, config: EndingConfig, start: FloatArray, rest: FloatArray, since: int) -> None:
        """Plan the way."""
        self._start, self._rest = np.array(start), np.array(rest)
        self._leaves = since + round(config.hold_time * 1e9)
        distance = float(np.abs(self._rest - self._start).max(initial=0.0))
        self._duration = max(PEAK * distance / config.return_velocity, 1e-3)

    def position(self, now: int) -> FloatArray:
        """Return the target at a time [ns], shape (n,), [rad]."""
        return minimum_jerk(self._start, self._rest, self._duration, (now - self._leaves) * 1e-9)

    def over(self, now: int) -> bool:
        """Return whether rest has been reached at a time [ns]."""
        return (now - self._leaves) * 1e-9 >= self._duration
