# SPDX-License-Identifier: Apache-2.0
"""Processes that share a work, and end with whoever gave it to them."""

import multiprocessing
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from kata_model.errors import DataError

__all__ = ["process_pool"]


@contextmanager
def process_pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Give a pool of processes, of one thread each, as they share the cores already.

    Raises:
        DataError: One of the processes was killed.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # fresh processes, as forking a threaded one may hang
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_end_with_parent)
    try:
        yield pool
    except BrokenProcessPool as error:
        what = "a process that did a part of the work was killed, perhaps for want of memory"
        raise DataError(what, fix="give a smaller --jobs") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """End this process when its parent is gone, however that went; the pool itself would wait for more work for ever."""
    threading.Thread(target=_watch, name="parent watch", daemon=True).start()


def _watch() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
