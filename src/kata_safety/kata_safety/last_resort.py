# SPDX-License-Identifier: Apache-2.0
"""The guard around all that the safety node does: whatever fails there, the robot is damped from then on."""

import traceback
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar

__all__ = ["LastResort"]

T = TypeVar("T")

_MOST = 20
"""Failures that are told."""


class LastResort:
    """Runs work until some of it fails; from then on it damps instead, for as long as the process lives.

    What failed may have left anything half done, so nothing of it is trusted again: only a new start ends the damping.

    Attributes:
        fault: What failed first, in one line; empty while nothing did.
        trace: Where, for whoever mends it.
    """

    def __init__(self, damp: Sequence[Callable[[], None]], tell: Callable[[str], None]) -> None:
        """Set up.

        Args:
            damp: What damps the robot and says so, each tried every time, whatever becomes of the others.
            tell: Takes one line for the log: of the first failure, and of each new one in damping.
        """
        self._damp, self._tell = damp, tell
        self._told: set[str] = set()
        self.fault = self.trace = ""

    def tick(self, work: Callable[[], None]) -> None:
        """Do a tick's work, or damp if anything has ever failed."""
        if self.fault:
            self.damp()
        else:
            self.attempt(work)

    def attempt(self, work: Callable[..., T], *given: Any) -> T | None:
        """Do some work and return its result; if it fails, damp at once and return None."""
        try:
            return work(*given)
        except Exception as error:  # noqa: BLE001, the guard: no mistake may leave the joints stiff
            if not self.fault:
                self.fault, self.trace = _where(error), traceback.format_exc()
            self._say(_where(error))
            self.damp()
            return None

    def around(self, callback: Callable[..., T]) -> Callable[..., T | None]:
        """Return a callback that is attempted."""

        @wraps(callback)
        def attempted(*given: Any) -> T | None:
            return self.attempt(callback, *given)

        return attempted

    def damp(self) -> None:
        """Damp the robot, by whatever of it still works."""
        for step in self._damp:
            try:
                step()
            except Exception as error:  # noqa: BLE001, what else damps must be tried
                self._say(f"damping: {_where(error)}")

    def _say(self, text: str) -> None:
        if text in self._told or len(self._told) >= _MOST:
            return
        self._told.add(text)
        try:
            self._tell(text)
        except Exception:  # noqa: BLE001, a log that fails must not be what lets the robot fall
            self.trace += traceback.format_exc()


def _where(error: Exception) -> str:
    """Return an error and its innermost place in one line."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())}{place}"
