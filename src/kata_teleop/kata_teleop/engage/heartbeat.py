# SPDX-License-Identifier: Apache-2.0
"""When a heartbeat is withheld, so that safety stops a robot whose person is gone."""

__all__ = ["Heartbeat"]

_ENOUGH = 5_000_000_000
"""Silence after which nobody can be listening who would confirm a stop [ns]."""


class Heartbeat:
    """Beats, but while a loss lasts too long: then it is silent until safety has stopped.

    It beats again after that, or `safety/reset` would be refused for ever by a silence that nobody can end.
    """

    def __init__(self, patience: float) -> None:
        """Set up.

        Args:
            patience: How long a loss may last [s].
        """
        self._patience = round(patience * 1e9)
        self._lost_since: int | None = None
        self._confirmed = False

    def beats(self, lost_since: int | None, stopped: bool, now: int) -> bool:
        """Return whether to beat.

        Args:
            lost_since: Since when the person is lost [ns]; None if they are not, which ends no silence by itself
                unless it was short.
            stopped: Whether safety says that the robot is stopped or stopping.
            now: Time, by the clock of lost_since [ns].
        """
        if lost_since is not None and self._lost_since is None:
            self._lost_since, self._confirmed = lost_since, False
        if self._lost_since is None:
            return True
        self._confirmed = self._confirmed or stopped
        silence = now - self._lost_since - self._patience
        overdue = silence > 0
        if lost_since is None and (not overdue or self._confirmed or silence > _ENOUGH):
            self._lost_since = None
            return True
        return not overdue or self._confirmed
