# SPDX-License-Identifier: Apache-2.0
"""Quaternions in bulk: xyzw, any leading shape, numpy throughout."""

import numpy as np

from kata_model.arrays import FloatArray

__all__ = [
    "IDENTITY",
    "about_axis",
    "between",
    "conjugate",
    "continuous",
    "from_axes",
    "from_matrix",
    "from_vector",
    "mean",
    "multiply",
    "normalise",
    "rotate",
    "slerp",
]

IDENTITY: FloatArray = np.array([0.0, 0.0, 0.0, 1.0])


def normalise(vector: FloatArray) -> FloatArray:
    """Scale vectors (or quaternions) to length one along the last axis; a zero vector stays zero."""
    length = np.linalg.norm(vector, axis=-1, keepdims=True)
    return np.asarray(vector / np.where(length > 0.0, length, 1.0), dtype=float)


def multiply(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the products a·b (first b, then a), broadcast over the leading axes."""
    ax, ay, az, aw = np.moveaxis(a, -1, 0)
    bx, by, bz, bw = np.moveaxis(b, -1, 0)
    return np.stack(
        (
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
            aw * bw - ax * bx - ay * by - az * bz,
        ),
        axis=-1,
    )


def conjugate(q: FloatArray) -> FloatArray:
    """Return the inverse rotations."""
    return np.asarray(q * np.array([-1.0, -1.0, -1.0, 1.0]), dtype=float)


def rotate(q: FloatArray, vector: FloatArray) -> FloatArray:
    """Rotate vectors by quaternions, broadcast over the leading axes."""
    x, y, z, w = np.moveaxis(q, -1, 0)
    vx, vy, vz = np.moveaxis(vector, -1, 0)
    tx, ty, tz = (
        2.0 * (y * vz - z * vy),
        2.0 * (z * vx - x * vz),
        2.0 * (x * vy - y * vx),
    )
    return np.stack(
        (
            vx + w * tx + y * tz - z * ty,
            vy + w * ty + z * tx - x * tz,
            vz + w * tz + x * ty - y * tx,
        ),
        axis=-1,
    )


def about_axis(axis: int, angle: FloatArray) -> FloatArray:
    """Return rotations by angles [rad], any shape, about a coordinate axis (0, 1 or 2)."""
    q = np.zeros((*np.shape(angle), 4))
    q[..., axis], q[..., 3] = np.sin(0.5 * angle), np.cos(0.5 * angle)
    return q


def from_vector(vector: FloatArray) -> FloatArray:
    """Return rotations from rotation vectors (axis times angle [rad]), shape (..., 3)."""
    half = 0.5 * np.linalg.norm(vector, axis=-1, keepdims=True)
    # np.sinc(x) is sin(pi x)/(pi x), which is exact at zero too
    return np.concatenate((0.5 * vector * np.sinc(half / np.pi), np.cos(half)), axis=-1)


def between(start: FloatArray, end: FloatArray) -> FloatArray:
    """Return the shortest rotations that take directions start to directions end, shape (..., 3).

    Opposite directions have no shortest rotation: half a turn about some perpendicular axis is returned.
    """
    a, b = np.broadcast_arrays(normalise(start), normalise(end))
    q = np.concatenate((np.cross(a, b), 1.0 + np.sum(a * b, axis=-1, keepdims=True)), axis=-1)
    opposite = q[..., 3] < 1e-9
    if np.any(opposite):
        least = np.eye(3)[np.argmin(np.abs(a), axis=-1)]
        q[opposite] = np.concatenate((np.cross(a, least), np.zeros((*a.shape[:-1], 1))), axis=-1)[opposite]
    return normalise(q)


def from_axes(first: int, exact: FloatArray, second: int, near: FloatArray) -> FloatArray:
    """Return rotations of which one axis has a direction exactly and another one as nearly as that allows.

    Args:
        first: The axis (0, 1 or 2) that is exact.
        exact: Its directions, shape (..., 3).
        second: Another axis.
        near: Its wished directions, shape (..., 3), not parallel to the exact ones.
    """
    a = normalise(exact)
    third = 3 - first - second
    c = normalise(np.cross(a, near) if (second - first) % 3 == 1 else np.cross(near, a))
    b = np.cross(c, a) if (second - first) % 3 == 1 else np.cross(a, c)
    columns = dict(zip((first, second, third), (a, b, c), strict=True))
    return from_matrix(np.stack([columns[i] for i in range(3)], axis=-1))


def from_matrix(matrix: FloatArray) -> FloatArray:
    """Return quaternions of rotation matrices, shape (..., 3, 3); Shepperd's method, best branch each."""
    m = matrix
    trace = m[..., 0, 0] + m[..., 1, 1] + m[..., 2, 2]
    diagonal = np.stack((m[..., 0, 0], m[..., 1, 1], m[..., 2, 2], trace), axis=-1)
    k = np.zeros((*m.shape[:-2], 4, 4))
    for i in range(3):
        j, n = (i + 1) % 3, (i + 2) % 3
        k[..., i, i] = 1.0 + 2.0 * m[..., i, i] - trace
        k[..., i, j] = k[..., j, i] = m[..., i, j] + m[..., j, i]
        k[..., i, 3] = k[..., 3, i] = m[..., n, j] - m[..., j, n]
    k[..., 3, 3] = 1.0 + trace
    best = np.argmax(diagonal, axis=-1)
    return normalise(np.take_along_axis(k, best[..., None, None], axis=-2)[..., 0, :])


def continuous(q: FloatArray) -> FloatArray:
    """Flip signs so that neighbours along the first axis lie in one hemisphere."""
    signs = np.ones(q.shape[:-1])
    signs[1:] = np.where(np.sum(q[1:] * q[:-1], axis=-1) < 0.0, -1.0, 1.0)
    return q * np.cumprod(signs, axis=0)[..., None]


def mean(q: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the weighted mean of N rotations, shape (N, 4) to (4,) (Markley et al. 2007, eq. 12 and 13)."""
    moments = np.einsum("n,ni,nj->ij", weight, q, q)
    return np.asarray(np.linalg.eigh(moments)[1][:, -1], dtype=float)


def slerp(a: FloatArray, b: FloatArray, t: FloatArray) -> FloatArray:
    """Interpolate on the shorter arc; t is 0 at a and 1 at b, broadcast over the leading axes."""
    dot = np.sum(a * b, axis=-1)
    b = np.where(dot[..., None] < 0.0, -b, b)
    angle = np.arccos(np.clip(np.abs(dot), 0.0, 1.0))
    sine = np.sin(angle)
    near = sine < 1e-6
    safe = np.where(near, 1.0, sine)
    wa = np.where(near, 1.0 - t, np.sin((1.0 - t) * angle) / safe)
    wb = np.where(near, t, np.sin(t * angle) / safe)
    return normalise(wa[..., None] * a + wb[..., None] * b)
