# SPDX-License-Identifier: Apache-2.0
"""A trajectory as a twice smooth curve over its own time, and the same way gone at another speed."""

from typing import NamedTuple

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.trajectory import Trajectory

__all__ = ["MotionPath", "Sample", "follow"]

_SUBSTEPS = 20
"""Parts of a frame in which time is integrated."""


class Sample(NamedTuple):
    """Joints, base position and base quaternion side by side, shape (M, n + 7), with both derivatives by time."""

    value: FloatArray
    first: FloatArray
    second: FloatArray


class MotionPath:
    """Natural cubic splines through all samples; quaternions are run along as vectors and made unit again."""

    def __init__(self, trajectory: Trajectory) -> None:
        """Fit the splines."""
        self._trajectory = trajectory
        quaternion = _continuous(trajectory.base_orientation_xyzw)
        self._stamp = trajectory.stamp
        self._knots = np.concatenate([trajectory.joint_position, trajectory.base_position, quaternion], axis=1)
        self._curvature = _natural_spline(trajectory.stamp, self._knots)

    def at(self, time: FloatArray) -> Sample:
        """Return the curve at times [s] within the trajectory's, shape (M,)."""
        if len(self._stamp) < 2:
            still = np.repeat(self._knots[:1], len(time), axis=0)
            return Sample(still, np.zeros_like(still), np.zeros_like(still))
        i = np.clip(np.searchsorted(self._stamp, time, side="right") - 1, 0, len(self._stamp) - 2)
        h = (self._stamp[i + 1] - self._stamp[i])[:, None]
        b = (time - self._stamp[i])[:, None] / h
        a = 1.0 - b
        y0, y1, m0, m1 = self._knots[i], self._knots[i + 1], self._curvature[i], self._curvature[i + 1]
        value = a * y0 + b * y1 + ((a**3 - a) * m0 + (b**3 - b) * m1) * h**2 / 6.0
        first = (y1 - y0) / h + ((3.0 * b**2 - 1.0) * m1 - (3.0 * a**2 - 1.0) * m0) * h / 6.0
        return Sample(value, first, a * m0 + b * m1)

    def trajectory(self, time: FloatArray, stamp: FloatArray) -> Trajectory:
        """Return the postures at times of this curve [s] as a trajectory with other stamps [s]; contacts come along."""
        value = self.at(time).value
        n = len(self._trajectory.joint_names)
        quaternion = value[:, n + 3 :] / np.linalg.norm(value[:, n + 3 :], axis=1, keepdims=True)
        nearest = np.abs(self._stamp[None, :] - time[:, None]).argmin(axis=1)
        contact = self._trajectory.contact[nearest]
        return Trajectory(self._trajectory.joint_names, value[:, :n], value[:, n : n + 3], quaternion, stamp, contact)


def follow(path: MotionPath, stamp: FloatArray, speed: FloatArray) -> tuple[Trajectory, FloatArray]:
    """Go along a path at another speed.

    Args:
        path: The path.
        stamp: Its times, rising, shape (N,), [s].
        speed: Path time per time at these, shape (N,), positive; it is made slower by less than a frame in all, so that
            the last posture falls on the last frame.

    Returns:
        The trajectory at the mean rate of the stamps, and the path time [s] of each of its frames.
    """
    fine = np.interp(np.arange((len(stamp) - 1) * _SUBSTEPS + 1) / _SUBSTEPS, np.arange(len(stamp)), stamp)
    pace = 1.0 / np.interp(fine, stamp, speed)
    passed = np.concatenate([[0.0], np.cumsum(np.diff(fine) * 0.5 * (pace[1:] + pace[:-1]))])
    dt = (stamp[-1] - stamp[0]) / (len(stamp) - 1)
    frames = int(np.ceil(passed[-1] / dt - 1e-6))
    passed *= frames * dt / passed[-1]
    time = np.interp(np.arange(frames + 1) * dt, passed, fine)
    return path.trajectory(time, stamp[0] + np.arange(frames + 1) * dt), time


def _continuous(quaternion: FloatArray) -> FloatArray:
    """Return quaternions with signs such that neighbours lie on the same half of the sphere."""
    turned = np.sum(quaternion[1:] * quaternion[:-1], axis=1) < 0.0
    signs = np.concatenate([[1.0], np.cumprod(np.where(turned, -1.0, 1.0))])
    continuous: FloatArray = quaternion * signs[:, None]
    return continuous


def _natural_spline(x: FloatArray, y: FloatArray) -> FloatArray:
    """Return second derivatives at the knots of natural cubic splines, shape (N, c), by Thomas' algorithm."""
    second = np.zeros_like(y)
    if len(x) < 3:
        return second
    h = np.diff(x)
    slope = np.diff(y, axis=0) / h[:, None]
    right = 6.0 * np.diff(slope, axis=0)
    diagonal = 2.0 * (h[:-1] + h[1:])
    for i in range(1, len(diagonal)):
        share = h[i] / diagonal[i - 1]
        diagonal[i] -= share * h[i]
        right[i] -= share * right[i - 1]
    second[-2] = right[-1] / diagonal[-1]
    for i in range(len(diagonal) - 2, -1, -1):
        second[i + 1] = (right[i] - h[i + 1] * second[i + 2]) / diagonal[i]
    return second
