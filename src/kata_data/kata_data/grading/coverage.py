# SPDX-License-Identifier: Apache-2.0
"""How well episodes cover a space of starts or goals."""

from dataclasses import dataclass

import numpy as np

from kata_model.arrays import FloatArray

__all__ = ["Coverage", "cover"]

_GRID = 15
"""Places looked at along each axis."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Points in their smallest box; of more than three dimensions the two in which they differ most.

    Attributes:
        points: Shape (N, d), d of 1 to 3.
        principal: Whether these are principal components, not the axes that were given.
        size: Diagonal of the box, in the points' unit.
        hole: Distance of the emptiest place in the box from the nearest point, over the diagonal.
        hole_at: That place, shape (d,).
    """

    points: FloatArray
    principal: bool
    size: float
    hole: float
    hole_at: FloatArray


def cover(points: FloatArray) -> Coverage:
    """Return how points cover their box.

    Args:
        points: Finite, shape (N, d), N and d at least one.
    """
    principal = points.shape[1] > 3
    places = _components(points) if principal else points
    low, high = places.min(axis=0), places.max(axis=0)
    axes = [np.linspace(a, b, _GRID) if b > a else np.array([a]) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
    nearest = np.min([np.linalg.norm(grid - place, axis=1) for place in places], axis=0)
    size, worst = float(np.linalg.norm(high - low)), int(nearest.argmax())
    return Coverage(places, principal, size, float(nearest[worst]) / size if size > 0.0 else 0.0, grid[worst])


def _components(points: FloatArray) -> FloatArray:
    centred = points - points.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    # The sign of a component is free; the largest entry is made positive so that a page stays as it is.
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
    components: FloatArray = centred @ (axes * signs[:, None])[:2].T
    return components
