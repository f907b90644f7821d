# SPDX-License-Identifier: Apache-2.0
"""Tracking error: how far the robot is from its command, and how much the command slows down until it is back.

Arrays are those of frozen dataclasses, read-only: the kernels are compiled for them alone.
"""

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray, frozen
from kata_model.compiled import kernel
from kata_model.joints import JointState
from kata_model.verdict import JointFlag
from kata_safety.config import SafetyConfig
from kata_safety.limits import JointLimits, braking_velocity
from kata_safety.qp.motion import Commanded

__all__ = ["TrackingMonitor", "astray", "believable", "distance", "finite", "load_kernels", "tracking_error"]

_FEEDBACK = np.uint8(JointFlag.FEEDBACK)


@kernel
def finite(first: FloatArray, second: FloatArray) -> bool:
    """Return whether all of two arrays of one length is finite."""
    good = True
    for j in range(len(first)):
        good = good and np.isfinite(first[j]) and np.isfinite(second[j])
    return bool(good)


@kernel
def believable(position: FloatArray, velocity: FloatArray, low: FloatArray, high: FloatArray, fastest: FloatArray) -> bool:
    """Return whether every joint is where and as fast as it can be; NaN is not. Shapes (n,), [rad] and [rad/s]."""
    good = True
    for j in range(len(position)):
        good = good and low[j] <= position[j] <= high[j] and -fastest[j] <= velocity[j] <= fastest[j]
    return bool(good)


@kernel
def astray(first: FloatArray, second: FloatArray, most: FloatArray) -> bool:
    """Return whether two arrays differ by more than a third anywhere, or are not numbers; shapes (n,)."""
    near = True
    for j in range(len(first)):
        near = near and abs(first[j] - second[j]) <= most[j]
    return not near


@kernel
def distance(first: FloatArray, second: FloatArray) -> float:
    """Return the largest difference of two arrays of one length; they are finite."""
    found = 0.0
    for j in range(len(first)):
        found = max(found, abs(first[j] - second[j]))
    return found


@kernel
def tracking_error(
    position: FloatArray, velocity: FloatArray, measured: FloatArray, measured_velocity: FloatArray, horizon: float
) -> float:
    """Return how far command and robot are apart, or will be after a horizon [s] at these velocities; shapes (n,), [rad]."""
    found = 0.0
    for j in range(len(position)):
        apart = position[j] - measured[j] + horizon * (velocity[j] - measured_velocity[j])
        found = max(found, abs(apart))
    return found


def load_kernels(still: FloatArray) -> None:
    """Run the kernels once on a read-only array, so that no tick has to wait for them."""
    if believable(still, still, still, still, still) or astray(still, still, still) or finite(still, still):
        tracking_error(still, still, still, still, distance(still, still))


def _pace(lag: float, config: SafetyConfig) -> float:
    """Return the velocity limit [rad/s] that lets a robot which lags by so much [rad] come back; infinite if it is small."""
    if lag <= config.lag_tolerance:
        return np.inf
    share = max(0.0, config.lag_limit - lag) / max(config.lag_limit - config.lag_tolerance, 1e-9)
    return config.crawl_velocity + share * max(0.0, config.max_velocity - config.crawl_velocity)


class TrackingMonitor:
    """Judges how far the robot is from where it is told to be, and where a commanded motion may begin.

    The command begins where the robot is measured to be, once. From then on it moves by its own ticks alone: whatever is
    measured later can slow it down or stop it, never move it. Where it must begin anew, the joints are limp for a tick before.
    """

    def __init__(self, config: SafetyConfig, limits: JointLimits, most: FloatArray) -> None:
        """Prepare; most is how far each joint may be from its command, shape (n,), [rad]."""
        self._config, self._limits, self._most = config, limits, frozen("most", most, (None,))

    def brakeable(self, measured: JointState) -> FloatArray:
        """Return the measured velocity, shape (n,), [rad/s], as far as it could be braked before a limit: more may be a lie.

        Taken up by the command, it is braked instead of standing still at once.
        """
        limits = self._limits
        up, down = (
            np.minimum(braking_velocity(room, limits.change / limits.period, limits.period), limits.velocity)
            for room in (limits.upper - measured.position, measured.position - limits.lower)
        )
        return np.clip(measured.velocity, -down, up)

    def lost(self, at: Commanded, measured: JointState) -> NDArray[np.uint8] | None:
        """Return `JointFlag.FEEDBACK` of joints that are not where they were told to be, shape (n,); None if all are.

        Such a joint is stuck, pushed, or measured wrongly.
        """
        if not astray(at.position, measured.position, self._most):
            return None
        return _doubted(np.abs(at.position - measured.position) > self._most)

    def pace(self, at: Commanded, measured: JointState) -> tuple[float, NDArray[np.uint8] | None]:
        """Return the velocity limit [rad/s] that lets a robot which lags come back, and the joints that do, as in `lost`.

        Infinite, and None, if none does. It is judged a little ahead, since a weak motor needs its time to catch what it carries.
        """
        config, horizon = self._config, self._config.lag_horizon
        pace = _pace(tracking_error(at.position, at.velocity, measured.position, measured.velocity, horizon), config)
        if not pace < np.inf:
            return pace, None
        ahead = at.position - measured.position + horizon * (at.velocity - measured.velocity)
        return pace, _doubted(np.abs(ahead) > config.lag_tolerance)


def _doubted(joints: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return joints * _FEEDBACK
