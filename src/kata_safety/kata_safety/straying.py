# SPDX-License-Identifier: Apache-2.0
"""How far the robot is from its command, and how much the command slows down until it is back.

Arrays are those of frozen dataclasses, read-only: the kernels are compiled for them alone.
"""

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.compiled import kernel
from kata_safety.config import SafetyConfig

__all__ = ["astray", "believable", "distance", "finite", "load_kernels", "pace_for", "straying"]


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
def straying(
    position: FloatArray, velocity: FloatArray, measured: FloatArray, measured_velocity: FloatArray, horizon: float
) -> float:
    """Return how far command and robot are apart, or will be after a horizon [s] at these velocities; shapes (n,), [rad]."""
    found = 0.0
    for j in range(len(position)):
        apart = position[j] - measured[j] + horizon * (velocity[j] - measured_velocity[j])
        found = max(found, abs(apart))
    return found


def load_kernels(frozen: FloatArray) -> None:
    """Run the kernels once on a read-only array, so that no tick has to wait for them."""
    if believable(frozen, frozen, frozen, frozen, frozen) or astray(frozen, frozen, frozen) or finite(frozen, frozen):
        straying(frozen, frozen, frozen, frozen, distance(frozen, frozen))


def pace_for(lag: float, config: SafetyConfig) -> float:
    """Return the velocity limit [rad/s] that lets a robot which strays by a lag [rad] come back; infinite if it is small."""
    if lag <= config.lag_tolerance:
        return np.inf
    share = max(0.0, config.lag_limit - lag) / max(config.lag_limit - config.lag_tolerance, 1e-9)
    return config.crawl_velocity + share * max(0.0, config.max_velocity - config.crawl_velocity)
