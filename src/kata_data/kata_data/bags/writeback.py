# SPDX-License-Identifier: Apache-2.0
"""Let the system write a growing file to the disk as it grows, without waiting."""

import ctypes
import os

__all__ = ["start_writeback"]

_WRITE = 2
"""SYNC_FILE_RANGE_WRITE of linux/fs.h: begin to write, do not wait, leave the file system's journal alone."""

_libc = ctypes.CDLL(None, use_errno=True)


def start_writeback(handle: int) -> None:
    """Ask for all that is not on the disk yet of a file.

    Else the system would gather up to a fifth of all memory, and then hold up who writes for seconds; fdatasync
    every few seconds would hold it up as well, since it waits for the file system's journal.

    Raises:
        OSError: The disk is full or failing.
    """
    if _libc.sync_file_range(handle, ctypes.c_int64(0), ctypes.c_int64(0), _WRITE):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
