# SPDX-License-Identifier: Apache-2.0
"""Ask the system to run a process before others: for a control loop, on a machine that does other work as well."""

import os
from pathlib import Path

__all__ = ["ask_for_priority"]


def ask_for_priority(priority: int) -> str:
    """Give all threads of this process, the middleware's too, a place in the real-time queue (SCHED_FIFO).

    Threads that they start later inherit it.

    Args:
        priority: 1 to 99; the kernel's own threads are above 50.

    Returns:
        Why it was not granted, empty if it was.
    """
    try:
        for thread in Path("/proc/self/task").iterdir():
            os.sched_setscheduler(int(thread.name), os.SCHED_FIFO, os.sched_param(priority))
    except OSError as error:
        return str(error.strerror)
    return ""
