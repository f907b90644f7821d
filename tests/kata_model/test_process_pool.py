# SPDX-License-Identifier: Apache-2.0
"""Processes that share a work: what one raises is raised, a killed one is named, and none outlives who gave the work."""

import os
import select
import signal
import subprocess
import sys

import pytest

from kata_model.errors import DataError
from kata_model.process_pool import process_pool

WORK = """
import os, time
from kata_model.process_pool import process_pool
with process_pool(2) as pool:
    print(*{future.result() for future in [pool.submit(os.getpid) for _ in range(2)]}, flush=True)
    pool.submit(time.sleep, 600.0).result()
"""


def test_what_a_process_raises_is_raised() -> None:
    with process_pool(1) as pool, pytest.raises(ZeroDivisionError):
        pool.submit(divmod, 1, 0).result()


def test_a_killed_process_is_named_in_one_line() -> None:
    with pytest.raises(DataError, match="was killed"), process_pool(1) as pool:
        pool.submit(os.kill, pool.submit(os.getpid).result(), signal.SIGKILL).result()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_none_outlives_who_gave_the_work(number: signal.Signals) -> None:
    giver = subprocess.Popen([sys.executable, "-c", WORK], stdout=subprocess.PIPE, text=True)
    try:
        assert giver.stdout is not None
        workers = [os.pidfd_open(int(pid)) for pid in giver.stdout.readline().split()]
        giver.send_signal(number)
        for worker in workers:
            assert select.select([worker], [], [], 20.0)[0], "it lives on"
            os.close(worker)
    finally:
        giver.kill()
        giver.communicate()
