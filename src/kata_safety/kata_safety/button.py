# SPDX-License-Identifier: Apache-2.0
"""The emergency stop as people press it: several buttons on one topic, none of which may release another's press."""

__all__ = ["StopButtons"]


class StopButtons:
    """Whether any of several buttons is pressed, where nobody says which one speaks.

    rclpy tells a callback no publisher (of 7.1.6, the message info holds stamps and sequence numbers alone). So a release counts
    only when no press was heard for a while: buttons that are held say so again and again, and whoever says false
    all the time releases nobody. A press that was never released stays, be it heard once only.
    """

    def __init__(self, lasts: float = 0.3) -> None:
        """Set up; lasts is how long a press counts whatever else is heard [s]."""
        self._lasts = round(lasts * 1e9)
        self._pressed: int | None = None
        self._released = False

    def hear(self, pressed: bool, now: int) -> None:
        """Take what a button says at a steady time [ns]."""
        if pressed:
            self._pressed, self._released = now, False
        elif self._pressed is not None:
            self._released = True

    def pressed(self, now: int) -> bool:
        """Return whether a button is pressed at a steady time [ns]."""
        return self._pressed is not None and not (self._released and now - self._pressed >= self._lasts)
