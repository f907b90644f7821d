# SPDX-License-Identifier: Apache-2.0
"""Write files and folders whole, or not at all: under a hidden name first, then renamed."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kata_model.errors import DataError

__all__ = ["check_free", "new_file", "new_folder"]


def check_free(folder: Path, marker: str, *, replace: bool) -> None:
    """Raise DataError unless the folder may be written.

    Args:
        folder: Folder to write.
        marker: File that shows that a folder is of the kind that may be replaced.
        replace: Whether a folder of that kind may be replaced.
    """
    if not folder.exists():
        return
    if not replace:
        raise DataError("exists already", where=str(folder), fix="choose another folder, or give --replace")
    if not (folder / marker).is_file():
        raise DataError(f"has no {marker}, so it is not replaced", where=str(folder), fix="choose another folder")


@contextmanager
def new_folder(folder: Path, marker: str, *, replace: bool = False) -> Iterator[Path]:
    """Give a hidden folder to fill; it takes the wanted name when the block ends without an error.

    Raises:
        DataError: As `check_free`, or the disk refuses.
    """
    check_free(folder, marker, replace=replace)
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        partial.mkdir(parents=True)
        yield partial
        if folder.exists():
            shutil.rmtree(folder)
        partial.rename(folder)
    except OSError as error:
        raise DataError(f"cannot write: {error.strerror or error}", where=str(folder)) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Give a hidden path to write; it takes the wanted name when the block ends without an error.

    Raises:
        DataError: The disk refuses.
    """
    partial = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(path)
    except OSError as error:
        raise DataError(f"cannot write: {error.strerror or error}", where=str(path)) from error
    finally:
        partial.unlink(missing_ok=True)
