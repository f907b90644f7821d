# SPDX-License-Identifier: Apache-2.0
"""Real-time priority is given to every thread, or the reason is told."""

import subprocess
import sys

import pytest

PROGRAM = """
import os, threading, time
from pathlib import Path
from kata_nodes.safety.realtime import ask_for_priority
threading.Thread(target=time.sleep, args=(2.0,), daemon=True).start()
refused = ask_for_priority({priority})
queues = {{os.sched_getscheduler(int(thread.name)) for thread in Path("/proc/self/task").iterdir()}}
print(refused or queues == {{os.SCHED_FIFO}})
"""


@pytest.mark.parametrize(("priority", "answers"), [(10, {"True", "Operation not permitted"}), (1000, {"Invalid argument"})])
def test_all_threads_get_the_priority_or_the_reason_is_told(priority: int, answers: set[str]) -> None:
    command = [sys.executable, "-c", PROGRAM.format(priority=priority)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() in answers
