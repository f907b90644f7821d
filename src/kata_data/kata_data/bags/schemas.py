# SPDX-License-Identifier: Apache-2.0
"""Whether a message definition in a bag is the one that its messages were written with."""

from functools import lru_cache

from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.base import TypesysError

__all__ = ["misfit"]

_BROKEN = (TypesysError, ValueError, LookupError, TypeError, RecursionError, AssertionError, AttributeError)
"""What rosbags raises on texts that are no definition."""


@lru_cache(maxsize=256)
def misfit(name: str, text: str, type_hash: str) -> str:
    """Return what is wrong with a definition, or an empty string.

    Args:
        name: Name of the type.
        text: The definition (ros2msg), as the bag has it.
        type_hash: REP 2011 hash that the bag states for the topic; empty: it is only tried whether the text can be read.
    """
    try:
        store = get_typestore(Stores.EMPTY)
        store.register(get_types_from_msg(text, name))
        found = store.hash_rihs01(name)
    except _BROKEN as error:
        return f"its definition of {name[:80]} cannot be read: {' '.join(str(error).split())[:80] or type(error).__name__}"
    if type_hash.startswith("RIHS01_") and found != type_hash:
        return f"its definition of {name[:80]} is not the one that was recorded: hash mismatch"
    return ""
