# SPDX-License-Identifier: Apache-2.0
"""Statistics as LeRobot stores them: by feature, over each axis of a vector, by colour of a picture."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["picture_stats", "vector_stats"]

_QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}


def vector_stats(values: NDArray[Any]) -> dict[str, Any]:
    """Return the statistics of values, shape (N,) or (N, width)."""
    rows = values.reshape(len(values), -1)
    return {**_of(rows), "count": [len(rows)]}


def picture_stats(pictures: NDArray[np.uint8]) -> dict[str, Any]:
    """Return the statistics of pictures, shape (F, height, width, 3), by colour, 0 to 1, shape (3, 1, 1) each."""
    flat = _of(pictures[:, ::4, ::4].reshape(-1, 3) / 255.0)
    return {**{name: [[[x]] for x in values] for name, values in flat.items()}, "count": [len(pictures)]}


def _of(rows: NDArray[Any]) -> Mapping[str, list[Any]]:
    values = rows.astype(float)
    found = {"min": rows.min(0), "max": rows.max(0), "mean": values.mean(0), "std": values.std(0)}
    found |= {name: np.quantile(values, share, axis=0) for name, share in _QUANTILES.items()}
    return {name: part.tolist() for name, part in found.items()}
