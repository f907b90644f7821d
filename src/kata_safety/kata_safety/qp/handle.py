# SPDX-License-Identifier: Apache-2.0
"""Many arrays as one argument of a kernel.

Numba looks at each array of a named tuple at each call: measured, 9 µs for the 56 of the safety filter's tick, more than
some kernels take. A structure that numba holds itself (``structref``, experimental in 0.68) is handed over in 1 µs, whatever
is in it. Without the compiler, it is a tuple of one.
"""

from typing import Any, Generic, NamedTuple, TypeVar, cast

from kata_model.compiled import COMPILED

__all__ = ["Handle", "hold"]

T = TypeVar("T", bound=tuple[Any, ...])


class _Plain(NamedTuple):
    parts: Any


if COMPILED:
    from numba import types
    from numba.experimental import structref
    from numba.extending import overload

    @structref.register
    class _HandleType(types.StructRef):  # type: ignore[misc]
        pass

    class _Proxy(structref.StructRefProxy):  # type: ignore[misc]
        pass

    structref.define_boxing(_HandleType, _Proxy)


class Handle(Generic[T]):
    """What kernels see: ``handle.parts`` is the tuple. To Python it is opaque; arrays are shared, numbers are not."""

    parts: T


def hold(parts: T) -> Handle[T]:
    """Return a named tuple of arrays and numbers as one object for kernels.

    A kernel must call this, one for each kind of tuple: with a kernel for all of them, the machine code on disk would name
    tuples of modules that not every program can import, and those could then load none of it.
    """
    return cast(Handle[T], _Plain(parts))


if COMPILED:

    @overload(hold)  # type: ignore[untyped-decorator]
    def _compiled_hold(parts: Any) -> Any:
        handle = _HandleType([("parts", types.unliteral(parts))])

        def hold(parts: Any) -> Any:
            made = structref.new(handle)
            made.parts = parts
            return made

        return hold
