# SPDX-License-Identifier: Apache-2.0
"""What the machine itself did meanwhile: how late a thread that wants a millisecond of sleep gets it."""

import threading
import time

__all__ = ["ReferenceTimer"]

_NAP = 0.001
"""Sleep that is asked for [s]."""


class ReferenceTimer:
    """Sleeps beside a test that judges wall time; use it as a context.

    Attributes:
        worst: Largest time that one sleep took too long [s].
    """

    def __init__(self) -> None:
        """Prepare."""
        self.worst, self._over = 0.0, False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._over:
            before = time.monotonic()
            time.sleep(_NAP)
            self.worst = max(self.worst, time.monotonic() - before - _NAP)

    def __enter__(self) -> "ReferenceTimer":
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._over = True
        self._thread.join()
