# SPDX-License-Identifier: Apache-2.0
"""One decorator for the numeric kernels: compiled by numba, or plain numpy.

The kernels are written so that the same source runs in both ways. Machine code is kept on disk, so that only
the first run on a machine compiles. Numba does not notice that a kernel which another one calls has changed;
therefore the folder's name holds a hash of all sources with kernels, and of those beside them with the tuples that they take.
KATA_PURE_NUMPY=1 switches the compiler off.
"""

import hashlib
import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar, cast

__all__ = ["COMPILED", "kernel"]

F = TypeVar("F", bound=Callable[..., Any])

try:
    if os.environ.get("KATA_PURE_NUMPY", "") not in ("", "0"):
        raise ImportError("switched off by KATA_PURE_NUMPY")
    import numba

    COMPILED = True
except ImportError:
    COMPILED = False

_FAST = {"contract", "reassoc"}  # lets sums be vectorised; NaN and infinity keep their meaning

_WITH_KERNELS = ("kata_model", "kata_safety", "kata_retarget")
"""Packages whose kernels call each other; numba does not notice a changed callee."""


def kernel(function: F) -> F:
    """Compile a function of arrays, scalars and named tuples if numba is to be had."""
    if not COMPILED:
        return function
    before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, _CACHE
    try:
        return cast(F, numba.njit(cache=True, error_model="numpy", fastmath=_FAST)(function))
    finally:
        numba.config.CACHE_DIR = before


def _cache_folder() -> str:
    specs = [find_spec(package) for package in _WITH_KERNELS]
    places = [Path(place) for spec in specs if spec for place in spec.submodule_search_locations or ()]
    sources = {path: path.read_bytes() for place in places for path in sorted(place.rglob("*.py"))}
    folders = {path.parent for path, source in sources.items() if b"@kernel" in source}
    near = [source for path, source in sources.items() if path.parent in folders]
    kernels = [source for source in near if b"@kernel" in source or b"(NamedTuple)" in source]
    digest = hashlib.sha256(b"".join(kernels)).hexdigest()[:16]
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return str(Path(root) / "kata" / "kernels" / digest)


_CACHE = _cache_folder()
