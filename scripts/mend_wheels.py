# SPDX-License-Identifier: Apache-2.0
"""Mend the CMake files of the ros-* wheels, which name folders of the machine that built them."""

import re
import subprocess
from pathlib import Path

__all__ = ["mend_wheels"]

_PATHS = "import sysconfig, numpy; print(sysconfig.get_paths()['include']); print(numpy.get_include())"
_PYTHON_INCLUDE = re.compile(r"/opt/python/[^;\"\s]*/include/python3\.\d+")
_NUMPY_INCLUDE = re.compile(r"/[^;\"\s]*/numpy/_core/include")


def mend_wheels(venv: Path) -> int:
    """Point the wheels' CMake files at this environment's headers of Python and numpy.

    Args:
        venv: Root of the virtual environment.

    Returns:
        Number of files that were changed; 0 when all were right already.

    Raises:
        FileNotFoundError: A folder of headers does not exist, so that nothing could be built.
    """
    printed = subprocess.run([venv / "bin/python", "-c", _PATHS], check=True, capture_output=True, text=True).stdout
    python_include, numpy_include = printed.split()
    for header in (Path(python_include) / "Python.h", Path(numpy_include) / "numpy/ndarrayobject.h"):
        if not header.is_file():
            raise FileNotFoundError(header)
    files = sorted((venv / "share").glob("*/cmake/*.cmake"))
    return sum(_mend(file, python_include, numpy_include) for file in files)


def _mend(file: Path, python_include: str, numpy_include: str) -> bool:
    old = file.read_text()
    new = _NUMPY_INCLUDE.sub(lambda _: numpy_include, _PYTHON_INCLUDE.sub(lambda _: python_include, old))
    if new != old:
        file.write_text(new)
    return new != old
