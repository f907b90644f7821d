# SPDX-License-Identifier: Apache-2.0
"""The last observations, as policies that look back take them."""

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ObservationHistory"]


class ObservationHistory:
    """Stacks each observation with those before it; where there are none yet, the oldest is repeated, as in training."""

    def __init__(self, length: int) -> None:
        """Start empty.

        Args:
            length: Observations in a stack, 1 or more.
        """
        self._length = length
        self._kept: deque[Mapping[str, NDArray[Any]]] = deque(maxlen=length)

    def push(self, observation: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Take the newest observation and return the stack, oldest first.

        Args:
            observation: By name; it is kept, so nobody may write to its arrays afterwards.

        Returns:
            By name, shape (length, *shape); with a length of 1 the observation as it is.
        """
        if self._length == 1:
            return dict(observation)
        self._kept.append(observation)
        missing = self._length - len(self._kept)
        rows = [self._kept[0]] * missing + list(self._kept)
        return {name: np.stack([row[name] for row in rows]) for name in observation}

    def clear(self) -> None:
        """Forget all, as at engage."""
        self._kept.clear()
