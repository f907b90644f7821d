# SPDX-License-Identifier: Apache-2.0
"""The control lease: one client operates at most, and hands over on purpose; all others look on (the protocol's seat)."""

__all__ = ["ControlLease"]


class ControlLease:
    """Who holds the robot; clients are numbers. Whoever vanishes has it back if they return within the grace."""

    def __init__(self, grace: float) -> None:
        """Set up.

        Args:
            grace: How long it is kept for a client that vanished [s].
        """
        self._grace = round(grace * 1e9)
        self._gone_since: int | None = None
        self.holder: int | None = None
        """The operator, present or just gone."""

    @property
    def present(self) -> bool:
        """Whether there is an operator whose connection stands."""
        return self.holder is not None and self._gone_since is None

    def take(self, client: int) -> str:
        """Take it; return why that is refused, or an empty string."""
        if self.holder not in (None, client):
            return "somebody else operates; they were asked to hand over"
        self.holder, self._gone_since = client, None
        return ""

    def leave(self, client: int) -> bool:
        """Give it up; return whether the client had it."""
        if self.holder != client:
            return False
        self.holder, self._gone_since = None, None
        return True

    def hand_over(self, client: int, to: int, connected: frozenset[int]) -> str:
        """Give it to another; return why that is refused, or an empty string."""
        if self.holder != client:
            return "only the operator hands over"
        if to not in connected:
            return f"client {to} is not connected"
        self.holder, self._gone_since = to, None
        return ""

    def vanish(self, client: int, now: int) -> None:
        """Note that a client's connection is gone."""
        if self.holder == client and self._gone_since is None:
            self._gone_since = now

    def appear(self, client: int) -> None:
        """Note that a client is connected again."""
        if self.holder == client:
            self._gone_since = None

    def expire(self, now: int) -> bool:
        """End the lease of somebody who did not come back; return whether that happened now."""
        if self._gone_since is None or now - self._gone_since < self._grace:
            return False
        self.holder, self._gone_since = None, None
        return True
