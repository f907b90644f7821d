# SPDX-License-Identifier: Apache-2.0
"""The simulator's process in lockstep, in which the scripted person's tick fails after a while; the first argument says how."""

import ctypes
import sys
import time

from kata_nodes.lockstep.host import host
from kata_nodes.sources.operator_node import OperatorNode

_WELL = 120
"""Ticks before the fault: two seconds of simulated time."""


def raises() -> None:
    """Fail with an exception that nobody foresaw."""
    raise ValueError("a fault of the test's")


def loops() -> None:
    """Never return, in Python."""
    while True:
        pass


def holds() -> None:
    """Never return, in C, and keep the interpreter from running anything else."""
    ctypes.PyDLL(None).sleep(1000)


class FaultyOperatorNode(OperatorNode):
    """Ticks well for a while."""

    ticks = 0

    def _tick(self, now: int) -> None:
        self.ticks += 1
        if self.ticks > _WELL:
            sys.stdout.write(f"fault at {time.monotonic()}\n")
            sys.stdout.flush()
            FAULTS[sys.argv[1]]()
        super()._tick(now)


FAULTS = {fault.__name__: fault for fault in (raises, loops, holds)}

if __name__ == "__main__":
    sys.modules["kata_nodes.sources.operator_node"].OperatorNode = FaultyOperatorNode
    raise SystemExit(host(sys.argv[2:]))
