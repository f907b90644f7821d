# SPDX-License-Identifier: Apache-2.0
"""How sure a success rate is: Wilson's score interval (Wilson 1927, J. Am. Stat. Assoc. 22, p. 209)."""

import math
from typing import NamedTuple

__all__ = ["Interval", "wilson"]

_Z = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""


class Interval(NamedTuple):
    """Bounds of a probability."""

    low: float
    high: float


def wilson(successes: int, trials: int) -> Interval:
    """Return the 95 % interval of a success rate; without trials it is 0 to 1."""
    if trials == 0:
        return Interval(0.0, 1.0)
    share = successes / trials
    spread = 1.0 + _Z**2 / trials
    centre = (share + _Z**2 / (2 * trials)) / spread
    half = _Z / spread * math.sqrt(share * (1.0 - share) / trials + _Z**2 / (4 * trials**2))
    return Interval(max(0.0, centre - half), min(1.0, centre + half))
