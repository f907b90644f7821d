# SPDX-License-Identifier: Apache-2.0
"""One decorator for the numeric kernels: compiled by numba, or plain numpy.

The kernels are written so that the same source runs in both ways. Numba's machine code is kept on disk, so
that only the first run on a machine compiles. KATA_PURE_NUMPY=1 switches the compiler off.
"""

import os
from collections.abc import Callable
from typing import Any, TypeVar, cast

__all__ = ["COMPILED", "kernel"]

F = TypeVar("F", bound=Callable[..., Any])

try:
    if os.environ.get("KATA_PURE_NUMPY", "") not in ("", "0"):
        raise ImportError("switched off by KATA_PURE_NUMPY")
    from numba import njit

    COMPILED = True
except ImportError:
    COMPILED = False


def kernel(function: F) -> F:
    """Compile a function of arrays, scalars and named tuples if numba is to be had."""
    return cast(F, njit(cache=True, error_model="numpy", boundscheck=False)(function)) if COMPILED else function
