# SPDX-License-Identifier: Apache-2.0
"""Whether the disk has room for an episode, and for how long."""

from dataclasses import dataclass

__all__ = ["DiskForecast", "DiskLimits"]


@dataclass(frozen=True, slots=True)
class DiskLimits:
    """When to refuse and when to stop.

    Attributes:
        free: An episode is refused with less room than this [GB].
        seconds: An episode is refused if the disk would be full sooner [s].
        reserve: A running episode is closed when so little is left, which completing it needs [GB].
    """

    free: float
    seconds: float
    reserve: float


@dataclass(frozen=True, slots=True)
class DiskForecast:
    """What is free, and how fast it fills.

    Attributes:
        free: Free room [GB].
        rate: Data that comes, before compression [GB/s].
    """

    free: float
    rate: float

    def seconds(self, limits: DiskLimits) -> float:
        """Return the time until only the reserve is left [s]; infinite if nothing comes."""
        room = max(0.0, self.free - limits.reserve)
        return room / self.rate if self.rate > 0.0 else float("inf")

    def refusal(self, limits: DiskLimits) -> str:
        """Return why no episode may begin, or an empty string."""
        left = self.seconds(limits)
        if not self.free >= limits.free + limits.reserve:
            return f"disk nearly full: {self.free:.2f} GB free, {limits.free + limits.reserve:.2f} GB needed; delete or move bags"
        if not left >= limits.seconds:
            full = f"disk full in {left:.0f} s at {self.rate * 1e3:.1f} MB/s, {limits.seconds:.0f} s needed"
            return f"{full}; delete or move bags, or record fewer streams"
        return ""

    def exhausted(self, limits: DiskLimits) -> bool:
        """Return whether a running episode must be closed now."""
        return not self.free > limits.reserve
