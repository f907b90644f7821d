# SPDX-License-Identifier: Apache-2.0
"""Rotations in kernels: vectors, matrices and xyzw quaternions."""

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.compiled import kernel

__all__ = ["exponential", "logarithm", "matrix_of", "multiply", "quaternion_of", "transpose_multiply"]


@kernel
def multiply(a: FloatArray, b: FloatArray, out: FloatArray) -> None:
    """Write a b into out; all of shape (3, 3), out is neither a nor b."""
    for i in range(3):
        for j in range(3):
            out[i, j] = a[i, 0] * b[0, j] + a[i, 1] * b[1, j] + a[i, 2] * b[2, j]


@kernel
def transpose_multiply(a: FloatArray, b: FloatArray, out: FloatArray) -> None:
    """Write a bᵀ into out; all of shape (3, 3), out is neither a nor b."""
    for i in range(3):
        for j in range(3):
            out[i, j] = a[i, 0] * b[j, 0] + a[i, 1] * b[j, 1] + a[i, 2] * b[j, 2]


@kernel
def exponential(vector: FloatArray, out: FloatArray) -> None:
    """Write the rotation about a vector by its length [rad] into out (Rodrigues), shape (3, 3)."""
    x, y, z = vector[0], vector[1], vector[2]
    angle = np.sqrt(x * x + y * y + z * z)
    if angle < 1e-9:
        a, b = 1.0, 0.5
    else:
        a, b = np.sin(angle) / angle, (1.0 - np.cos(angle)) / (angle * angle)
    out[0, 0], out[0, 1], out[0, 2] = 1.0 - b * (y * y + z * z), b * x * y - a * z, b * x * z + a * y
    out[1, 0], out[1, 1], out[1, 2] = b * x * y + a * z, 1.0 - b * (x * x + z * z), b * y * z - a * x
    out[2, 0], out[2, 1], out[2, 2] = b * x * z - a * y, b * y * z + a * x, 1.0 - b * (x * x + y * y)


@kernel
def logarithm(rotation: FloatArray, out: FloatArray) -> None:
    """Write the rotation vector [rad] of a rotation matrix into out, shape (3,).

    Goes through the quaternion, which stays accurate up to half a turn.
    """
    q = np.empty(4)
    quaternion_of(rotation, q)
    sine = np.sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2])
    scale = 2.0 if sine < 1e-12 else 2.0 * np.arctan2(sine, q[3]) / sine
    for i in range(3):
        out[i] = scale * q[i]


@kernel
def quaternion_of(rotation: FloatArray, out: FloatArray) -> None:
    """Write the unit quaternion xyzw with w ≥ 0 of a rotation matrix into out (Shepperd 1978)."""
    trace = rotation[0, 0] + rotation[1, 1] + rotation[2, 2]
    big, largest = 3, trace
    for i in range(3):
        if rotation[i, i] > largest:
            big, largest = i, rotation[i, i]
    if big == 3:
        out[0] = rotation[2, 1] - rotation[1, 2]
        out[1] = rotation[0, 2] - rotation[2, 0]
        out[2] = rotation[1, 0] - rotation[0, 1]
        out[3] = 1.0 + trace
    else:
        i, j, k = big, (big + 1) % 3, (big + 2) % 3
        out[i] = 1.0 - trace + 2.0 * rotation[i, i]
        out[j] = rotation[i, j] + rotation[j, i]
        out[k] = rotation[i, k] + rotation[k, i]
        out[3] = rotation[k, j] - rotation[j, k]
    norm = np.sqrt(out[0] ** 2 + out[1] ** 2 + out[2] ** 2 + out[3] ** 2)
    sign = -1.0 if out[3] < 0.0 else 1.0
    for i in range(4):
        out[i] *= sign / norm


@kernel
def matrix_of(quaternion: FloatArray, out: FloatArray) -> None:
    """Write the rotation matrix of an xyzw quaternion of any non-zero length into out, shape (3, 3)."""
    x, y, z, w = quaternion[0], quaternion[1], quaternion[2], quaternion[3]
    s = 2.0 / (x * x + y * y + z * z + w * w)
    out[0, 0], out[0, 1], out[0, 2] = 1.0 - s * (y * y + z * z), s * (x * y - z * w), s * (x * z + y * w)
    out[1, 0], out[1, 1], out[1, 2] = s * (x * y + z * w), 1.0 - s * (x * x + z * z), s * (y * z - x * w)
    out[2, 0], out[2, 1], out[2, 2] = s * (x * z - y * w), s * (y * z + x * w), 1.0 - s * (x * x + y * y)
